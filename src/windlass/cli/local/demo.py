"""
`windlass demo`: a small company of its own, on this machine.
"""

from __future__ import annotations

from pathlib import Path

import click

from windlass.cli.exits import Exit


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying up.")
@click.option("--kill", is_flag=True, help="Kill the server in the middle, to see it recover.")
def demo(folder: Path | None, *, once: bool, kill: bool) -> int:
    """See it work, with nothing set up: a repository, pushes, a pull request, production."""
    from windlass.cli.demo.play import Wish, play

    return Exit(play(Wish(folder=folder, once=once, kill=kill)))
