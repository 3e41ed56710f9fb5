"""
The body of a webhook, read strictly.

Signed does not mean well formed. UTF-8 alone, one object, no key twice, nothing
deeper than `DEPTH`, no number that a reader could round; and every field has the
type that is asked for, or the whole delivery is a `BadDelivery` that names it.

>>> read(b'{"pull_request": {"number": 7}}').child("pull_request").number("number")
7
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import orjson

from windlass.core.errors import BadDelivery

T = TypeVar("T")

DEPTH = 64
LARGEST = 1 << 53

# Every string of a valid document, left to right; the group tells that it is a key.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"(?P<key>[ \t\r\n]*+:)?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the body, and the path that leads to it."""

    fields: dict[str, object]
    path: str = ""

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.fields.get(name) is not None

    def text(self, name: str) -> str:
        """A text that must be there."""
        return _wanted(self._at(name), self.optional(name))

    def optional(self, name: str) -> str | None:
        """A text, or None when it is missing or null."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a text")
        if value is not None and "\0" in value:
            raise self._wrong(name, "a text without NUL")
        return value

    def number(self, name: str) -> int:
        """A whole number, zero or more, that must be there."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(name, "a whole number")
        return value

    def moment(self, name: str) -> float | None:
        """UTC seconds, or None when missing or null."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise self._wrong(name, "a time")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false; missing or null is false."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return bool(value)

    def child(self, name: str) -> Node:
        """An object that must be there."""
        return _wanted(self._at(name), self.optional_child(name))

    def optional_child(self, name: str) -> Node | None:
        """An object, or None when it is missing or null."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Node(value, self._at(name))

    def children(self, name: str) -> tuple[Node, ...]:
        """A list of objects; none when missing or null."""
        found = []
        for index, item in enumerate(self._items(name)):
            if not isinstance(item, dict):
                raise self._wrong(f"{name}[{index}]", "an object")
            found.append(Node(item, f"{self._at(name)}[{index}]"))
        return tuple(found)

    def places(self, name: str) -> tuple[Node, ...]:
        """A list of objects, of which those that are null are left out."""
        given = [item for item in self._items(name) if item is not None]
        return Node({name: given}, self.path).children(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; none when missing or null."""
        found = []
        for index, item in enumerate(self._items(name)):
            if not isinstance(item, str) or "\0" in item:
                raise self._wrong(f"{name}[{index}]", "a text")
            found.append(item)
        return tuple(found)

    def _items(self, name: str) -> list[object]:
        value = self.fields.get(name)
        if value is not None and not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value or []

    def _wrong(self, name: str, expected: str) -> BadDelivery:
        return BadDelivery(f"{self._at(name)} is not {expected}")

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def _wanted(place: str, value: T | None) -> T:
    if value is None:
        raise BadDelivery(f"{place} is missing")
    return value


def read(body: bytes) -> Node:
    """The object that a body holds; `BadDelivery` when it is anything else."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadDelivery(f"the body is not JSON: {error}") from error
    if not isinstance(tree, dict):
        raise BadDelivery("the body is not a JSON object")
    if _keys(tree) != sum(1 for found in _STRING.finditer(body) if found["key"]):
        raise BadDelivery("the body has a key twice in one object")
    return Node(tree)


def _keys(tree: object) -> int:
    """How many keys there are in all objects; refuses what is too deep or rounded."""
    count, level, depth = 0, [tree], 0
    while level:
        depth += 1
        if depth > DEPTH:
            raise BadDelivery(f"the body is nested deeper than {DEPTH}")
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                count += len(value)
                below.extend(_grown(value.values()))
            elif isinstance(value, list):
                below.extend(_grown(value))
        level = below
    return count


def _grown(values: Iterable[object]) -> Iterator[object]:
    """The values that hold others."""
    for value in values:
        if isinstance(value, dict | list):
            yield value
        elif isinstance(value, float) and abs(value) >= LARGEST:
            raise BadDelivery("the body holds a number that is too large")
