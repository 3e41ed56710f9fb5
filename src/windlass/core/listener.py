"""
Listeners: on this event, under these conditions, do these actions.

`places` says where each condition stands in the file, so that a verdict can
name the line that decided it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.core.errors import Place
from windlass.core.event import Kind
from windlass.core.pipeline import Action


@dataclass(frozen=True, slots=True)
class Trigger:
    """One entry of `on`: a kind of event, and which of its actions."""

    kind: Kind
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Runs of one group go one at a time; `group` may hold `${{ }}`."""

    group: str
    cancel_in_progress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """
    What a team wrote under `listeners`.

    Empty tuples and None mean "no condition". Globs are gitignore-like and a
    leading `!` takes back. `condition` is the CEL text of `if`.
    `places` maps a condition's key (`on`, `branches`, `paths`, `if` ...) to its place.
    """

    name: str
    on: tuple[Trigger, ...]
    actions: tuple[Action, ...]
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    draft: bool | None = None
    paths: tuple[str, ...] = ()
    condition: str = ""
    concurrency: Concurrency | None = None
    place: Place = Place(".windlass.yaml", 1, 1)
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """The listener starts its actions."""


@dataclass(frozen=True, slots=True)
class Miss:
    """The first condition that was false: what it wanted, what was there, and where it stands."""

    condition: str
    expected: str
    actual: str
    place: Place


Verdict = Match | Miss
