"""
The tests of listeners in `.windlass/tests/`: run, and compared with what they expect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.cli.exits import Failure
from windlass.cli.local.files import TESTS
from windlass.cli.local.judging import Judged, Listeners, Recorded, judge, judge_recorded, received
from windlass.cli.local.judging import lines as lines_of
from windlass.cli.local.recorded import FORGES, read_headers
from windlass.config import fixtures
from windlass.config.fixtures import Expectation, Fixture
from windlass.core.errors import Fault, Place
from windlass.core.event import Event, Ignored
from windlass.core.filters import CONDITIONS
from windlass.core.listener import Match, Miss, Open, Verdict
from windlass.engine.wording import title
from windlass.ports.forge import Request

_LAST = {name: rank for rank, (name, _) in enumerate(CONDITIONS)}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One listener that did not do as expected: what it did, and why in the words of `explain`."""

    expected: Expectation
    got: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended."""

    fixture: Fixture
    title: str
    wrong: tuple[Wrong, ...]


def run(
    root: Path, files: Mapping[str, bytes], listeners: Listeners | None
) -> tuple[tuple[Result, ...], tuple[Fault, ...]]:
    """
    Every test of these files with its result, and all that is wrong with how they are written.

    When anything is, or when the listeners are not known (None), nothing is run.
    """
    loaded, faults = fixtures.load(files, listeners, FORGES)
    prepared: list[tuple[Fixture, Request]] = []
    found = list(faults)
    for fixture in loaded:
        request = _request(root, fixture, found)
        if request is not None:
            prepared.append((fixture, request))
    if found or listeners is None:
        return (), tuple(sorted(found, key=lambda fault: fault.place))
    return tuple(_result(listeners, *each) for each in prepared), ()


def faults_of_tests(
    root: Path, files: Mapping[str, bytes], listeners: Listeners | None
) -> tuple[Fault, ...]:
    """What is wrong with the tests, and every listener that does not do as they expect."""
    results, faults = run(root, files, listeners)
    return faults + tuple(
        Fault(
            f"{wrong.expected.listener}: expected {wrong.expected}, got {wrong.got}",
            wrong.expected.place,
            "; ".join(line.strip() for line in wrong.lines),
            "fixture",
        )
        for result in results
        for wrong in result.wrong
    )


def _request(root: Path, fixture: Fixture, faults: list[Fault]) -> Request | None:
    """The request of a test, an empty one for an event; None after a fault."""
    what = fixture.what
    if isinstance(what, Event):
        return Request(headers={}, body=b"{}", at=what.at or 0.0)
    headers: Mapping[str, str] = {}
    if isinstance(what.headers, str):
        content = _read(root, what.headers, what.headers_place, faults)
        if content is None:
            return None
        try:
            headers = read_headers(content)
        except Failure as failure:
            faults.append(Fault(failure.what, what.headers_place, "", "wrong-value"))
    else:
        headers = {name.lower(): value for name, value in what.headers.items()}
    body = _read(root, what.body, what.place, faults)
    if body is None:
        return None
    try:
        return received(headers, body, at=0.0, where=what.body)
    except Failure as failure:
        faults.append(Fault(failure.what, what.place, "", "wrong-value"))
        return None


def _read(root: Path, name: str, place: Place, faults: list[Fault]) -> bytes | None:
    """A file beside the tests; links do not lead out of the folder of the configuration."""
    path = (root / TESTS / name).resolve()
    try:
        if path.is_relative_to(root.resolve()):
            return path.read_bytes()
    except OSError:
        pass
    hint = f"files are named from {TESTS}"
    faults.append(Fault(f"there is no file '{name}'", place, hint, "missing-file"))
    return None


def _result(listeners: Listeners, fixture: Fixture, request: Request) -> Result:
    what = fixture.what
    if isinstance(what, Event):
        return _compared(fixture, (judge(listeners, what, request, fixture.files, fixture.pull),))
    try:
        recorded = Recorded(what.forge, what.body)
        judged = judge_recorded(listeners, recorded, request, fixture.files, fixture.pull)
    except Failure as failure:
        return _nothing(fixture, what.body, failure.what)
    if isinstance(judged, Ignored):
        return _nothing(fixture, what.body, f"nothing, for it is ignored: {judged.reason}")
    return _compared(fixture, judged)


def _nothing(fixture: Fixture, name: str, got: str) -> Result:
    return Result(fixture, fixture.name or name, tuple(Wrong(one, got) for one in fixture.expect))


def _compared(fixture: Fixture, judged: tuple[Judged, ...]) -> Result:
    name = fixture.name or ", ".join(title(one.event) for one in judged)
    found = (_wrong(one, judged) for one in fixture.expect)
    return Result(fixture, name, tuple(wrong for wrong in found if wrong is not None))


def _wrong(expected: Expectation, judged: tuple[Judged, ...]) -> Wrong | None:
    """The difference, if there is one, at the event at which the listener came furthest."""
    said = max(_verdicts(expected.listener, judged), key=_far, default=None)
    match said:
        case None:
            return Wrong(expected, "nothing, for no listener is asked about a ping")
        case Match():
            fits, got = expected.matched, "matched"
        case Miss(condition):
            fits = not expected.matched and expected.condition in {"", condition}
            got = f"missed by `{condition}`"
        case Open():
            fits, got = False, "no verdict, for `files` are not told"
    return None if fits else Wrong(expected, got, tuple(lines_of(expected.listener, said)))


def _verdicts(listener: str, judged: tuple[Judged, ...]) -> Iterator[Verdict | Open]:
    return (one.verdicts[listener] for one in judged if listener in one.verdicts)


def _far(said: Verdict | Open) -> int:
    """How far a listener came: all conditions held, or the place of the one that did not."""
    return len(_LAST) if isinstance(said, Match) else _LAST[said.condition]
