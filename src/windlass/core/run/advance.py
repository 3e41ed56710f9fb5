"""
The life of a run.

Facts come in, and `advance` answers with the next run and what to do about it.
It reads no clock and calls no one; a fact that no longer fits changes nothing.
What may start is computed from what has ended. Everything that moves a run is
in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from windlass.core import graph
from windlass.core.expression import Program
from windlass.core.run.effects import Effect, Finish, Report, StartJob, StopJob
from windlass.core.run.facts import (
    CancelAsked,
    Fact,
    JobEnded,
    JobMoved,
    JobResumed,
    JobWaits,
    Queued,
    Released,
)
from windlass.core.run.state import ENDED, MOVES, JobRun, Run, State, StepRun, total
from windlass.core.run.variables import job_variables

_UNDER_WAY = frozenset({State.RUNNING, State.WAITING})


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
        or run.queued is not settled.queued
    )
    return settled, (*effects, *started, *changed)


def _apply(run: Run, fact: Fact) -> tuple[Run, tuple[Effect, ...], float]:
    match fact:
        case Released() | Queued():
            return _allow(run, fact), (), fact.at
        case CancelAsked():
            return (*_cancel(run, fact), fact.at)
        case JobMoved():
            return _patch(run, fact.job, fact.attempt, steps=fact.steps), (), 0.0
        case JobWaits():
            after = _move(run, fact, State.RUNNING, State.WAITING)
            return _patch(after, fact.job, fact.attempt, reason=fact.reason), (), 0.0
        case JobResumed():
            after = _move(run, fact, State.WAITING, State.RUNNING)
            if after is run:
                return run, (), 0.0
            return _patch(after, fact.job, fact.attempt, reason=""), (), 0.0
        case JobEnded():
            return (*_end(run, fact), fact.at)
        case _:
            assert_never(fact)


def _allow(run: Run, fact: Released | Queued) -> Run:
    """A held run goes, or waits from now on for a place alone."""
    if run.state is not State.HELD:
        return run
    if isinstance(fact, Released):
        return replace(run, state=State.RUNNING, reason="", queued=False)
    return run if run.queued else replace(run, queued=True, reason=fact.reason)


def _find(run: Run, name: str, attempt: int) -> JobRun | None:
    job = run.jobs.get(name)
    return job if job is not None and job.attempt == attempt else None


def _with(run: Run, name: str, job: JobRun) -> Run:
    return replace(run, jobs={**run.jobs, name: job})


def _move(run: Run, fact: JobWaits | JobResumed, start: State, to: State) -> Run:
    job = _find(run, fact.job, fact.attempt)
    if job is None or job.state is not start:
        return run
    return _with(run, fact.job, replace(job, state=to))


def _patch(
    run: Run, name: str, attempt: int, *, steps: tuple[StepRun, ...] = (), reason: str | None = None
) -> Run:
    """Change what a job shows, not where it is; an ended job keeps its end."""
    job = _find(run, name, attempt)
    if job is None or job.state not in _UNDER_WAY:
        return run
    after = replace(
        job,
        steps=steps if len(steps) >= len(job.steps) else job.steps,
        reason=job.reason if reason is None else reason,
    )
    return run if after == job else _with(run, name, after)


def _end(run: Run, fact: JobEnded) -> tuple[Run, tuple[Effect, ...]]:
    job = _find(run, fact.job, fact.attempt)
    if job is None or job.state not in _UNDER_WAY or fact.state not in ENDED & MOVES[job.state]:
        return run, ()
    again = (fact.lost and "worker_lost" in job.job.retry.when) or (
        fact.state is State.FAILED and not fact.lost and "failed" in job.job.retry.when
    )
    # What waited for admission never worked, so its end is an answer and no failure to try again.
    fits = job.state is State.RUNNING and job.attempt <= job.job.retry.max
    if again and fits and not run.cancelled_by:
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
        if job.state in _UNDER_WAY and not job.job.final
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
        state = State.CANCELLED if run.cancelled_by else total(list(jobs.values()))
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
    failed = [name for name in job.job.needs if not run.jobs[name].passed]
    condition = job.job.condition
    if not condition:
        if job.job.final or not failed:
            return None
        return f"{failed[0]} {run.jobs[failed[0]].state}"
    program = Program(condition)
    any_failed = any(_went_wrong(run, name) for name in job.job.needs)
    answer = program.decide(job_variables(run, job.job, any_failed=any_failed))
    if answer.failure:
        return f"if: {condition}: {answer.failure}"
    if not answer.value:
        return f"if: {condition} was false"
    if failed and not program.asks_status and not job.job.final:
        return f"{failed[0]} {run.jobs[failed[0]].state}"
    return None


def _went_wrong(run: Run, name: str) -> bool:
    """Whether a job failed, or was skipped because one before it had; `if` false is no failure."""
    job = run.jobs[name]
    if job.state is State.SKIPPED:
        return any(_went_wrong(run, need) for need in job.job.needs)
    return job.state is State.FAILED and not job.passed
