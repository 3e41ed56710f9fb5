"""
`windlass demo`: a small company of its own, in a folder that is thrown away.
"""

from __future__ import annotations

import click


@click.command()
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying up.")
def demo(*, once: bool) -> None:
    """See it work, with nothing set up: a repository, a push, a pull request, production."""
    from windlass.cli.demo import play

    play(once=once)
