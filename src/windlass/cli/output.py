"""
What a command prints: data on stdout, talk on stderr.

Text from repositories, logs and servers is shown without its control characters;
colours are ours, and only on a terminal that wants them (`NO_COLOR`).
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

import click

from windlass.cli.exits import Failure
from windlass.web.pages.sgr import strip

COLOURS = {
    "succeeded": "green",
    "healthy": "green",
    "in sync": "green",
    "merged": "green",
    "matched": "green",
    "success": "green",
    "failed": "red",
    "failure": "red",
    "unhealthy": "red",
    "rejected": "red",
    "drifted": "yellow",
    "drift": "yellow",
    "waiting": "yellow",
    "approval": "yellow",
    "held": "yellow",
    "running": "blue",
    "deploying": "blue",
    "open": "blue",
}


def colourful(stream: TextIO) -> bool:
    """Whether this stream is a terminal that wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def clean(text: str) -> str:
    """The text on one line, without control characters."""
    return strip(text.replace("\n", " ").replace("\t", " "))


def say(text: str) -> None:
    """Talk: to stderr."""
    click.echo(text, err=True)


def show(text: str) -> None:
    """Data: to stdout."""
    click.echo(text, color=colourful(sys.stdout))


def indented(text: str) -> None:
    """One line of an answer: its indentation is meant, control characters are not."""
    show(text[: len(text) - len(text.lstrip())] + clean(text.lstrip()))


def state(word: str) -> str:
    """A state in its colour, as a word."""
    return click.style(word, fg=COLOURS[word]) if word in COLOURS else word


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str = "Nothing to show."
) -> None:
    """Aligned columns; on a terminal the last one is cut to fit. No rows: only the talk."""
    if not rows:
        say(empty)
        return
    plain = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *plain, strict=True)]
    room = _room(widths)
    for row in (headers, *plain):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[-1] = row[-1] if room is None else row[-1][:room]
        coloured = [
            state(cell.rstrip()) + cell[len(cell.rstrip()) :] if row is not headers else cell
            for cell in cells
        ]
        show("  ".join(coloured).rstrip())


def _room(widths: Sequence[int]) -> int | None:
    """How much of the last column fits on the terminal."""
    if not sys.stdout.isatty():
        return None
    taken = sum(widths[:-1]) + 2 * (len(widths) - 1)
    return max(shutil.get_terminal_size().columns - taken, 12)


def fields(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values below each other; empty values are left out."""
    shown = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        show(f"{name.ljust(width)}  {state(clean(value))}")


def age(moment: datetime | None) -> str:
    """How long ago, in the largest unit."""
    if moment is None:
        return ""
    seconds = max(0.0, time.time() - moment.timestamp())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def moment(at: datetime) -> str:
    """A time of the near past or future, as `27 Nov 18:31 UTC`."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %H:%M} UTC"


def took(milliseconds: float | None) -> str:
    """How long a request took."""
    return "" if milliseconds is None else f"{milliseconds:.1f} ms"


def short(name: str) -> str:
    """A commit or digest, short enough to read."""
    return name[7:19] if name.startswith("sha256:") else name[:8]


def report(failure: Failure) -> None:
    """Say what went wrong: what, where, what next."""
    red = colourful(sys.stderr)
    head = click.style("error:", fg="red", bold=True) if red else "error:"
    first, *more = strip(failure.what).split("\n")
    say(f"{head} {first}")
    for line in more:
        say(f"  {line}")
    if failure.where:
        say(f"  where: {failure.where}")
    if failure.next_step:
        say(f"  next:  {failure.next_step}")
