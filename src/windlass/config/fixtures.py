"""
Tests of listeners, as a team writes them in `.windlass/tests/`: an event, and who shall hear it.

A file holds one test or a list of them. It is no part of the configuration, and is
read with the same care: every fault at once, each with its place.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, Tag, WithJsonSchema

from windlass.config.document import parse
from windlass.config.naming import check_known
from windlass.config.nodes import Entries, Items, Node, Scalar
from windlass.config.on import KINDS
from windlass.config.reading import Reading, Unit, unit
from windlass.config.shape import Shape
from windlass.config.values import data, found
from windlass.config.words import (
    At,
    Given,
    Inside,
    Moment,
    Number,
    Texts,
    Truth,
    Verbatim,
    by_kind,
    expected,
    refuse,
    word,
)
from windlass.core.errors import Fault, Place
from windlass.core.event import ACTIONS, DEFAULT_ACTIONS, Event, Kind
from windlass.core.filters import CONDITIONS

FOLDER = ".windlass/tests"
_REASONS = tuple(name for name, _ in CONDITIONS)


def _expectation(value: object) -> str:
    """`matched`, `missed`, or the condition by which it is missed."""
    if value in ("matched", "missed"):
        return str(value)
    if not isinstance(value, dict):
        raise expected(value, "matched, missed or {missed: CONDITION}")
    for key in value:
        if key != "missed":
            hint = "it may have: missed"
            message = f"unknown key '{key}' in an expectation"
            raise refuse("unknown-key", message, hint=hint, at=At((key,), key=True))
    reason = value.get("missed")
    if not isinstance(reason, str) or reason not in _REASONS:
        near = difflib.get_close_matches(str(reason), _REASONS, 1)
        more = f", did you mean '{near[0]}'?" if near else ""
        message = f"{found(reason)} is no condition{more}"
        hint = f"one of {', '.join(_REASONS)}"
        raise refuse("wrong-value", message, hint=hint, at=At(("missed",)))
    return f"missed {reason}"


_EXPECTATIONS = WithJsonSchema(
    {
        "anyOf": [
            {"enum": ["matched", "missed"]},
            {
                "type": "object",
                "properties": {"missed": {"enum": list(_REASONS)}},
                "required": ["missed"],
                "additionalProperties": False,
            },
        ]
    }
)
_Expected = Annotated[str, PlainValidator(_expectation), _EXPECTATIONS]
_Headers = Annotated[
    Annotated[Inside, Tag("<text>")] | Annotated[dict[str, Verbatim], Tag("<mapping>")],
    by_kind("<text>", "<mapping>"),
]


class FixtureEvent(Shape):
    """An event, by the names that it has in `if` and in `windlass events read --json`."""

    WHAT = "an event"
    SYNONYMS: ClassVar = {"type": "kind"}
    STAND_INS: ClassVar = {"kind": "manual"}
    kind: Annotated[str, *word(*map(str, KINDS))] = Field(description="what happened")
    action: Verbatim | None = Field(None, description="where the kind has several")
    repository: Verbatim | None = Field(None, description="name of the repository")
    branch: Verbatim | None = Field(None, description="the branch that was pushed to")
    tag: Verbatim | None = Field(None, description="the tag")
    sha: Verbatim | None = Field(None, description="the commit")
    before: Verbatim | None = Field(None, description="what the branch held before")
    number: Number | None = Field(None, description="number of the pull request")
    base: Verbatim | None = Field(None, description="branch that a pull request goes to")
    head: Verbatim | None = Field(None, description="branch that a pull request comes from")
    base_sha: Verbatim | None = Field(None, description="commit of the base")
    head_sha: Verbatim | None = Field(None, description="commit of the head")
    sender: Verbatim | None = Field(None, description="who did it")
    sender_id: Verbatim | None = Field(None, description="the forge's id of that person")
    author: Verbatim | None = Field(None, description="whose pull request it is")
    author_id: Verbatim | None = Field(None, description="the forge's id of that person")
    fork: Truth | None = Field(None, description="whether the head is in another repository")
    fork_owner: Verbatim = Field("", description="who owns that other repository")
    title: Verbatim | None = Field(None, description="title of the pull request")
    body: Verbatim | None = Field(None, description="text of the pull request or comment")
    labels: Texts | None = Field(None, description="labels of the pull request")
    draft: Truth | None = Field(None, description="whether it is a draft")
    url: Verbatim | None = Field(None, description="its page")
    message: Verbatim | None = Field(None, description="the commit's message")
    files: list[Verbatim] | None = Field(None, description="all changed files")
    schedule: Verbatim | None = Field(None, description="the schedule that was due")
    at: Moment | None = Field(None, description="when, in seconds since 1970")
    recovered: Truth | None = Field(None, description="found by Windlass itself")
    listener: Verbatim | None = Field(None, description="the listener that a person asked for")
    inputs: dict[str, Given] | None = Field(None, description="what was given to its inputs")


class FixtureRequest(Shape):
    """A webhook as it was recorded; files are named from the folder of the test."""

    WHAT = "a request"
    STAND_INS: ClassVar = {"forge": "generic", "body": "x"}
    forge: Verbatim = Field(description="whose dialect it is")
    headers: _Headers = Field({}, description="its headers, or a file that holds them")
    body: Inside = Field(description="the file that holds its body")


class FixtureShape(Shape):
    """One test: what happens, and what listeners shall make of it."""

    WHAT = "a test"
    STAND_INS: ClassVar = {"expect": {}}
    name: Verbatim = Field("", description="what it is about, for people")
    event: FixtureEvent | None = Field(None, description="what happens; or `request`")
    request: FixtureRequest | None = Field(None, description="the webhook that tells of it")
    files: list[Verbatim] | None = Field(None, description="all changed files")
    open_pull_request: Number = Field(
        0, description="number of the open pull request of the pushed branch, 0 if there is none"
    )
    expect: dict[str, _Expected] = Field(
        description="listener: `matched`, `missed` or `{missed: CONDITION}`"
    )


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one listener shall do; `condition` is why it shall miss, empty when any will do."""

    listener: str
    matched: bool
    condition: str
    place: Place

    def __str__(self) -> str:
        if self.matched:
            return "matched"
        return f"missed by `{self.condition}`" if self.condition else "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recorded webhook; `headers` is a mapping, or the name of a file."""

    forge: str
    headers: Mapping[str, str] | str
    body: str
    place: Place
    headers_place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """
    A test: an event or a recorded request, the changed files, and what is expected.

    `pull` is the open pull request of the pushed branch, 0 when there is none.
    """

    name: str
    what: Event | Recorded
    files: tuple[str, ...] | None
    expect: tuple[Expectation, ...]
    place: Place
    pull: int = 0


def load(
    files: Mapping[str, bytes], listeners: Collection[str] | None, forges: Collection[str]
) -> tuple[tuple[Fixture, ...], tuple[Fault, ...]]:
    """
    The tests in these files (name -> content), and everything that is wrong with them.

    `listeners` are those that there are, None when nobody can tell.
    """
    documents = [parse(name, files[name]) for name in sorted(files)]
    reading = Reading({document.name: document for document in documents})
    loaded: list[Fixture] = []
    for document in documents:
        reading.findings.faults += document.faults
        for node in _nodes(reading, document.root, document.name):
            told = len(reading.findings.faults)
            one = unit(reading, Scalar("", "", node.place), node, FixtureShape)
            if one.shape is None:
                continue
            # A stand-in for what was wrong is nothing to find fault with.
            if one.shape.event is not None and len(reading.findings.faults) == told:
                _check_event(reading, one, one.shape.event)
            _check(reading, one, one.shape, listeners, forges)
            if len(reading.findings.faults) == told:
                loaded += _fixture(one, one.shape)
    faults = dict.fromkeys(reading.findings.faults)
    return tuple(loaded), tuple(sorted(faults, key=lambda fault: fault.place))


def _nodes(reading: Reading, root: Node | None, name: str) -> tuple[Node, ...]:
    match root:
        case Items(items):
            return items
        case Entries():
            return (root,)
        case None if reading.documents[name].faults:
            return ()
        case _:
            said = "nothing" if root is None else found(data(root))
            message = f"found {said}, expected a test or a list of tests"
            place = Place(name, 1, 1) if root is None else root.place
            hint = "it may have: name, event, request, files, open_pull_request, expect"
            reading.fault(message, place, hint, code="wrong-type")
            return ()


def _check(
    reading: Reading,
    one: Unit[FixtureShape],
    shape: FixtureShape,
    listeners: Collection[str] | None,
    forges: Collection[str],
) -> None:
    """What no single value can tell."""
    if (shape.event is None) is (shape.request is None) and not one.wrong & {"event", "request"}:
        message = "a test has either 'event' or 'request'"
        hint = "event: {kind: push, branch: main}"
        reading.fault(message, one.key.place, hint, code="one-of")
    if shape.event is not None and shape.event.files is not None and shape.files is not None:
        message = "'files' stands in the event as well"
        reading.fault(message, one.key_place("files"), "keep one of them", code="one-of")
    if shape.request is not None:
        check_known(reading, "forge", shape.request.forge, forges, one.place("request", "forge"))
    if not shape.expect and "expect" not in one.wrong:
        hint = "expect: {LISTENER: matched}"
        reading.fault("'expect' is empty", one.key_place("expect"), hint, code="wrong-value")
    for listener in shape.expect if listeners is not None else ():
        place = one.key_place("expect", listener)
        check_known(reading, "listener", listener, listeners or (), place)


def _check_event(reading: Reading, one: Unit[FixtureShape], event: FixtureEvent) -> None:
    kind = Kind(event.kind)
    there = ", ".join(ACTIONS[kind])
    if event.action is None and len(DEFAULT_ACTIONS[kind]) > 1:
        message = f"a {kind} needs 'action'"
        reading.fault(message, one.key_place("event"), f"one of {there}", code="missing-key")
    elif event.action is not None and event.action not in ACTIONS[kind]:
        check_known(
            reading,
            f"action of {kind}",
            event.action,
            ACTIONS[kind],
            one.place("event", "action"),
        )


def _fixture(one: Unit[FixtureShape], shape: FixtureShape) -> Iterator[Fixture]:
    """The test of a shape; none when it lacks what happens, which has been told."""
    what: Event | Recorded
    if shape.event is not None:
        what = _event(shape.event)
    elif shape.request is not None:
        asked = shape.request
        what = Recorded(
            forge=asked.forge,
            headers=asked.headers,
            body=asked.body,
            place=one.place("request", "body"),
            headers_place=one.place("request", "headers"),
        )
    else:
        return
    yield Fixture(
        name=shape.name,
        what=what,
        files=None if shape.files is None else tuple(shape.files),
        expect=tuple(
            Expectation(
                listener,
                said == "matched",
                said.removeprefix("missed").strip() if said != "matched" else "",
                one.key_place("expect", listener),
            )
            for listener, said in shape.expect.items()
        ),
        place=one.key.place,
        pull=shape.open_pull_request,
    )


def _event(shape: FixtureEvent) -> Event:
    kind = Kind(shape.kind)
    given = {name: value for name, value in shape if value is not None and name != "kind"}
    for name in ("labels", "files"):
        if name in given:
            given[name] = tuple(given[name])
    given.setdefault("action", DEFAULT_ACTIONS[kind][0])
    given.setdefault("repository", "")
    return Event(kind=kind, **given)
