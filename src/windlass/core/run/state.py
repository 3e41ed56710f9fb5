"""
What a run is: its jobs, where each of them is, and every way it may move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from windlass.core.event import Event
from windlass.core.pipeline import Job


class State(StrEnum):
    """Where a job, or a whole run, is."""

    HELD = "held"
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED})

# Every way a job may move. What is not here cannot happen.
MOVES: Mapping[State, frozenset[State]] = {
    State.HELD: frozenset(),
    State.PENDING: frozenset({State.RUNNING, State.SKIPPED, State.CANCELLED}),
    State.RUNNING: frozenset(
        {State.WAITING, State.PENDING, State.SUCCEEDED, State.FAILED, State.CANCELLED}
    ),
    State.WAITING: frozenset({State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    **{state: frozenset() for state in ENDED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """What became of a step; `log` is where its lines begin in the job's log, in bytes."""

    started_at: float
    ended_at: float | None = None
    exit_code: int | None = None
    log: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """
    A job of a run. `action` is the part of the run whose result it counts for.

    `steps` has an entry for each step that started, the checkout first.
    `step` is the number of the step that decided a failure.
    """

    job: Job
    action: str
    state: State = State.PENDING
    attempt: int = 1
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    step: int | None = None
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepRun, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether its followers may start."""
        return self.state is State.SUCCEEDED or (
            self.state is State.FAILED and self.job.allow_failure
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    What one match started.

    `sha` is the commit in the workspace (for a pull request: its head merged into its base),
    `status_sha` the one that results stand on, `branch` the branch that admission asks
    about. `values` are the arguments of each inlined pipeline by its prefix.
    `unmergeable` says that there was no commit to run on: head and base do not merge.
    `limit` is how many runs of its concurrency group may be under way once it goes;
    `queued` says that it is held for such a place alone, and not for a person.
    """

    number: int
    repository: str
    event: Event
    listener: str
    sha: str
    status_sha: str
    config_sha: str
    branch: str
    jobs: Mapping[str, JobRun]
    state: State = State.RUNNING
    reason: str = ""
    trusted: bool = True
    cancelled_by: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    created_at: float = 0.0
    ended_at: float | None = None
    unmergeable: bool = False
    limit: int = 1
    queued: bool = False

    @property
    def actions(self) -> tuple[str, ...]:
        """The parts whose results are reported, in order."""
        return tuple(dict.fromkeys(job.action for job in self.jobs.values()))

    def action_state(self, action: str) -> State:
        """How one part stands: the whole run's rule, over its jobs alone."""
        return total([job for job in self.jobs.values() if job.action == action])


def total(jobs: Iterable[JobRun]) -> State:
    """The state of several jobs together."""
    states = {
        job.state for job in jobs if not (job.state is State.FAILED and job.job.allow_failure)
    }
    for state in (State.FAILED, State.CANCELLED):
        if state in states and states <= ENDED:
            return state
    if State.FAILED in states:
        return State.FAILED
    if not states <= ENDED:
        order = (State.RUNNING, State.WAITING, State.PENDING)
        return next((state for state in order if state in states), State.RUNNING)
    return State.SKIPPED if states == {State.SKIPPED} else State.SUCCEEDED
