"""
YAML 1.2 in which every node knows its place.

libyaml only tells what it sees; the nodes are built here, so that nothing is
resolved, tagged, merged or expanded behind our back. Size, depth and the number
of nodes are limited while reading, an alias counts as all that it stands for, so
a small file cannot become a large one.

>>> parse("ci.yaml", b"on: push").root.find("on")[1].place
Place(file='ci.yaml', line=1, column=5)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, cast

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.reader import ReaderError

from windlass.config.nodes import Document, Entries, Items, Node, Scalar
from windlass.core.errors import Fault, Place

LIMIT_BYTES = 1 << 20
LIMIT_NODES = 16_000
LIMIT_DEPTH = 64

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

# What libyaml says -> what usually mends it.
_REMEDIES = (
    ("mapping values are not allowed", "put a text that holds ': ' in quotes"),
    ("could not find expected ':'", "a key is followed by ':' and a space"),
    ("did not find expected key", "keys of one block stand in the same column"),
    ("did not find expected '-'", "items of one list stand in the same column"),
    ("did not find expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("unexpected end of stream", "a quote or a bracket is not closed"),
    ("cannot start any token", "put a text that begins with this character in quotes"),
    ("unknown escape character", "use single quotes, in which a backslash is a backslash"),
    ("while scanning a tag", "put a text that begins with ! in quotes"),
    ("while scanning an anchor", "put a text that begins with & in quotes"),
    ("while scanning an alias", "put a text that begins with * in quotes"),
)


def parse(name: str, data: bytes, *, nodes: int = LIMIT_NODES) -> Document:
    """
    The document that these bytes are; what is wrong with it stands in `faults`.

    It may have `nodes` values, aliases counted as what they stand for.
    """
    if len(data) > LIMIT_BYTES:
        message = f"the file has {len(data)} bytes, expected at most {LIMIT_BYTES}"
        hint = "split it into several files in .windlass/"
        return Document(name, None, (), (Fault(message, Place(name, 1, 1), hint, "yaml-size"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_at(name, data[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        return Document(name, None, (), (Fault(message, place, hint, "encoding"),))
    lines = tuple(_BREAK.split(text))
    builder = _Builder(name, nodes)
    try:
        root = builder.build(_events(text))
    except _Stop as stop:
        return Document(name, None, lines, (*builder.faults, stop.fault))
    except yaml.MarkedYAMLError as error:
        return Document(name, None, lines, (*builder.faults, _syntax(name, error, lines)))
    except ReaderError as error:
        place = _place_at(name, text[: int(error.position)])
        fault = Fault(
            f"this character is not allowed in YAML (U+{int(error.character):04X})",
            place,
            "remove it, or write it as an escape in double quotes",
            "yaml-syntax",
        )
        return Document(name, None, lines, (*builder.faults, fault))
    return Document(name, root, lines, tuple(builder.faults))


class _Mark(Protocol):
    line: int
    column: int
    index: int


class _Event(Protocol):
    """An event of libyaml; which of these it has depends on its class."""

    start_mark: _Mark
    end_mark: _Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    flow_style: bool | None


def _events(text: str) -> Iterator[_Event]:
    parser = CParser(text)
    while (event := cast("_Event | None", parser.get_event())) is not None:
        yield event


def _place_at(name: str, before: str) -> Place:
    rows = _BREAK.split(before)
    return Place(name, len(rows), len(rows[-1]) + 1)


def _syntax(name: str, error: yaml.MarkedYAMLError, lines: tuple[str, ...]) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)
    said = " ".join(part for part in (error.context, error.problem) if part)
    hint = next((remedy for words, remedy in _REMEDIES if words in said), "")
    written = lines[place.line - 1] if place.line <= len(lines) else ""
    if written[place.column - 1 : place.column] == "\t" or written.lstrip(" ").startswith("\t"):
        hint = "indent with spaces, never with tabs"
    return Fault(f"not valid YAML: {said}", place, hint, "yaml-syntax")


class _Stop(Exception):
    """Reading on would be of no use, or too much work."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being read."""

    place: Place
    anchor: str | None
    mapping: bool
    flow: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Scalar | None = None
    weight: int = 1

    def close(self, end: int) -> Node:
        if self.mapping:
            items = tuple(self.entries.values())
            return Entries(items, self.place, self.weight, self.flow, end)
        return Items(tuple(self.items), self.place, self.weight)


class _Builder:
    """Makes nodes of libyaml's events, without recursion and within the limits."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.faults: list[Fault] = []
        self.anchors: dict[str, Node | None] = {}
        self.open: list[_Open] = []
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0

    def build(self, events: Iterator[_Event]) -> Node | None:
        # By class and not by `match`: a large file has thousands of events.
        steps: dict[type, Callable[[_Event], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        for event in events:
            step = steps.get(type(event))
            if step is not None:
                step(event)
        return self.root

    def _place(self, event: _Event) -> Place:
        return Place(self.name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _stop(self, message: str, place: Place, hint: str, code: str) -> _Stop:
        return _Stop(Fault(message, place, hint, code))

    def _fault(self, message: str, place: Place, hint: str, code: str) -> None:
        self.faults.append(Fault(message, place, hint, code))

    def _document(self, event: _Event) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = "remove the line '---', or move this part to a file of its own in .windlass/"
            place = self._place(event)
            raise self._stop("a second document in one file", place, hint, "yaml-documents")

    def _scalar(self, event: _Event) -> None:
        place = self._place(event)
        self._count(1, place)
        self._tag(event.tag, place)
        style = event.style or ""
        span = event.start_mark.index, event.end_mark.index
        scalar = Scalar(event.value, style, place, *span)
        if event.anchor:
            self.anchors[event.anchor] = scalar
        self._add(scalar)

    def _start(self, event: _Event) -> None:
        place = self._place(event)
        self._count(1, place)
        self._tag(event.tag, place)
        if len(self.open) >= LIMIT_DEPTH:
            message = f"nested more than {LIMIT_DEPTH} levels deep"
            raise self._stop(message, place, "the language needs far fewer levels", "yaml-size")
        if event.anchor:
            self.anchors[event.anchor] = None
        mapping = isinstance(event, yaml.MappingStartEvent)
        self.open.append(_Open(place, event.anchor, mapping, bool(event.flow_style)))

    def _end(self, event: _Event) -> None:
        closed = self.open.pop()
        node = closed.close(event.end_mark.index)
        if closed.anchor:
            self.anchors[closed.anchor] = node
        self._add(node)

    def _alias(self, event: _Event) -> None:
        place = self._place(event)
        if event.anchor not in self.anchors:
            message = f"the alias *{event.anchor} has no anchor &{event.anchor} before it"
            hint = "put a text that begins with * in quotes"
            raise self._stop(message, place, hint, "yaml-alias")
        node = self.anchors[event.anchor or ""]
        if node is None:
            message = f"the alias *{event.anchor} stands inside what it stands for"
            raise self._stop(message, place, "write the part out", "yaml-alias")
        self._count(node.weight, place)
        self._add(node)

    def _count(self, weight: int, place: Place) -> None:
        self.nodes += weight
        if self.nodes > self.limit:
            message = f"more than {LIMIT_NODES} values, aliases counted as what they stand for"
            raise self._stop(message, place, "write less, or use fewer aliases", "yaml-size")

    def _tag(self, tag: str | None, place: Place) -> None:
        if tag is None:
            return
        if tag.startswith("!") and not tag.startswith("!!"):
            hint = f'put a text that begins with ! in quotes: "{tag}"'
        else:
            hint = "remove the tag; nothing is constructed here"
        self._fault(f"the tag '{tag}' is not part of the language", place, hint, "yaml-tag")

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        inside = self.open[-1]
        inside.weight += node.weight
        if not inside.mapping:
            inside.items.append(node)
        elif inside.key is not None:
            self._enter(inside, inside.key, node)
        elif isinstance(node, Scalar):
            inside.key = node
        else:
            self._fault(
                "a key is a word, not a list or a mapping", node.place, "name it", "yaml-key"
            )
            inside.key = Scalar("", "", node.place)

    def _enter(self, inside: _Open, key: Scalar, node: Node) -> None:
        inside.key = None
        first = inside.entries.get(key.value)
        if key.value == "<<" and not key.style:
            hint = "write the keys out; an alias may stand for a whole value"
            self._fault("merge keys are not part of YAML 1.2", key.place, hint, "yaml-merge")
        elif first is not None:
            message = f"the key '{key.value}' stands twice, first in line {first[0].place.line}"
            self._fault(message, key.place, "remove or rename one of them", "yaml-duplicate")
        elif key.value or key.style:
            inside.entries[key.value] = (key, node)
