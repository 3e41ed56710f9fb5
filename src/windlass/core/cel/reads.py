"""
What an expression reads, and what was there: why a condition was false.

The paths are found in its words (`event.labels`, `headers["x-event"]`), and are looked
up in the values that it was asked about. What is shown of each is short, and never what
its name says is a secret; a map only says that it is one, for nobody asked what else it holds.

>>> from windlass.core.cel.tokens import tokens
>>> found = reads(tuple(tokens('"hold" in event.labels && has(event.tag)')), {"event"})
>>> told(found, {"event": {"labels": ["ui"]}})
'event.labels = ["ui"], event.tag = none'
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from windlass.core.cel.tokens import Token, called

# How many paths are shown, how many entries of a list, and how many characters of each value.
MOST, MOST_ENTRIES, LONGEST = 5, 8, 80

_NOTHING = object()
_PLAIN = re.compile(r"\"[^\"\\\n]*\"|'[^'\\\n]*'")
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|signature|authorization|cookie"
    r"|(?:api|access|private)[-_]?key",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Read:
    """A path as it is written, and its parts: the variable, then keys of maps and lists."""

    text: str
    parts: tuple[str | int, ...]


def reads(words: tuple[Token, ...], variables: Collection[str]) -> tuple[Read, ...]:
    """The paths that begin with one of these variables, each once, as they are written."""
    found: dict[Read, None] = {}
    at = 0
    while at < len(words):
        word = words[at]
        after_dot = at > 0 and words[at - 1].text == "."
        if word.kind != "word" or word.text not in variables or after_dot:
            at += 1
            continue
        parts: list[str | int] = [word.text]
        end = at + 1
        while (step := _step(words, end)) is not None:
            part, end = step
            parts.append(part)
        found[Read("".join(one.text for one in words[at:end]), tuple(parts))] = None
        at = end
    return tuple(found)


def told(found: tuple[Read, ...], values: Mapping[str, object]) -> str:
    """What was there, in words; empty when the expression reads nothing."""
    said = [f"{one.text} = {_shown(one, values)}" for one in found[:MOST]]
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(said) + more


def _step(words: tuple[Token, ...], at: int) -> tuple[str | int, int] | None:
    """The next part of a path, and where it ends: `.name`, `["name"]` or `[0]`."""
    signs = [word.text for word in words[at : at + 3]]
    if len(signs) > 1 and signs[0] == "." and words[at + 1].kind == "word":
        return None if called(words, at + 1) else (signs[1], at + 2)
    if len(signs) < 3 or signs[0] != "[" or signs[2] != "]":
        return None
    if _PLAIN.fullmatch(signs[1]):
        return signs[1][1:-1], at + 3
    digits = signs[1].isascii() and signs[1].isdigit() and len(signs[1]) < 10
    return (int(signs[1]), at + 3) if digits else None


def _shown(one: Read, values: Mapping[str, object]) -> str:
    value: object = values
    for part in one.parts:
        value = _entry(value, part)
    secret = any(isinstance(part, str) and _SECRET.search(part) for part in one.parts)
    return "***" if secret and value is not _NOTHING else _text(value)


def _entry(value: object, part: str | int) -> object:
    match value, part:
        case Mapping(), str():
            return value.get(part, _NOTHING)
        case [*entries], int() if part < len(entries):
            return entries[part]
        case _:
            return _NOTHING


def _text(value: object) -> str:
    if value is _NOTHING:
        return "none"
    if not isinstance(value, list):
        return _short(_one(value))
    more = f" and {len(value) - MOST_ENTRIES} more" if len(value) > MOST_ENTRIES else ""
    return _short(f"[{', '.join(map(_one, value[:MOST_ENTRIES]))}{more}]")


def _one(value: object) -> str:
    match value:
        case Mapping():
            return "{...}"
        case list():
            return "[...]"
        case str():
            # What is too long to be shown need not be written out, and halves of characters
            # can be neither stored nor sent.
            tame = value[: LONGEST + 1].encode("utf-8", "replace").decode("utf-8")
            return json.dumps(tame, ensure_ascii=False)
        case _:
            return json.dumps(value, default=str)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
