"""
From nodes to shapes, one listener, job, service or environment at a time.

What is wrong with one of them does not hide what is wrong with the others: a key
that does not fit is a fault and is left out, and the rest goes on to be checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from windlass.config.canonical import Findings, Kind, ListOf, MapOf, canonical, keys, unknown
from windlass.config.nodes import Document, Entries, Items, Node, Scalar
from windlass.config.parameters import Input
from windlass.config.shape import Shape
from windlass.config.shapes import Environment, File, Job, Listener, Pipeline, Service
from windlass.config.values import data, found
from windlass.config.words import At
from windlass.core.errors import Fault, Place

S = TypeVar("S", bound=Shape)

# A section, and what one of its entries is called.
SECTIONS = {
    "listeners": "listener",
    "pipelines": "pipeline",
    "services": "service",
    "environments": "environment",
}


@dataclass(frozen=True, slots=True)
class Unit(Generic[S]):
    """
    One named thing: its key, what was written, and its shape, None when it has none.

    `wrong` are keys that were left out of the shape, or have a stand-in there, because
    of a fault that has been told.
    """

    key: Scalar
    node: Node
    shape: S | None
    wrong: frozenset[str] = frozenset()

    def place(self, *path: str | int) -> Place:
        """Where the value at this path stands; as near as it goes when there is none."""
        return locate(self.node, path, self.key)[1].place

    def key_place(self, *path: str | int) -> Place:
        """Where the last key of this path stands."""
        _, value, key = locate(self.node, path, self.key)
        return key.place if path and isinstance(path[-1], str) else value.place


@dataclass(slots=True)
class Jobs:
    """The jobs of a pipeline, the last ones apart."""

    ordinary: dict[str, Unit[Job]] = field(default_factory=dict)
    final: dict[str, Unit[Job]] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """Everything that was written, by name, with what is wrong so far."""

    documents: Mapping[str, Document]
    findings: Findings = field(default_factory=Findings)
    listeners: dict[str, Unit[Listener]] = field(default_factory=dict)
    inputs: dict[str, dict[str, Unit[Input]]] = field(default_factory=dict)
    pipelines: dict[str, Unit[Pipeline]] = field(default_factory=dict)
    jobs: dict[str, Jobs] = field(default_factory=dict)
    services: dict[str, Unit[Service]] = field(default_factory=dict)
    environments: dict[str, Unit[Environment]] = field(default_factory=dict)

    def fault(self, message: str, place: Place, hint: str = "", *, code: str) -> None:
        """Remember what is wrong."""
        self.findings.faults.append(Fault(message, place, hint, code))


def read(documents: Iterable[Document]) -> Reading:
    """All that these documents say, as one."""
    reading = Reading({document.name: document for document in documents})
    for document in reading.documents.values():
        reading.findings.faults += document.faults
    sections = _sections(reading)
    for key, node in sections["listeners"].values():
        one = reading.listeners[key.value] = unit(reading, key, node, Listener)
        reading.inputs[key.value] = {
            name.value: _input(reading, name, value) for name, value in _inputs(one.node)
        }
    for key, node in sections["pipelines"].values():
        _pipeline(reading, key, node)
    for key, node in sections["services"].values():
        reading.services[key.value] = unit(reading, key, node, Service)
    for key, node in sections["environments"].values():
        reading.environments[key.value] = unit(reading, key, node, Environment)
    return reading


Entry = tuple[Scalar, Node]


def _sections(reading: Reading) -> dict[str, dict[str, Entry]]:
    sections: dict[str, dict[str, Entry]] = {name: {} for name in SECTIONS}
    for document in reading.documents.values():
        root = document.root
        if root is None or _empty(root):
            continue
        if not isinstance(root, Entries):
            wanted = ", ".join(SECTIONS)
            message = f"found {found(data(root))}, expected a mapping with {wanted}"
            reading.fault(message, root.place, code="wrong-type")
            continue
        for key, value in root.items:
            if key.value not in sections:
                reading.findings.faults.append(unknown(key, File))
            elif isinstance(value, Entries):
                _collect(reading, sections[key.value], SECTIONS[key.value], value)
            elif not _empty(value):
                message = f"found {found(data(value))}, expected a mapping of names"
                reading.fault(message, value.place, code="wrong-type")
    return sections


def _collect(reading: Reading, section: dict[str, Entry], what: str, node: Entries) -> None:
    for key, value in node.items:
        first = section.get(key.value)
        if first is None:
            section[key.value] = (key, value)
            continue
        message = f"the {what} '{key.value}' stands twice, first in {first[0].place}"
        reading.fault(message, key.place, "rename or remove one of them", code="duplicate-name")


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and data(node) is None


def _inputs(node: Node) -> Iterator[Entry]:
    """The inputs below the `on` of a listener, wherever they stand there."""
    entry = node.find("on") if isinstance(node, Entries) else None
    on = entry[1] if entry else None
    for part in on.items if isinstance(on, Items) else (on,):
        for name in ("manual", "inputs"):
            entry = part.find(name) if isinstance(part, Entries) else None
            part = entry[1] if entry else None  # noqa: PLW2901 - one step down
        if isinstance(part, Entries):
            yield from part.items


def _input(reading: Reading, key: Scalar, node: Node) -> Unit[Input]:
    """One input; `version:` alone is a text that must be given."""
    return unit(reading, key, Entries((), node.place) if _empty(node) else node, Input)


def _pipeline(reading: Reading, key: Scalar, node: Node) -> None:
    """A pipeline without its jobs, and each of its jobs by itself."""
    jobs = reading.jobs[key.value] = Jobs()
    if isinstance(node, Entries):
        for name, group in (("jobs", jobs.ordinary), ("finally", jobs.final)):
            entry = node.find(name)
            if entry is None or not isinstance(entry[1], Entries):
                continue
            for job, value in entry[1].items:
                group[job.value] = unit(reading, job, value, Job)
            bare = Entries((), entry[1].place)
            items = tuple((k, bare if v is entry[1] else v) for k, v in node.items)
            node = Entries(items, node.place)
    reading.pipelines[key.value] = unit(reading, key, node, Pipeline)


def unit(reading: Reading, key: Scalar, node: Node, shape: type[S]) -> Unit[S]:
    """One mapping in its shape; what does not fit is a fault, and left out."""
    node = canonical(node, shape, reading.findings)
    values = data(node)
    try:
        return Unit(key, node, shape.model_validate(values))
    except ValidationError as error:
        details = error.errors(include_url=False)
    about = _About(reading, node, key, shape)
    found = (_fault(detail, about) for detail in details)
    reading.findings.faults += (fault for fault in found if fault is not None)
    if not isinstance(values, dict):
        return Unit(key, node, None)
    paths = [detail["loc"] for detail in details]
    wrong = frozenset(str(path[0]) for path in paths if _left_out(values, path, shape))
    try:
        return Unit(key, node, shape.model_validate(values), wrong)
    except ValidationError:
        # What is wrong cannot be taken out by itself: all of its key is.
        wrong = frozenset(str(path[0]) for path in paths)
        for name in wrong:
            _left_out(values, (name,), shape)
        return Unit(key, node, shape.model_validate(values), wrong)


def _left_out(values: object, path: tuple[int | str, ...], kind: Kind) -> bool:
    """Take what stands at a path out, or put its stand-in there; whether all of its key went."""
    top, inside, name, shape = values, values, path[0], kind
    for part in path:
        if isinstance(values, dict) and (part in values or part is path[-1]):
            inside, name, shape = values, part, kind
            values, kind = values.get(part), _below(kind, str(part))
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            inside, name, shape = values, part, None
            values, kind = values[part], kind.each if isinstance(kind, ListOf) else None
    if not isinstance(inside, dict):
        return False
    stand_in = shape.STAND_INS.get(str(name)) if isinstance(shape, type) else None
    inside.pop(name, None)
    if stand_in is not None:
        inside[name] = stand_in
    return inside is top


@dataclass(frozen=True, slots=True)
class _About:
    reading: Reading
    node: Node
    key: Scalar
    shape: type[Shape]


def _fault(detail: ErrorDetails, about: _About) -> Fault | None:
    """The fault that a detail is; None when it only follows from another."""
    loc = detail["loc"]
    if detail["type"] == "missing":
        kind, node, key = locate(about.node, loc[:-1], about.key, about.shape)
        if node.place in about.reading.findings.reduced:
            return None
        shape = kind if isinstance(kind, type) else about.shape
        name = str(loc[-1])
        info = next(i for n, i in shape.model_fields.items() if (i.alias or n) == name)
        hint = f"{name}: {info.description}"
        return Fault(f"{shape.WHAT} needs '{name}'", key.place, hint, "missing-key")
    kind, node, key = locate(about.node, loc, about.key, about.shape)
    if detail["type"] == "windlass":
        context = detail["ctx"]
        at: At = context["at"]
        kind, node, key = locate(node, at.path, key)
        place = key.place if at.key else _inside(about.reading.documents, node, at.offset)
        return Fault(context["message"], place, context["hint"], context["code"])
    wanted = "a list" if detail["type"] == "list_type" else "a mapping"
    hint = f"it may have: {', '.join(keys(kind))}" if isinstance(kind, type) else ""
    place = key.place if _empty(node) else node.place
    return Fault(f"found {found(data(node))}, expected {wanted}", place, hint, "wrong-type")


def _inside(documents: Mapping[str, Document], node: Node, offset: int) -> Place:
    document = documents.get(node.place.file)
    if offset < 0 or document is None or not isinstance(node, Scalar):
        return node.place
    return document.inside(node, offset)


def locate(
    node: Node, path: Iterable[str | int], key: Scalar, kind: Kind = None
) -> tuple[Kind, Node, Scalar]:
    """What stands at a path: its kind, its node, and the nearest key above it."""
    for part in path:
        if isinstance(node, Entries) and (entry := node.find(str(part))) is not None:
            key, node = entry
            kind = _below(kind, str(part))
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            kind = kind.each if isinstance(kind, ListOf) else None
    return kind, node, key


def _below(kind: Kind, key: str) -> Kind:
    match kind:
        case MapOf(each):
            return each
        case type():
            return keys(kind).get(key)
        case _:
            return None
