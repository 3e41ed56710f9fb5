"""
`windlass up`: the server, in this terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from windlass.cli.exits import Failure
from windlass.cli.local.operator import read_settings, with_flags
from windlass.cli.output import say

if TYPE_CHECKING:
    from windlass.wiring.server import Running


@click.command()
@with_flags
def up(*, file: str, **flags: str | None) -> None:
    """Start the server, and say where it is."""
    settings = read_settings(flags, file=file)
    from windlass.cli.local.speech import set_up
    from windlass.core.errors import WindlassError
    from windlass.wiring.server import run

    set_up(settings)
    try:
        run(settings, _ready)
    except WindlassError as error:
        hint = str(getattr(error, "hint", ""))
        raise Failure(str(error), where=str(settings.data), next_step=hint) from error


def _ready(running: Running) -> None:
    say(f"Windlass is up: {running.url}")
    say(f"Sign in here, once, within 15 minutes: {running.login}")
