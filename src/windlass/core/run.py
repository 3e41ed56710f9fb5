"""
The life of a run.

A run is a graph of jobs that one match, or one person, started. Facts come in,
and `advance` answers with the next run and what to do about it. It reads no
clock and calls no one; a fact that comes twice, late or out of order and no
longer fits changes nothing. What may start is computed from what has ended.

Everything that moves a run is in this file: MOVES says every way a job may go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from windlass.core import graph
from windlass.core.event import Event
from windlass.core.expression import Program
from windlass.core.pipeline import Job, JobKind


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

    @property
    def actions(self) -> tuple[str, ...]:
        """The parts whose results are reported, in order."""
        return tuple(dict.fromkeys(job.action for job in self.jobs.values()))

    def action_state(self, action: str) -> State:
        """How one part stands: the whole run's rule, over its jobs alone."""
        return _total([job for job in self.jobs.values() if job.action == action])


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A held run may go; `by` says who said so."""

    by: str
    at: float


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


Fact = Released | JobMoved | JobWaits | JobResumed | JobEnded | CancelAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """Begin a job; a deploy asks for admission, a build is looked up first."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopJob:
    """End a job that may be running, or a deployment that waits."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Tell the forge how this action stands. A key, not a value: the truth is read when sending."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The run has ended: bring the comment up to date, let the next in its group go."""


Effect = StartJob | StopJob | Report | Finish


def create(run: Run) -> tuple[Run, tuple[Effect, ...]]:
    """The first effects of a new run; a held one only reports that it waits."""
    settled, effects = _settle(run, run.created_at)
    return settled, (*(Report(action=action) for action in run.actions), *effects)


def advance(run: Run, fact: Fact) -> tuple[Run, tuple[Effect, ...]]:
    """The next run, and what to do about it. A fact that does not fit changes nothing."""
    if run.state in ENDED:
        return run, ()
    after, effects, now = _apply(run, fact)
    if after is run:
        return run, ()
    settled, started = _settle(after, now)
    changed = (
        Report(action=action)
        for action in run.actions
        if run.action_state(action) is not settled.action_state(action)
        or (run.state is State.HELD) is not (settled.state is State.HELD)
    )
    return settled, (*effects, *started, *changed)


def _apply(run: Run, fact: Fact) -> tuple[Run, tuple[Effect, ...], float]:
    match fact:
        case Released():
            if run.state is not State.HELD:
                return run, (), fact.at
            return replace(run, state=State.RUNNING, reason=""), (), fact.at
        case CancelAsked():
            return (*_cancel(run, fact), fact.at)
        case JobMoved():
            return _patch(run, fact.job, fact.attempt, steps=fact.steps), (), 0.0
        case JobWaits():
            after = _move(run, fact.job, fact.attempt, State.WAITING)
            return _patch(after, fact.job, fact.attempt, reason=fact.reason), (), 0.0
        case JobResumed():
            after = _move(run, fact.job, fact.attempt, State.RUNNING)
            if after is run:
                return run, (), 0.0
            return _patch(after, fact.job, fact.attempt, reason=""), (), 0.0
        case JobEnded():
            return (*_end(run, fact), fact.at)
        case _:
            assert_never(fact)


def _find(run: Run, name: str, attempt: int) -> JobRun | None:
    job = run.jobs.get(name)
    return job if job is not None and job.attempt == attempt else None


def _with(run: Run, name: str, job: JobRun) -> Run:
    return replace(run, jobs={**run.jobs, name: job})


def _move(run: Run, name: str, attempt: int, to: State) -> Run:
    job = _find(run, name, attempt)
    if job is None or to not in MOVES[job.state]:
        return run
    return _with(run, name, replace(job, state=to))


def _patch(
    run: Run, name: str, attempt: int, *, steps: tuple[StepRun, ...] = (), reason: str | None = None
) -> Run:
    """Change what a job shows, not where it is; an ended job keeps its end."""
    job = _find(run, name, attempt)
    if job is None or job.state not in {State.RUNNING, State.WAITING}:
        return run
    after = replace(
        job,
        steps=steps if len(steps) >= len(job.steps) else job.steps,
        reason=job.reason if reason is None else reason,
    )
    return run if after == job else _with(run, name, after)


def _end(run: Run, fact: JobEnded) -> tuple[Run, tuple[Effect, ...]]:
    job = _find(run, fact.job, fact.attempt)
    if job is None or fact.state not in MOVES[job.state]:
        return run, ()
    again = (fact.lost and "worker_lost" in job.job.retry.when) or (
        fact.state is State.FAILED and not fact.lost and "failed" in job.job.retry.when
    )
    if again and job.attempt <= job.job.retry.max and not run.cancelled_by:
        fresh = JobRun(job=job.job, action=job.action, attempt=job.attempt + 1)
        return _with(run, fact.job, fresh), ()
    ended = replace(
        job,
        state=fact.state,
        ended_at=fact.at,
        exit_code=fact.exit_code,
        step=fact.step,
        reason=fact.reason,
        outputs=fact.outputs,
        steps=job.steps if fact.steps is None else fact.steps,
    )
    return _with(run, fact.job, ended), ()


def _cancel(run: Run, fact: CancelAsked) -> tuple[Run, tuple[Effect, ...]]:
    """Jobs that have not started end now; running ones are stopped, and say so themselves."""
    if run.cancelled_by:
        return run, ()
    reason = fact.reason or f"cancelled by {fact.by}"
    jobs = {
        name: replace(job, state=State.CANCELLED, ended_at=fact.at, reason=reason)
        if job.state is State.PENDING and not (job.job.final and run.state is not State.HELD)
        else job
        for name, job in run.jobs.items()
    }
    state = State.RUNNING if run.state is State.HELD else run.state
    stops = tuple(
        StopJob(job=name, attempt=job.attempt)
        for name, job in run.jobs.items()
        if job.state in {State.RUNNING, State.WAITING} and not job.job.final
    )
    return replace(run, jobs=jobs, state=state, cancelled_by=fact.by, reason=reason), stops


def _settle(run: Run, now: float) -> tuple[Run, tuple[Effect, ...]]:
    """Start what may start, skip what cannot, and end the run when all its jobs have ended."""
    if run.state is State.HELD:
        return run, ()
    starts: list[Effect] = []
    jobs = dict(run.jobs)
    moved = True
    while moved:
        moved = False
        for name in _ready(jobs):
            job = jobs[name]
            if (why := _barred(replace(run, jobs=jobs), job)) is None:
                jobs[name] = replace(job, state=State.RUNNING, started_at=now)
                starts.append(StartJob(job=name, attempt=job.attempt))
            else:
                jobs[name] = replace(job, state=State.SKIPPED, ended_at=now, reason=why)
                moved = True
    after = replace(run, jobs=jobs)
    if all(job.state in ENDED for job in jobs.values()):
        state = State.CANCELLED if run.cancelled_by else _total(list(jobs.values()))
        return replace(after, state=state, ended_at=now), (*starts, Finish())
    return after, tuple(starts)


def _ready(jobs: Mapping[str, JobRun]) -> tuple[str, ...]:
    """Jobs of which everything they wait for has ended, passed or not."""
    ordinary = {name for name, job in jobs.items() if not job.job.final}
    needs = {
        name: tuple(dict.fromkeys((*job.job.needs, *(sorted(ordinary) if job.job.final else ()))))
        for name, job in jobs.items()
    }
    ended = {name for name, job in jobs.items() if job.state in ENDED}
    touched = {name for name, job in jobs.items() if job.state is not State.PENDING}
    return graph.ready(needs, succeeded=ended, touched=touched)


def _barred(run: Run, job: JobRun) -> str | None:
    """Why a job whose turn has come does not start; None when it does."""
    failed = [
        name for name in job.job.needs if not run.jobs[name].passed
    ]
    condition = job.job.condition
    if not condition:
        if job.job.final or not failed:
            return None
        return f"{failed[0]} {run.jobs[failed[0]].state}"
    program = Program(condition)
    answer = program.decide(job_variables(run, job.job, any_failed=bool(failed)))
    if answer.failure:
        return f"if: {condition}: {answer.failure}"
    if not answer.value:
        return f"if: {condition} was false"
    if failed and not program.asks_status:
        return f"{failed[0]} {run.jobs[failed[0]].state}"
    return None


def job_variables(run: Run, job: Job, *, any_failed: bool = False) -> Mapping[str, object]:
    """What `${{ }}` and `if` of a job can see: event, with, needs, run, and how things stand."""
    prefix = job.name.rpartition("/")[0]
    inside = f"{prefix}/" if prefix else ""
    return {
        "event": run.event,
        "with": dict(run.values.get(prefix, {})),
        "needs": {
            name.removeprefix(inside): {
                "state": str(run.jobs[name].state),
                "outputs": dict(run.jobs[name].outputs),
            }
            for name in job.needs
        },
        "run": {"number": run.number, "sha": run.sha, "listener": run.listener},
        "service": job.service,
        "environment": job.environment,
        "failed": any_failed or any(
            other.state is State.FAILED and not other.passed
            for other in run.jobs.values() if job.final
        ),
    }


def _total(jobs: list[JobRun]) -> State:
    """The state of several jobs together."""
    states = {job.state for job in jobs if not (job.state is State.FAILED and job.job.allow_failure)}
    for state in (State.FAILED, State.CANCELLED):
        if state in states and states <= ENDED:
            return state
    if State.FAILED in states:
        return State.FAILED
    if not states <= ENDED:
        order = (State.RUNNING, State.WAITING, State.PENDING)
        return next((state for state in order if state in states), State.RUNNING)
    return State.SKIPPED if states == {State.SKIPPED} else State.SUCCEEDED


def deploys(run: Run) -> tuple[str, ...]:
    """Names of its jobs that change an environment."""
    return tuple(name for name, job in run.jobs.items() if job.job.kind is JobKind.DEPLOY)
