"""
What a YAML file is made of here: scalars, lists and mappings that know their place.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.errors import Fault, Place


@dataclass(frozen=True, slots=True)
class Scalar:
    """
    One value.

    `style` is libyaml's: empty for a plain one, else `'`, `"`, `|` or `>`. `start` and
    `end` are characters of the text, counted from 0.
    """

    value: str
    style: str
    place: Place
    start: int = 0
    end: int = 0
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Entries:
    """
    A mapping, in the order it was written; a key stands there once.

    `end` is the character after it, for one that is written in braces (`flow`).
    """

    items: tuple[tuple[Scalar, Node], ...]
    place: Place
    weight: int = 1
    flow: bool = False
    end: int = 0

    def find(self, key: str) -> tuple[Scalar, Node] | None:
        """The entry of this key."""
        return next((entry for entry in self.items if entry[0].value == key), None)


Node = Scalar | Items | Entries


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says: its root (None when it says nothing), its text, and what is wrong."""

    name: str
    root: Node | None
    lines: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    def inside(self, scalar: Scalar, offset: int) -> Place:
        """Where the character `offset` of a scalar's value stands in the file."""
        place = scalar.place
        if scalar.style in {"|", ">"}:
            before = scalar.value[:offset]
            row = before.count("\n")
            line = place.line + 1 + row
            written = self.lines[line - 1] if line <= len(self.lines) else ""
            indent = len(written) - len(written.lstrip(" "))
            own = scalar.value.split("\n")[row]
            own_indent = len(own) - len(own.lstrip(" "))
            column = indent - own_indent + len(before) - (before.rfind("\n") + 1)
            return Place(place.file, line, column + 1)
        start = place.column - 1 + bool(scalar.style)
        if self.lines[place.line - 1][start : start + offset + 1] == scalar.value[: offset + 1]:
            return Place(place.file, place.line, start + offset + 1)
        return place
