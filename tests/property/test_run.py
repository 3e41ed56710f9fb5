"""
The run as a machine that is told things in any order, twice, late, and of attempts long gone.

Every fact goes through `RunMachine.take`, which holds the step that it makes
against the promises; at the end the machine tells the end of whatever still runs,
and the run has to end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from windlass.core.event import Event, Kind
from windlass.core.pipeline import Job, JobKind, Retry
from windlass.core.run import (
    ENDED,
    MOVES,
    CancelAsked,
    Finish,
    JobEnded,
    JobMoved,
    JobResumed,
    JobRun,
    JobWaits,
    Queued,
    Released,
    Report,
    Run,
    StartJob,
    State,
    StepRun,
    StopJob,
    advance,
    create,
)

PUSH = Event(kind=Kind.PUSH, action="pushed", repository="r", branch="FB1")
NAMES = [f"j{n}" for n in range(8)]
TRUE, FALSE = 'event.branch == "FB1"', 'event.branch == "main"'
CONDITIONS = ["", "", "always()", "failed()", TRUE, FALSE]
RETRIES = [(), ("worker_lost",), ("failed",), ("worker_lost", "failed")]
UNDER_WAY = {State.RUNNING, State.WAITING}

names = st.sampled_from(NAMES)
attempts = st.integers(1, 3)
times = st.floats(1, 1000)


class Shape(NamedTuple):
    """A job in short."""

    needs: tuple[int, ...] = ()
    condition: str = ""
    allow_failure: bool = False
    retry: tuple[str, ...] = ()
    most: int = 1
    deploys: bool = False


shapes = st.builds(
    Shape,
    needs=st.lists(st.integers(1, 7), unique=True, max_size=3).map(tuple),
    condition=st.sampled_from(CONDITIONS),
    allow_failure=st.booleans(),
    retry=st.sampled_from(RETRIES),
    most=st.integers(0, 2),
    deploys=st.booleans(),
)
ordinary = st.lists(shapes, min_size=1, max_size=6)
finals = st.lists(shapes, max_size=2)


def made(shapes, last, *, held):
    """A run that has not begun: jobs that need some of those before them, then the final ones."""
    jobs: dict[str, JobRun] = {}
    for at, shape in enumerate([*shapes, *last]):
        final = at >= len(shapes)
        before = {at - back for back in shape.needs if back <= at}
        job = Job(
            name=NAMES[at],
            kind=JobKind.DEPLOY if shape.deploys else JobKind.STEPS,
            needs=tuple(NAMES[n] for n in (range(len(shapes)) if final else sorted(before))),
            condition=shape.condition,
            allow_failure=shape.allow_failure,
            retry=Retry(max=shape.most, when=shape.retry),
            final=final,
        )
        action = "deploy/dev" if shape.deploys else "pipeline/ci"
        jobs[job.name] = JobRun(job=job, action=action)
    return Run(
        number=1,
        repository="r",
        event=PUSH,
        listener="l",
        sha="c" * 40,
        status_sha="c" * 40,
        config_sha="c" * 40,
        branch="FB1",
        jobs=jobs,
        state=State.HELD if held else State.RUNNING,
    )


ends = st.builds(
    JobEnded,
    job=names,
    attempt=attempts,
    at=times,
    state=st.sampled_from([State.SUCCEEDED, State.FAILED, State.CANCELLED]),
    reason=st.sampled_from(["", "why"]),
    lost=st.booleans(),
)
facts = st.one_of(
    ends,
    ends,
    st.builds(JobWaits, job=names, attempt=attempts, reason=st.sampled_from(["order", "lock"])),
    st.builds(JobResumed, job=names, attempt=attempts),
    st.builds(
        JobMoved,
        job=names,
        attempt=attempts,
        steps=st.lists(st.builds(StepRun, started_at=times), max_size=2).map(tuple),
    ),
    st.builds(Released, by=st.just("ada"), at=times),
    st.builds(Queued, reason=st.just("waits for run 1"), at=times),
)


def went_wrong(run, name):
    """Whether a job failed, or was skipped because one before it had."""
    job = run.jobs[name]
    if job.state is State.SKIPPED:
        return any(went_wrong(run, need) for need in job.job.needs)
    return job.state is State.FAILED and not job.job.allow_failure


def should_start(run, job):
    """The rule of `needs`, `if` and `finally`, said once more in other words."""
    passed = all(run.jobs[name].passed for name in job.job.needs)
    match job.job.condition:
        case "always()":
            return True
        case "failed()":
            anyone = run.jobs if job.job.final else job.job.needs
            return any(went_wrong(run, name) for name in anyone)
        case condition if condition == FALSE:
            return False
        case _:
            return passed or job.job.final


def moved_as_allowed(old, new):
    """By one of MOVES, or back to the start and on from there with a new attempt."""
    if new.attempt == old.attempt:
        return new.state is old.state or new.state in MOVES[old.state]
    again = State.PENDING in MOVES[old.state] and new.attempt == old.attempt + 1
    return again and (new.state is State.PENDING or new.state in MOVES[State.PENDING])


def is_retried(run, fact):
    """Whether this end of a job that runs gives it another attempt."""
    job = run.jobs[fact.job]
    rule = "worker_lost" if fact.lost else "failed" if fact.state is State.FAILED else ""
    fits = rule in job.job.retry.when and job.attempt <= job.job.retry.max
    return job.state is State.RUNNING and fits and not run.cancelled_by


def total(run):
    """How a run stands whose jobs have all ended."""
    states = [
        job.state
        for job in run.jobs.values()
        if not (job.state is State.FAILED and job.job.allow_failure)
    ]
    if run.cancelled_by or (State.CANCELLED in states and State.FAILED not in states):
        return State.CANCELLED
    if State.FAILED in states:
        return State.FAILED
    skipped = states and set(states) == {State.SKIPPED}
    return State.SKIPPED if skipped else State.SUCCEEDED


@dataclass
class Told:
    """Everything the run wanted so far."""

    starts: set[tuple[str, int]]
    finished: int = 0


class RunMachine(RuleBasedStateMachine):
    """One run, from its creation to its end."""

    run: Run

    @initialize(shapes=ordinary, last=finals, held=st.sampled_from([False, False, True]))
    def begin(self, shapes, last, held):
        drawn = made(shapes, last, held=held)
        self.told = Told(set())
        self.held = held
        self.run, effects = create(drawn)
        reports = [one.action for one in effects if isinstance(one, Report)]
        assert reports == list(drawn.actions), "a new run tells the forge of every action once"
        self.check_starts(drawn, effects)

    @precondition(lambda self: hasattr(self, "run"))
    @rule(fact=facts)
    def anything(self, fact):
        self.take(fact)

    @precondition(lambda self: hasattr(self, "run"))
    @rule(data=st.data(), state=st.sampled_from([State.SUCCEEDED, State.FAILED]), at=times)
    def ends(self, data, state, at):
        """The end of a job that does run, so that runs get somewhere."""
        if running := [name for name, job in self.run.jobs.items() if job.state in UNDER_WAY]:
            name = data.draw(st.sampled_from(running))
            lost = state is State.FAILED and data.draw(st.booleans())
            attempt = self.run.jobs[name].attempt
            self.take(JobEnded(job=name, attempt=attempt, at=at, state=state, lost=lost))

    @precondition(lambda self: hasattr(self, "run"))
    @rule(at=times, chance=st.integers(0, 3))
    def cancel(self, at, chance):
        if not chance:
            self.take(CancelAsked(by="ada", at=at))

    def take(self, fact):
        """Tell it, and hold the step against every promise."""
        before, (after, effects) = self.run, advance(self.run, fact)
        assert advance(after, fact) == (after, ()), "a fact taken twice counts once"
        for name, old in before.jobs.items():
            new = after.jobs[name]
            assert moved_as_allowed(old, new), (name, old.state, new.state)
            assert old == new or old.state not in ENDED, "an ended job never moves"
            ahead = isinstance(fact, JobEnded) and fact.job == name and old.state is State.PENDING
            assert old == new or not ahead, "a job ended that had not begun"
            touched = getattr(fact, "job", name) == name
            current = getattr(fact, "attempt", old.attempt) == old.attempt
            late = touched and not current
            assert not late or old.state is State.PENDING or old == new, "a wrong attempt counted"
        self.check_end_of_job(before, fact, after)
        self.check_reports(before, after, effects)
        self.check_stops(before, fact, effects)
        self.run = after
        self.check_starts(before, effects)

    def check_end_of_job(self, before, fact, after):
        job = before.jobs.get(getattr(fact, "job", ""))
        if not isinstance(fact, JobEnded) or job is None or fact.attempt != job.attempt:
            return
        if before.state in ENDED or job.state not in UNDER_WAY:
            return
        new = after.jobs[fact.job]
        if is_retried(before, fact):
            assert new.attempt == job.attempt + 1
            assert not new.reason, "an attempt begins with a clean slate"
        else:
            assert (new.state, new.attempt) == (fact.state, job.attempt)
            assert (new.reason, new.ended_at) == (fact.reason, fact.at)

    def check_reports(self, before, after, effects):
        """A report for an action if and only if it stands, or waits, otherwise than before."""
        reports = [one.action for one in effects if isinstance(one, Report)]
        freed = before.state is State.HELD and (after.state, after.queued) != (
            before.state,
            before.queued,
        )
        changed = [
            action
            for action in before.actions
            if freed or before.action_state(action) is not after.action_state(action)
        ]
        assert reports == changed

    def check_stops(self, before, fact, effects):
        """What runs is stopped when the run is cancelled, and never else; final jobs go on."""
        stops = {(one.job, one.attempt) for one in effects if isinstance(one, StopJob)}
        first = isinstance(fact, CancelAsked) and not before.cancelled_by
        assert stops == {
            (name, job.attempt)
            for name, job in before.jobs.items()
            if first and before.state not in ENDED and job.state in UNDER_WAY and not job.job.final
        }

    def check_starts(self, before, effects):
        """Only what may start, once, when its turn has come."""
        after = self.run
        for one in effects:
            if not isinstance(one, StartJob):
                continue
            job = after.jobs[one.job]
            assert (one.job, one.attempt) not in self.told.starts, "started twice"
            self.told.starts.add((one.job, one.attempt))
            assert (job.state, job.attempt) == (State.RUNNING, one.attempt)
            assert all(after.jobs[name].state in ENDED for name in job.job.needs)
            assert not job.job.final or all(
                other.state in ENDED for other in after.jobs.values() if not other.job.final
            )
            assert should_start(after, job)
            assert job.job.final or not after.cancelled_by, "a cancelled run starts nothing"
        started = {one.job for one in effects if isinstance(one, StartJob)}
        for name, job in after.jobs.items():
            was = before.jobs[name]
            assert job.state is not State.RUNNING or was.state in UNDER_WAY or name in started
            if job.state is State.SKIPPED and was.state is not State.SKIPPED:
                assert not should_start(after, job), f"{name} was skipped without a reason"
                assert job.reason
        if after.state is State.HELD:
            assert not started, "a held run starts nothing"
        ended = [one for one in effects if isinstance(one, Finish)]
        self.told.finished += len(ended)
        assert bool(ended) is (after.state in ENDED and before.state not in ENDED)

    def teardown(self):
        """Every run comes to its end, once the ends of its jobs are told."""
        if not hasattr(self, "run"):
            return
        if self.run.state is State.HELD:
            assert not self.told.starts
            self.take(Released(by="ada", at=1.0))
        freed = self.run
        for _ in range(1 + 8 * 4):
            for name, job in self.run.jobs.items():
                if job.state in UNDER_WAY:
                    self.take(
                        JobEnded(job=name, attempt=job.attempt, at=2.0, state=State.SUCCEEDED)
                    )
        assert self.run.state in ENDED, f"it hangs: {freed}"
        assert self.told.finished == 1
        assert self.run.state is total(self.run)
        assert {job.state for job in self.run.jobs.values()} <= ENDED
        if not (self.held and self.run.cancelled_by):
            started = {name for name, _ in self.told.starts}
            final = {
                name
                for name, job in self.run.jobs.items()
                if job.job.final and job.job.condition in {"", "always()", TRUE}
            }
            assert final <= started, "final jobs run in every case"


RunMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=25)
TestRun = RunMachine.TestCase
TestRun.__doc__ = "Whatever comes late, twice or out of order, a run keeps every promise."


@given(ordinary, finals, st.lists(facts, max_size=12))
def test_a_held_run_starts_nothing_until_it_is_released(shapes, last, told):
    """Whatever else happens, code that nobody has looked at does not run."""
    held, effects = create(made(shapes, last, held=True))
    assert {type(one) for one in effects} == {Report}
    for fact in told:
        if held.state is not State.HELD or isinstance(fact, Released):
            break
        held, effects = advance(held, fact)
        assert not any(isinstance(one, StartJob) for one in effects)


def end(run, job, state=State.SUCCEEDED):
    """The run after this job has ended."""
    return advance(run, JobEnded(job=job, attempt=1, at=1.0, state=state))[0]


def test_a_final_job_goes_on_when_the_run_is_cancelled():
    """Who cancels a run does not take away its last word."""
    run, _ = create(made([Shape()], [Shape()], held=False))
    run = end(run, "j0")
    assert run.jobs["j1"].state is State.RUNNING
    cancelled, effects = advance(run, CancelAsked(by="ada", at=1.0))
    assert not any(isinstance(one, StopJob) for one in effects)
    assert end(cancelled, "j1").jobs["j1"].state is State.SUCCEEDED


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_a_final_job_waits_for_jobs_that_it_does_not_name(state):
    """It comes last of the whole run, not of its own pipeline alone."""
    begun = made([Shape(), Shape()], [Shape()], held=False)
    last = begun.jobs["j2"]
    named = replace(last, job=replace(last.job, needs=("j0",)))
    run, _ = create(replace(begun, jobs={**begun.jobs, "j2": named}))
    run = end(run, "j0", state)
    assert run.jobs["j2"].state is State.PENDING
    assert end(run, "j1").jobs["j2"].state is State.RUNNING
