"""
What a scalar of YAML 1.2 means (the core schema).

`on`, `yes` and `no` are texts, `true` is a truth, `3.10` is a number. A plain
scalar that is no text keeps the text it was written with, so that a version
`3.10` stays `3.10` wherever a text is wanted.

>>> plain("0o17"), plain("no"), plain("~")
(Plain('0o17', 15), 'no', None)
"""

from __future__ import annotations

import re
from typing import Self

from windlass.config.nodes import Entries, Items, Node, Scalar

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_NUMBER = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class Plain(str):
    """The text of a plain scalar that means a truth or a number, and what it means."""

    __slots__ = ("value",)
    value: bool | int | float

    def __new__(cls, text: str, value: bool | float) -> Self:  # noqa: FBT001
        """The text, with its meaning."""
        made = super().__new__(cls, text)
        made.value = value
        return made

    def __repr__(self) -> str:
        return f"Plain({str(self)!r}, {self.value!r})"


def plain(text: str) -> str | Plain | None:
    """What a plain scalar means."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return Plain(text, _TRUTH[text])
    if text[0] not in "+-.0123456789":
        return text
    if _WHOLE.fullmatch(text):
        return Plain(text, int(text, 0) if text[:2] in {"0o", "0x"} else int(text))
    if _NUMBER.fullmatch(text):
        return Plain(text, float(text.lower().replace(".inf", "inf").replace(".nan", "nan")))
    return text


def data(node: Node) -> object:
    """A node as lists, dicts, texts (some of them `Plain`) and None."""
    match node:
        case Scalar():
            return node.value if node.style else plain(node.value)
        case Items():
            return [data(item) for item in node.items]
        case Entries():
            return {key.value: data(value) for key, value in node.items}


def found(value: object) -> str:
    """What stands there, for a fault: `'yes'`, `a list`, `nothing`."""
    match value:
        case None:
            return "nothing"
        case str():
            text = value if len(value) <= 40 else value[:39] + "…"
            return f"'{text}'"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return repr(value)
