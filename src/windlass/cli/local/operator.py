"""
The operator's settings, as commands read them: flags first, and every fault told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from windlass.cli.exits import Exit, Failure
from windlass.core.errors import UserError
from windlass.settings.reading import read
from windlass.settings.sources import Host
from windlass.settings.table import TABLE, Settings

T = TypeVar("T", bound=Callable[..., None])


def with_flags(command: T) -> T:
    """Give a command one option for each setting, and `--settings`."""
    for setting in reversed(TABLE):
        if setting.flag:
            add = click.option(setting.flag, setting.name, default=None, help=setting.help)
            command = add(command)
    return click.option("--settings", "file", default="", help="The file windlass.toml.")(command)


def read_settings(flags: Mapping[str, str | None], *, file: str = "") -> Settings:
    """The settings; a `Failure` names each that is wrong."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return read(given, os.environ, Host.here(), file=file)
    except UserError as error:
        raise Failure(
            error.message, next_step=error.hint or "windlass settings", code=Exit.USAGE
        ) from error
