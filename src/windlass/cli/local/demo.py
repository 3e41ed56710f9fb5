"""
`windlass demo`: a small company of its own, in one folder.
"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying up.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where; else ./windlass-demo, or with --once a folder that is removed.",
)
@click.option("--kill", is_flag=True, help="Kill the server in the middle of the second beat.")
def demo(*, once: bool, folder: Path | None, kill: bool) -> int:
    """See it work, with nothing set up: a repository, a push, a pull request, production."""
    from windlass.cli.demo.play import Wish, play

    return play(Wish(folder=folder, once=once, kill=kill))
