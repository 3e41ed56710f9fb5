"""
The words of an expression, and what could make one evaluation cost far more than its length.

The library bounds the number of iterations, not what one of them costs, and gives
memory back only at the end. So inside `exists`, `all`, `map` and `filter` nothing
may make new texts or long lists, and nothing may walk over another list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LIMIT_LENGTH = 2_000
LIMIT_JOINS = 16
LIMIT_COMMAS = 64

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>[rRbB]{0,2}(?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''
        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<word>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<number>[0-9][0-9A-Za-z_.]*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_LOOPS = frozenset({"exists", "exists_one", "all", "map", "filter"})
_COSTLY = frozenset({"bytes", "glob", "string", "timestamp", "duration"})
_INSIDE = "inside exists(), all(), map() or filter()"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with an expression, and at which character (from 0)."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign; `kind` is text, word, number or sign."""

    kind: str
    text: str
    offset: int


def tokens(text: str) -> Iterator[Token]:
    """The words and signs of an expression, without its spaces and comments."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "sign"
        if kind != "space":
            yield Token(kind, found.group(), found.start())


def called(words: tuple[Token, ...], at: int) -> str:
    """The name of the function that is called at this word; empty when none is."""
    word = words[at]
    follows = words[at + 1].text if at + 1 < len(words) else ""
    return word.text if word.kind == "word" and follows == "(" else ""


def costly(text: str, words: tuple[Token, ...]) -> Flaw | None:
    """The first thing in an expression that could cost far more than its length."""
    if len(text) > LIMIT_LENGTH:
        message = f"it has {len(text)} characters, and may have {LIMIT_LENGTH}"
        return Flaw(message, 0)
    joins, commas = 0, 0
    for at, looping in enumerate(_looping(words)):
        word = words[at]
        if word.kind == "sign" and word.text == "+":
            joins += 1
            if looping or joins > LIMIT_JOINS:
                where = _INSIDE if looping else f"more than {LIMIT_JOINS} times"
                return Flaw(f"'+' cannot be used {where}, for texts could grow", word.offset)
        if not looping:
            continue
        commas += word.kind == "sign" and word.text == ","
        if commas > LIMIT_COMMAS:
            return Flaw(f"more than {LIMIT_COMMAS} commas {_INSIDE}", word.offset)
        if called(words, at) in _COSTLY:
            return Flaw(f"{word.text}() cannot be used {_INSIDE}", word.offset)
    return None


def _looping(words: tuple[Token, ...]) -> Iterator[bool]:
    """For each word, whether it stands inside a macro that runs once for each entry."""
    brackets: list[bool] = []
    for at, word in enumerate(words):
        yield any(brackets)
        if word.kind != "sign":
            continue
        if word.text in {"(", "[", "{"}:
            method = at > 1 and words[at - 2].text == "." and words[at - 1].text in _LOOPS
            brackets.append(method and word.text == "(")
        elif word.text in {")", "]", "}"} and brackets:
            brackets.pop()
