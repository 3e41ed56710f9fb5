"""
What the conditions of a listener are asked, what they are, and what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.core.errors import Place
from windlass.core.event import ACTIONS, Event, Kind
from windlass.core.pipeline import Parameter


@dataclass(frozen=True, slots=True)
class Trigger:
    """
    One entry of `on`: a kind of event, which of its actions, and when (`schedule` only).

    `zone` is the time zone of `cron`, UTC when empty; `catch_up` says that ticks which
    passed while no server was there start it once. `inputs` are what a person is asked
    for (`manual` only).
    """

    kind: Kind
    actions: tuple[str, ...]
    cron: str = ""
    zone: str = ""
    catch_up: bool = False
    inputs: tuple[Parameter, ...] = ()

    @property
    def schedule(self) -> str:
        """The schedule with its zone, as `event.schedule` has it."""
        return f"{self.cron} {self.zone}".strip()


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


@dataclass(frozen=True, slots=True)
class Open:
    """No verdict yet: the condition that must know something, and in words what nobody has told."""

    condition: str
    expected: str
    place: Place
    unknown: str = "the changed files are not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """
    What of a listener decides whether it starts.

    Empty tuples and None mean "no condition". Globs are gitignore-like and a
    leading `!` takes back. `condition` is the CEL text of `if`.
    `unless` names what keeps a push from starting it. `own` lets commits start it that
    Windlass made itself. `places` maps a condition's key (`on`, `branches`, `paths`,
    `if` ...) to its place. `name` is the listener's own, by which a person asks for it.
    """

    on: tuple[Trigger, ...]
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    draft: bool | None = None
    paths: tuple[str, ...] = ()
    condition: str = ""
    unless: str = ""
    own: bool = False
    name: str = ""
    place: Place = Place(".windlass.yaml", 1, 1)
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def manual(self) -> bool:
        """Whether a person may ask for it."""
        return any(trigger.kind is Kind.MANUAL for trigger in self.on)

    @property
    def inputs(self) -> tuple[Parameter, ...]:
        """What such a person is asked for."""
        return tuple(one for trigger in self.on for one in trigger.inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    One event, and what conditions may ask about it.

    `payload` is the parsed JSON body, or its bytes. `files` are the changed files,
    complete, or None while they are not known. `pull` is the number of the open pull
    request whose head is the pushed branch, 0 when there is none, None while nobody knows.
    """

    event: Event
    payload: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] | None = None
    repository_active: bool = True
    pull: int | None = None


def trigger_text(trigger: Trigger) -> str:
    """A trigger as a person writes it: `push`, `pull_request merged`, `schedule "0 3 * * *"`."""
    if trigger.cron:
        return f'{trigger.kind} "{trigger.schedule}"'
    single = len(ACTIONS[trigger.kind]) == 1
    return str(trigger.kind) if single else f"{trigger.kind} {'/'.join(trigger.actions)}"
