"""
What a YAML file is made of here: scalars, lists and mappings that know their place.
"""

from __future__ import annotations

from collections.abc import Iterator
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
        """
        Where the character `offset` of a scalar's value stands in the file.

        Where escapes make that unclear, it is where the scalar begins.
        """
        place = scalar.place
        at = 0
        for row, (start, content) in enumerate(self._written(scalar)):
            found = scalar.value.find(content, at) if content else -1
            if found < 0:
                continue
            if offset < found:
                break
            if offset <= found + len(content):
                line = place.line + row + (scalar.style in {"|", ">"})
                return Place(place.file, line, start + offset - found + 1)
            at = found + len(content)
        return place

    def _written(self, scalar: Scalar) -> Iterator[tuple[int, str]]:
        """The lines of a scalar, each with the column (from 0) at which it begins."""
        first = scalar.place.line - 1
        start = scalar.place.column - 1 + bool(scalar.style)
        if scalar.style not in {"|", ">"}:
            text = self.lines[first][start:]
            end = scalar.end - scalar.start - 2 * bool(scalar.style)
            yield start, text[:end].rstrip(" ")
        for line in self.lines[first + 1 :]:
            content = line.strip(" ")
            yield len(line) - len(line.lstrip(" ")), content
