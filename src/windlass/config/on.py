"""
The forms of `on`: `push`, `[push, tag]`, `{pull_request: [merged]}`, `{schedule: "0 3 * * *"}`.

The inputs of `{manual: {inputs: {...}}}` are mappings of their own, read by `reading`.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from windlass.config.parameters import Input
from windlass.config.values import found
from windlass.config.words import At, expected, refuse
from windlass.core.event import ACTIONS, DEFAULT_ACTIONS, Kind
from windlass.core.filters import Trigger

Path = tuple[str | int, ...]
_SCHEDULE = ("cron", "zone", "missed")

KINDS = tuple(kind for kind in Kind if kind is not Kind.PING)

_NAMES = {
    3: ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    4: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)


def _on(value: object) -> tuple[Trigger, ...]:
    triggers = tuple(_entries(value, ()))
    if not triggers:
        raise expected(value, "an event such as push or pull_request")
    return triggers


def _entries(value: object, path: Path) -> Iterator[Trigger]:
    match value:
        case str():
            yield from _trigger(value, None, At(path))
        case list() if not path:
            for number, item in enumerate(value):
                yield from _entries(item, (number,))
        case dict():
            for kind, actions in value.items():
                yield from _trigger(kind, actions, At((*path, kind), key=True))
        case _:
            raise expected(value, "an event such as push or pull_request", at=At(path))


def _trigger(word: str, actions: object, at: At) -> Iterator[Trigger]:
    if word not in KINDS:
        raise _nearest(word, "event", tuple(map(str, KINDS)), at)
    kind = Kind(word)
    several = isinstance(actions, list)
    each = [
        (action, At((*at.path, number) if several else at.path))
        for number, action in enumerate(actions if isinstance(actions, list) else [actions])
    ]
    if kind is Kind.SCHEDULE:
        for cron, where in each:
            yield _schedule(cron, where)
    elif kind is Kind.MANUAL and isinstance(actions, dict):
        _manual(actions, at)
        yield Trigger(kind, DEFAULT_ACTIONS[kind])
    elif actions is None:
        yield Trigger(kind, DEFAULT_ACTIONS[kind])
    else:
        yield Trigger(kind, tuple(_action(kind, action, where) for action, where in each))


def _manual(value: dict[str, object], at: At) -> None:
    """What may stand beside the inputs, which is nothing."""
    for key in value:
        if key != "inputs":
            near = difflib.get_close_matches(str(key), ["inputs"], 1)
            more = f", did you mean '{near[0]}'?" if near else ""
            where = At((*at.path, key), key=True)
            message = f"unknown key '{key}' in manual{more}"
            raise refuse("unknown-key", message, hint="it may have: inputs", at=where)
    inputs = value.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        where = At((*at.path, "inputs"))
        hint = "inputs: {version: {type: string}}"
        raise expected(inputs, "a mapping of names", hint=hint, at=where)


def _action(kind: Kind, word: object, at: At) -> str:
    if word not in ACTIONS[kind]:
        raise _nearest(word, f"action of {kind}", ACTIONS[kind], at)
    return str(word)


def _nearest(word: object, what: str, words: tuple[str, ...], at: At) -> PydanticCustomError:
    hint = f"one of {', '.join(words)}"
    if not isinstance(word, str):
        return expected(word, f"an {what}", hint=hint, at=at)
    near = difflib.get_close_matches(word, words, 1)
    more = f", did you mean '{near[0]}'?" if near else ""
    return refuse("wrong-value", f"{found(word)} is no {what}{more}", hint=hint, at=at)


def _schedule(value: object, at: At) -> Trigger:
    """A cron text in UTC, or one with its zone and what becomes of ticks that were missed."""
    actions = DEFAULT_ACTIONS[Kind.SCHEDULE]
    if not isinstance(value, dict):
        return Trigger(Kind.SCHEDULE, actions, _cron(value, at))
    for key in value:
        if key not in _SCHEDULE:
            near = difflib.get_close_matches(str(key), _SCHEDULE, 1)
            more = f", did you mean '{near[0]}'?" if near else ""
            hint = f"it may have: {', '.join(_SCHEDULE)}"
            where = At((*at.path, key), key=True)
            message = f"unknown key '{key}' in a schedule{more}"
            raise refuse("unknown-key", message, hint=hint, at=where)
    if "cron" not in value:
        hint = 'schedule: {cron: "0 3 * * *", zone: Europe/Berlin}'
        raise refuse("missing-key", "a schedule needs 'cron'", hint=hint, at=at)
    missed = value.get("missed", "skip")
    if missed not in ("skip", "run"):
        raise expected(missed, "skip or run", at=At((*at.path, "missed")))
    return Trigger(
        Kind.SCHEDULE,
        actions,
        cron=_cron(value["cron"], At((*at.path, "cron"))),
        zone=_zone(value["zone"], At((*at.path, "zone"))) if "zone" in value else "",
        catch_up=missed == "run",
    )


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: object, at: At) -> str:
    """The name of a time zone; empty for UTC."""
    if isinstance(value, str) and value in _zones():
        return "" if value == "UTC" else value
    hint = "a name of the time zone database, such as Europe/Berlin, or UTC"
    if not isinstance(value, str):
        raise expected(value, "a time zone", hint=hint, at=at)
    by_lower = {zone.casefold(): zone for zone in _zones()}
    near = difflib.get_close_matches(value.casefold(), sorted(by_lower), 1)
    more = f", did you mean '{by_lower[near[0]]}'?" if near else ""
    raise refuse("wrong-value", f"{found(value)} is no time zone{more}", hint=hint, at=at)


def _cron(value: object, at: At) -> str:
    hint = 'minute, hour, day of the month, month, day of the week: "0 3 * * *"'
    if not isinstance(value, str):
        raise expected(value, "a schedule of five fields", hint=hint, at=at)
    fields = value.split()
    if len(fields) != len(_FIELDS):
        message = f"found {found(value)}, expected a schedule of five fields"
        raise refuse("wrong-value", message, hint=hint, at=at)
    for place, (text, (name, low, high)) in enumerate(zip(fields, _FIELDS, strict=True)):
        if not all(_fits(part, low, high, _NAMES.get(place, ())) for part in text.split(",")):
            message = f"'{text}' is no {name}, expected {low} to {high}, *, ranges and steps"
            raise refuse("wrong-value", message, hint=hint, at=at)
    return " ".join(fields)


def _fits(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    matched = re.fullmatch(r"(\*|\w{1,3})(?:-(\w{1,3}))?(?:/(\d{1,2}))?", part)
    if matched is None or (matched[1] == "*" and matched[2]):
        return False
    ends = [_number(end, low, names) for end in (matched[1], matched[2]) if end and end != "*"]
    inside = all(low <= end <= high for end in ends)
    return inside and ends == sorted(ends) and int(matched[3] or 1) > 0


def _number(word: str, low: int, names: tuple[str, ...]) -> int:
    if word.lower() in names:
        return names.index(word.lower()) + low
    return int(word) if word.isdecimal() and word.isascii() else -1


def _schema() -> dict[str, object]:
    """What an editor may offer for `on`."""
    kinds: dict[str, object] = {}
    for kind in KINDS:
        actions = {"enum": list(ACTIONS[kind])}
        some: list[object] = [actions, {"type": "array", "items": actions}, {"type": "null"}]
        if kind is Kind.SCHEDULE:
            text = {"type": "string"}
            keys = {"cron": text, "zone": text, "missed": {"enum": ["skip", "run"]}}
            whole: dict[str, object] = {"type": "object", "properties": keys}
            whole |= {"required": ["cron"], "additionalProperties": False}
            either: dict[str, object] = {"anyOf": [text, whole]}
            some = [text, whole, {"type": "array", "items": either}]
        if kind is Kind.MANUAL:
            each: dict[str, object] = {"anyOf": [Input.model_json_schema(), {"type": "null"}]}
            inputs: dict[str, object] = {"type": "object", "additionalProperties": each}
            whole = {"type": "object", "properties": {"inputs": inputs}}
            some.append(whole | {"additionalProperties": False})
        kinds[str(kind)] = {"anyOf": some}
    one = {"enum": [str(kind) for kind in KINDS if kind is not Kind.SCHEDULE]}
    by_kind = {"type": "object", "properties": kinds, "additionalProperties": False}
    return {"anyOf": [one, by_kind, {"type": "array", "items": {"anyOf": [one, by_kind]}}]}


On = Annotated[tuple[Trigger, ...], PlainValidator(_on), WithJsonSchema(_schema())]
