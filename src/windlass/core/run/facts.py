"""
What can happen to a run. Facts may come twice, late and out of order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.core.run.state import State, StepRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A held run may go; `by` says who said so."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A held run is allowed, and waits for a place in its group; `reason` says whose."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMoved:
    """A job's steps went on: the whole list as it is now."""

    job: str
    attempt: int
    steps: tuple[StepRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWaits:
    """A deploy job waits for admission, and for what."""

    job: str
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResumed:
    """A deploy job was admitted and goes on."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded:
    """A job has ended. `lost` says that its worker went away, which has a retry rule of its own."""

    job: str
    attempt: int
    at: float
    state: State
    exit_code: int | None = None
    step: int | None = None
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepRun, ...] | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked:
    """A person, or a newer run, wants it ended."""

    by: str
    at: float
    reason: str = ""


Fact = Released | Queued | JobMoved | JobWaits | JobResumed | JobEnded | CancelAsked
