"""
Whether a signed body is JSON that can only be read one way.

Strict: UTF-8, no NaN, no number beyond 64 bits, no name twice in an object, no
nesting beyond reason. Half a surrogate pair is the one thing that is mended, for
real commit messages have it: it becomes U+FFFD, and the delivery says so.

Most senders write compact JSON, which comes out as it went in; that is the quick
way, and only what does not is looked at closely.

>>> wellformed(b'{"a":1}')
Body(content=b'{"a":1}', note='')
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import orjson

from windlass.core.errors import BadDelivery

MENDED = "half surrogate pairs in it were replaced"
LARGEST = 1 << 63

_ESCAPE = re.compile(rb"\\(?:[^u]|u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
                     rb"|u[dD][89a-fA-F][0-9a-fA-F]{2}|u)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """A body that any reader understands alike; `note` says what had to be replaced."""

    content: bytes
    note: str = ""


def wellformed(body: bytes) -> Body:
    """The body, or `BadDelivery` with what is wrong and where."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        mended = _ESCAPE.sub(_whole, body)
        if mended == body:
            raise BadDelivery(f"the body is no JSON: {wrong}") from wrong
        return Body(wellformed(mended).content, MENDED)
    try:
        same = orjson.dumps(value) == body
    except orjson.JSONEncodeError as deep:
        raise BadDelivery("the body is no JSON: nested too deep") from deep
    if not same:
        _look_closely(body)
    return Body(body)


def _whole(escape: re.Match[bytes]) -> bytes:
    """An escape as it is, unless it is half of a pair."""
    text = escape[0]
    return rb"\ufffd" if len(text) == 6 and text[1:2] == b"u" else text


def _look_closely(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_once, parse_int=_fits)
    except (ValueError, RecursionError) as wrong:
        raise BadDelivery(f"the body is no JSON: {wrong}") from wrong


def _once(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadDelivery("the body has a name twice in one object")


def _fits(digits: str) -> int:
    if len(digits) > 20 or not -LARGEST <= int(digits) < 2 * LARGEST:
        raise BadDelivery("the body has a number beyond 64 bits")
    return int(digits)
