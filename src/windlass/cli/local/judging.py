"""
What listeners would say of an event, without a server.

Everything that decides is the server's own: the dialects, what is kept of a request,
`engine.judge`, and the words of `engine.wording`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.cli.exits import Failure
from windlass.cli.local.faults import as_json, as_text
from windlass.cli.local.files import read_files
from windlass.cli.local.recorded import meant
from windlass.config.schema import chosen, load
from windlass.core.errors import BadDelivery, ConfigError
from windlass.core.event import Event, Ignored
from windlass.core.listener import Listener, Match, Miss, Open, Verdict
from windlass.core.nearest import near
from windlass.engine.judge import ask, heard, record
from windlass.engine.receive import kept
from windlass.engine.wellformed import wellformed
from windlass.engine.wording import open_line, subject, verdict_lines
from windlass.ports.forge import Request

Listeners = Mapping[str, Listener]
Files = tuple[str, ...] | None

_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)")
_SIGNS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a request comes from: its forge, the repository's name if given, the file."""

    forge: str
    where: str
    repository: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One event, and what each listener says to it; those in `shadows` start nothing."""

    event: Event
    verdicts: Mapping[str, Verdict | Open]
    shadows: frozenset[str] = frozenset()

    @property
    def lines(self) -> Iterator[str]:
        """The same in words."""
        place = f" in {self.event.repository}" if self.event.repository else ""
        yield f"Event: {subject(self.event)}{place}."
        order = sorted(self.verdicts, key=lambda name: (self._rank(name), name))
        for name in order:
            yield from lines(name, self.verdicts[name], shadow=name in self.shadows)
        if not self.verdicts:
            yield "No listener was asked."

    def _rank(self, name: str) -> int:
        return [Match, Open, Miss].index(type(self.verdicts[name]))


def lines(name: str, said: Verdict | Open, *, shadow: bool = False) -> list[str]:
    """What one listener says, in words."""
    if isinstance(said, Open):
        return [open_line(name, said)]
    return verdict_lines(record(0, name, said, shadow=shadow), "would start")


def configured(folder: Path, *, json_wanted: bool) -> Listeners:
    """The listeners that a folder's configuration has; its faults are printed as by `lint`."""
    there = read_files(folder)
    files = {name: there[name] for name in chosen(there)}
    try:
        return load(files).listeners
    except ConfigError as error:
        if json_wanted:
            as_json(error.faults, ())
        else:
            as_text(error.faults, "", files)
        count = f"{len(error.faults)} fault{'s' if len(error.faults) > 1 else ''}"
        raise Failure(f"{count} in {', '.join(files)}.", where=str(folder.resolve())) from error


def received(headers: Mapping[str, str], body: bytes, *, at: float, where: str) -> Request:
    """A request as the server keeps it; a `Failure` when it would refuse it."""
    try:
        return Request(headers=kept(headers), body=wellformed(body).content, at=at)
    except BadDelivery as error:
        raise Failure(f"It cannot be read: {error}.", where=where) from error


def judge(
    listeners: Listeners,
    event: Event,
    request: Request,
    files: Files,
    pull: int | None = None,
) -> Judged:
    """The verdicts on one event; changed files and open pull request, if anybody said."""
    verdicts = ask(listeners, event, request, pull=pull).so_far(files) if heard(event) else {}
    shadows = frozenset(name for name, one in listeners.items() if one.shadow)
    return Judged(event, verdicts, shadows)


def judge_recorded(
    listeners: Listeners,
    recorded: Recorded,
    request: Request,
    files: Files,
    pull: int | None = None,
) -> tuple[Judged, ...] | Ignored:
    """The verdicts on every event that a request tells of."""
    events = meant(recorded.forge, request, repository=recorded.repository, where=recorded.where)
    if isinstance(events, Ignored):
        return events
    return tuple(judge(listeners, event, request, files, pull) for event in events)


def as_data(name: str, said: Verdict | Open) -> dict[str, object]:
    """A verdict as JSON has it; `matched` is null when nobody can tell."""
    told: dict[str, object] = dict.fromkeys(
        ("condition", "expected", "actual", "file", "line", "nearest")
    )
    if not isinstance(said, Match):
        told |= {
            "condition": said.condition,
            "expected": said.expected,
            "file": said.place.file,
            "line": said.place.line,
        }
    if isinstance(said, Miss):
        nearest = near(said.condition, said.expected, said.actual)
        told |= {"actual": said.actual, "nearest": nearest or None}
    matched = None if isinstance(said, Open) else isinstance(said, Match)
    return {"listener": name, "matched": matched, **told}


def read_changed(text: bytes) -> tuple[str, ...]:
    """The paths of a list: one on a line, or between NULs, as `git diff --name-only` writes it."""
    if b"\0" in text:
        return tuple(part.decode("utf-8", "replace") for part in text.split(b"\0") if part)
    return tuple(_unquoted(line.rstrip(b"\r")) for line in text.split(b"\n") if line.strip())


def _unquoted(path: bytes) -> str:
    """A path as it is; Git writes unusual ones in quotes, with escapes."""
    if len(path) > 1 and path[:1] == path[-1:] == b'"':
        path = _ESCAPE.sub(_unescaped, path[1:-1])
    return path.decode("utf-8", "replace")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    sign = escape[1]
    return bytes([int(sign, 8)]) if len(sign) == 3 else _SIGNS.get(sign, sign)
