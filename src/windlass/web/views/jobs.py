"""
Jobs and steps as people see them: names, states, how long.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.run import ENDED, JobRun, Run, State

CHECKOUT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step; `number` counts from 0, the checkout is -1. `log` is an offset in bytes."""

    number: int
    name: str
    state: State
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    log: int = 0


def steps_of(run: JobRun) -> tuple[StepView, ...]:
    """The steps of a job, those that have not started too."""
    names = ["checkout", *(step.name for step in run.job.steps)]
    count = max(len(run.steps), len(names) if run.job.steps else 0)
    return tuple(_step(run, names, place) for place in range(count))


def _step(run: JobRun, names: list[str], place: int) -> StepView:
    number = place + CHECKOUT
    name = names[place] if place < len(names) else f"step {place}"
    if place >= len(run.steps):
        idle = State.SKIPPED if run.state in ENDED else State.PENDING
        return StepView(number=number, name=name, state=idle)
    done = run.steps[place]
    return StepView(
        number=number,
        name=name,
        state=_step_state(run, place),
        started_at=done.started_at,
        ended_at=done.ended_at,
        exit_code=done.exit_code,
        log=done.log,
    )


def _step_state(run: JobRun, place: int) -> State:
    done = run.steps[place]
    if done.exit_code is not None:
        return State.SUCCEEDED if done.exit_code == 0 else State.FAILED
    if run.state not in ENDED:
        return State.RUNNING
    return State.CANCELLED if run.state is State.CANCELLED else State.FAILED


def first_of_interest(run: Run) -> str:
    """The job to show when none was asked for: a failed one, a running one, else the last."""
    for state in (State.FAILED, State.RUNNING, State.WAITING):
        for name, job in run.jobs.items():
            if job.state is state and not (state is State.FAILED and job.job.allow_failure):
                return name
    started = [name for name, job in run.jobs.items() if job.started_at is not None]
    return started[-1] if started else next(iter(run.jobs), "")
