"""
What a forge answered, and what that means for us.

>>> Answer(200, {"link": '<https://f.example/x?page=2>; rel="next"'}, b"[]").next
'https://f.example/x?page=2'
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import orjson

from windlass.core.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    Permanent,
    Transient,
)
from windlass.core.redact import mask_text

# A pause where the forge asks for one and does not say how long, in seconds.
PAUSE = 60.0
# What a person is shown of an error's own words, in characters.
WORDS = 300

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_LIMITED = re.compile(r"rate limit|abuse detection|too many requests", re.IGNORECASE)


class Denied(NotAllowed):
    """The forge does not let our credential do this; `status` is 401 or 403."""

    code = "forge-denied"

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body as JSON; `Transient` when it is none: a proxy's page, a cut answer."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Transient("the forge answered with something that is not JSON") from None

    @property
    def next(self) -> str:
        """The address of the next page; empty on the last."""
        found = _NEXT.search(self.headers.get("link", ""))
        return found[1] if found else ""


def judged(method: str, url: str, answer: Answer, secrets: Iterable[str], now: float) -> None:
    """Raise what an answer that is not 2xx means."""
    if 200 <= answer.status < 300:
        return
    place = f"{method} {urlsplit(url).hostname}{urlsplit(url).path}"
    said = mask_text(_words(answer), _parts(secrets))
    text = f"{place} was answered {answer.status}" + (f": {said}" if said else "")
    wait = pause(answer, now)
    match answer.status:
        case 429:
            raise Transient(text, retry_after=wait or PAUSE)
        case 403 if wait is not None or _LIMITED.search(said):
            raise Transient(text, retry_after=wait or PAUSE)
        case 401:
            hint = "the token is wrong, has expired or was revoked; store a new one"
            raise Denied(text, status=401, hint=f"{hint}: windlass repo token")
        case 403:
            hint = "the token lacks a right; see the how-to of this forge"
            raise Denied(text, status=403, hint=hint)
        case 404 | 410:
            raise NotFound(text, hint="check the address, and that the token may see it")
        case 409:
            raise Conflict(text)
        case 408 | 425 | 500 | 502 | 503 | 504:
            raise Transient(text, retry_after=wait)
        case status if 300 <= status < 400:
            raise Permanent(f"{text}: it has moved; connect it at its new address")
        case _:
            raise Permanent(text)


def pause(answer: Answer, now: float) -> float | None:
    """Seconds that the forge asks us to wait, None when it does not say."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    if text:
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - now)
        except (ValueError, TypeError):
            return PAUSE
    if answer.status in {403, 429} and left(answer) == 0:
        return max(0.0, reset(answer) - now)
    return None


def left(answer: Answer) -> int | None:
    """How many calls are left until `reset`, when the forge says so."""
    for name in ("x-ratelimit-remaining", "ratelimit-remaining"):
        if (text := answer.headers.get(name, "")).isdecimal():
            return int(text)
    return None


def reset(answer: Answer) -> float:
    """When there will be more calls, UTC seconds; 0 when it does not say."""
    for name in ("x-ratelimit-reset", "ratelimit-reset"):
        if (text := answer.headers.get(name, "")).isdecimal():
            return float(text)
    return 0.0


def _words(answer: Answer) -> str:
    """What an error says of itself, in whichever form forges say it."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    names = ("message", "error", "errors", "error_description")
    found = [text for name in names for text in _texts(said, name)]
    return "; ".join(dict.fromkeys(found))[:WORDS]


def _texts(said: object, key: str) -> list[str]:
    value = said.get(key) if isinstance(said, dict) else None
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name in value for text in _texts(value, name)] or [str(value)]
    if isinstance(value, list):
        return [one if isinstance(one, str) else "; ".join(_texts(one, "message")) for one in value]
    return []


def _parts(secrets: Iterable[str]) -> tuple[str, ...]:
    """The secrets in header values, without the scheme before them, and as they are decoded."""
    words = [word for text in secrets for word in text.split()]
    words += [part for word in words for part in _decoded(word).split(":")]
    return tuple(word for word in words if len(word) >= 8)


def _decoded(word: str) -> str:
    """What stands in a `Basic` header; empty for anything else."""
    try:
        return base64.b64decode(word, validate=True).decode()
    except ValueError:
        return ""
