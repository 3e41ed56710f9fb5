"""The page of the command line, made of the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from windlass.cli.main import windlass

START = """\
# The command line

Every command prints its result to stdout and all else to stderr, and ends with an [exit code](errors.md#exit-codes-of-the-command-line).
`-h` or `--help` works everywhere. How a command finds its server and its token: `windlass help server`, or below.
"""


def page() -> str:
    """Every command with what it takes."""
    parts = [START]
    for path, command in commands(windlass, ("windlass",)):
        parts += _command(path, command)
    parts += ["## How a command finds its server", "", "```text", _server(), "```", ""]
    return "\n".join(parts)


def commands(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group that is no group itself, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    yield f"## {' '.join(path)}"
    yield ""
    yield inspect.cleandoc(command.help or "").replace("\f", "")
    yield ""
    yield f"```text\n{' '.join(path)} {usage}\n```"
    yield ""
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield "| option | what it does |"
        yield "| --- | --- |"
        for option in options:
            yield f"| {_names(option)} | {_told(option)} |"
        yield ""


def _names(option: click.Option) -> str:
    value = "" if option.is_flag or option.count else f" {_value(option)}"
    return ", ".join(f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts))


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices)).replace("|", "\\|")
    return option.metavar or option.type.name.upper().split()[0]


def _told(option: click.Option) -> str:
    default = option.default
    usual = (
        isinstance(default, str | int | float)
        and not isinstance(default, bool)
        and default not in {"", 0}
    )
    text = option.help or ""
    return f"{text} Default: `{default}`.".strip() if usual else text


def _server() -> str:
    from windlass.cli.local.topics import FIND  # noqa: PLC0415 - as the command does

    return FIND
