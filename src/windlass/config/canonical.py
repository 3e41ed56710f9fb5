"""
The canonical form of what was written: synonyms renamed, keys that do not belong taken out.

Walks the nodes along the shapes. What it takes out is a fault, what it renames a
note, and each note comes with the edit that `windlass lint --fix` makes.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from windlass.config.nodes import Entries, Items, Node, Scalar
from windlass.config.shape import Shape
from windlass.config.shapes import Job
from windlass.core.errors import Fault, Place


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names to this kind."""

    each: Kind


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of this kind."""

    each: Kind


# What a value is made of; None is a value without keys of its own.
Kind = type[Shape] | MapOf | ListOf | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from `start` to `end` of a file by `text`."""

    file: str
    start: int
    end: int
    text: str


@dataclass(slots=True)
class Findings:
    """
    What the walk found: faults, notes about synonyms, and the edits that remove them.

    `reduced` are the places of mappings that lost a key, so that nobody asks for more.
    """

    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    edits: set[Edit] = field(default_factory=set)
    reduced: set[Place] = field(default_factory=set)


@cache
def keys(shape: type[Shape]) -> dict[str, Kind]:
    """The keys of a shape, in the order of the reference, and what each is made of."""
    return {
        info.alias or name: kind_of(info.annotation) for name, info in shape.model_fields.items()
    }


def kind_of(annotation: object) -> Kind:
    """What a type of `words` or `shapes` is made of."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(arguments[0])
    if origin in {Union, UnionType}:
        return next((kind for each in arguments if (kind := kind_of(each)) is not None), None)
    if origin is dict:
        return MapOf(kind_of(arguments[1]))
    if origin is list:
        inner = kind_of(arguments[0])
        return ListOf(inner) if inner is not None else None
    if inspect.isclass(annotation) and issubclass(annotation, Shape):
        return annotation
    return None


def canonical(node: Node, kind: Kind, findings: Findings) -> Node:
    """The node with canonical keys only."""
    match node, kind:
        case Entries(), MapOf(each):
            items = tuple((key, canonical(value, each, findings)) for key, value in node.items)
            return replace(node, items=items)
        case Items(), ListOf(each):
            return replace(node, items=tuple(canonical(v, each, findings) for v in node.items))
        case Entries(), type():
            return replace(node, items=tuple(_entries(node, kind, findings)))
        case _:
            return node


def _entries(
    node: Entries, shape: type[Shape], findings: Findings
) -> Iterator[tuple[Scalar, Node]]:
    known = keys(shape)
    for written, value in node.items:
        key, value = _renamed(node, written, value, shape, findings)  # noqa: PLW2901
        if key is None:
            continue
        name = key.value
        if name in shape.ABSENT:
            message = f"'{name}' is not available in this version"
            fault = Fault(message, written.place, shape.ABSENT[name], "not-available")
            findings.faults.append(fault)
            findings.reduced.add(node.place)
        elif name not in known:
            findings.faults.append(unknown(key, shape))
            findings.reduced.add(node.place)
        else:
            yield key, canonical(value, known[name], findings)


def unknown(key: Scalar, shape: type[Shape]) -> Fault:
    """The fault of a key that a shape does not have."""
    known = tuple(keys(shape))
    near = difflib.get_close_matches(key.value, (*known, *shape.ABSENT, *shape.SYNONYMS), 1)
    meant = shape.SYNONYMS.get(near[0], near[0]) if near else ""
    more = f", did you mean '{meant}'?" if meant else ""
    hint = shape.MISPLACED.get(key.value) or f"it may have: {', '.join(known)}"
    return Fault(f"unknown key '{key.value}' in {shape.WHAT}{more}", key.place, hint, "unknown-key")


def _renamed(
    node: Entries, key: Scalar, value: Node, shape: type[Shape], findings: Findings
) -> tuple[Scalar | None, Node]:
    """The canonical key and value; no key when the canonical one stands there as well."""
    if shape is Job and key.value == "strategy" and isinstance(value, Entries):
        inner = value.find("matrix")
        if inner is not None and len(value.items) == 1:
            findings.edits.update(_unwrapped(key, value, inner[0], inner[1]))
            return _noted(key, "matrix", findings), inner[1]
    name = shape.SYNONYMS.get(key.value)
    if name is None:
        return key, value
    if node.find(name) is not None:
        message = f"'{key.value}' means '{name}', which stands there as well"
        findings.faults.append(Fault(message, key.place, f"remove '{key.value}'", "synonym-twice"))
        return None, value
    findings.edits.add(Edit(key.place.file, key.start, key.end, name))
    if key.value == "timeout-minutes" and isinstance(value, Scalar) and value.value.isdecimal():
        minutes = replace(value, value=f"{value.value}m")
        findings.edits.add(Edit(key.place.file, value.start, value.end, minutes.value))
        return _noted(key, name, findings), minutes
    return _noted(key, name, findings), value


def _noted(key: Scalar, name: str, findings: Findings) -> Scalar:
    message = f"'{key.value}' is read as '{name}'"
    hint = "windlass lint --fix writes the canonical word"
    findings.notes.append(Fault(message, key.place, hint, "synonym"))
    return replace(key, value=name)


def _unwrapped(key: Scalar, value: Entries, inner: Scalar, content: Node) -> Iterator[Edit]:
    """`strategy: {matrix: ...}` without its outer mapping; a block keeps its deeper indentation."""
    file = key.place.file
    yield Edit(file, key.start, inner.end, "matrix")
    if value.flow and isinstance(content, Entries) and content.flow:
        yield Edit(file, content.end, value.end, "")
