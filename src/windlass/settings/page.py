"""
Settings shown to people: the rows of `windlass settings`, and the reference page.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.settings.table import TABLE, Settings

INTRODUCTION = """\
# Settings

What the operator sets. Every setting can be given in four ways; the first that is there counts:

1. a flag, `--public-url https://windlass.example`
2. a variable, `WINDLASS_PUBLIC_URL`; one that is empty does not count
3. a file named by a variable, `WINDLASS_PUBLIC_URL_FILE=/run/url`; its last line end does not count
4. a line in `windlass.toml`, `public_url = "https://windlass.example"`

`windlass.toml` is the file named by `--settings` or `WINDLASS_SETTINGS`;
else `$XDG_CONFIG_HOME/windlass/windlass.toml` (`~/.config/windlass/windlass.toml`);
else `/etc/windlass/windlass.toml`.
It is not looked for in the current folder, which may be a checkout of somebody else's repository.
A key in it that is unknown is an error. Relative paths in it begin in its own folder.

`windlass settings` prints each value and where it came from, secrets masked.
A secret has no flag, because others on the machine can read a command line.

Durations are written `30s`, `15m`, `12h` or `7d`; sizes `512 KiB`, `25 MiB` or `1 GiB`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting as shown: a secret's `value` is `***`, or empty when it is not set."""

    name: str
    value: str
    origin: str
    help: str


def describe(settings: Settings) -> tuple[Row, ...]:
    """Every setting with its value and where it came from."""
    return tuple(
        Row(
            name=setting.name,
            value=setting.show(settings),
            origin=settings.origins[setting.name],
            help=setting.help,
        )
        for setting in TABLE
    )


def reference() -> str:
    """The reference page, as Markdown."""
    parts = [INTRODUCTION]
    for setting in TABLE:
        default = setting.default if setting.computed else f"`{setting.default}`"
        ways = [setting.flag, setting.variable, f"{setting.variable}_FILE"]
        parts.append(
            f"## {setting.name}\n\n{setting.help}\n\n"
            f"- set by: {', '.join(f'`{way}`' for way in ways if way)}\n"
            f"- default: {default}\n"
        )
    return "\n".join(parts)
