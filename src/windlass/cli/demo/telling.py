"""
What the demonstration prints: the same lines for a terminal, a file and a reader later.

Every line is written once and never changed; colours only where somebody sees them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TextIO

import click

from windlass.cli.output import colourful
from windlass.web.pages.sgr import strip

INDENT = "   "


@dataclass(frozen=True, slots=True)
class Told:
    """A beat that was verified: its title, how long it took in seconds, and what to look at."""

    title: str
    seconds: float
    look: str


@dataclass(slots=True)
class Teller:
    """Tells the story to one stream."""

    out: TextIO
    told: list[Told] = field(default_factory=list)
    title: str = ""
    _began: float = 0.0

    def begin(self, title: str) -> None:
        """The next beat."""
        self.title, self._began = title, time.monotonic()
        self._line("")
        self._line(self._style(f"{len(self.told) + 1}. {title}", bold=True))

    def typed(self, command: str, who: str = "") -> None:
        """A command as a person would type it."""
        self._line(f"{INDENT}{who}$ {command}")

    def say(self, text: str) -> None:
        """What happened."""
        self._line(f"{INDENT}{strip(text)}")

    def quote(self, text: str) -> None:
        """A line that somebody else said."""
        self._line(f"{INDENT}  | {strip(text)}")

    def end(self, look: str) -> None:
        """The beat was verified."""
        seconds = time.monotonic() - self._began
        self.told.append(Told(self.title, seconds, look))
        good = self._style("ok", fg="green", bold=True)
        self._line(f"{INDENT}{good}, {seconds:.1f} s. Look at: {look}")

    def fail(self, lines: list[str]) -> None:
        """The beat was not verified; why, and what to look at."""
        bad = self._style("failed", fg="red", bold=True)
        self._line(f"{INDENT}{bad}: {self.title}")
        for line in lines:
            self.say(line)

    def pairs(self, pairs: list[tuple[str, str]]) -> None:
        """Names and values below each other."""
        width = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            self._line(f"{INDENT}{name.ljust(width)}  {value}")

    def summary(self) -> None:
        """Every beat with its time."""
        width = max(len(one.title) for one in self.told)
        for number, one in enumerate(self.told, start=1):
            self._line(f"{INDENT}{number}. {one.title.ljust(width)}  {one.seconds:5.1f} s")
        total = sum(one.seconds for one in self.told)
        self._line(f"{INDENT}   {'all of it'.ljust(width)}  {total:5.1f} s")

    def heading(self, text: str) -> None:
        """A line that begins a part."""
        self._line("")
        self._line(self._style(text, bold=True))

    def _style(self, text: str, *, bold: bool = False, fg: str = "") -> str:
        return click.style(text, bold=bold, fg=fg or None) if colourful(self.out) else text

    def _line(self, text: str) -> None:
        self.out.write(f"{text}\n")
        self.out.flush()
