"""
What the API answers about listeners.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from windlass.cli.answers import Verdict


class Asked(msgspec.Struct, frozen=True):
    """A listener that was asked for."""

    delivery: str
    repository: str
    state: str


class Input(msgspec.Struct, frozen=True):
    """An input of a listener."""

    name: str
    type: str
    default: str | None
    required: bool
    options: list[str]
    description: str


class Listener(msgspec.Struct, frozen=True):
    """A listener, and what it did last."""

    name: str
    on: str
    conditions: list[str]
    place: str
    manual: bool
    shadow: bool
    inputs: list[Input]
    verdict: Verdict | None
    at: datetime | None
    run: int | None
    state: str


class Difference(msgspec.Struct, frozen=True):
    """A listener that would answer an event otherwise."""

    listener: str
    event: int
    title: str
    at: datetime
    path: str
    before: str
    after: str


class Differences(msgspec.Struct, frozen=True):
    """Differences of one kind."""

    events: int
    listeners: dict[str, int]
    items: list[Difference]


class Shadow(msgspec.Struct, frozen=True):
    """What a configuration would have done."""

    repository: str
    compared: int
    unchanged: int
    unknown: int
    cut: str
    starts: Differences
    stops: Differences
    changes: Differences
