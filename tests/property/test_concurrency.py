"""
A concurrency group, told arrivals, ends and wishes in any order, over a store that forgets nothing.

What may go is read from the store alone, so a server that is gone is simply the next rule.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from windlass.core.event import Event, Kind
from windlass.core.listener import Concurrency
from windlass.core.pipeline import Job, JobKind
from windlass.core.run import ENDED, CancelAsked, JobEnded, JobRun, Run, State
from windlass.engine import groups
from windlass.engine.advance import advance
from windlass.engine.write import new_run
from windlass.ports.records import StoredEffect, StoredRun
from windlass.testing.fakes.memory import MemoryStore

PUSH = Event(kind=Kind.PUSH, action="pushed", repository="r", branch="FB1", sha="1" * 40)
GROUP, STRANGER = "r:one", "waits for a person"
picks = st.integers(0, 1000)


def drawn(number: int, *, trusted: bool) -> Run:
    """A run of one job and one that runs last."""
    jobs = {
        "test": JobRun(job=Job(name="test", kind=JobKind.STEPS), action="ci"),
        "tell": JobRun(job=Job(name="tell", kind=JobKind.STEPS, final=True), action="ci"),
    }
    return Run(
        number=number,
        repository="r",
        event=PUSH,
        listener="l",
        sha="1" * 40,
        status_sha="1" * 40,
        config_sha="1" * 40,
        branch="FB1",
        jobs=jobs,
        state=State.RUNNING if trusted else State.HELD,
        reason="" if trusted else STRANGER,
        trusted=trusted,
    )


class Group(RuleBasedStateMachine):
    """One group, with one rule for all of its runs."""

    @initialize(
        rule=st.builds(
            Concurrency,
            group=st.just("one"),
            limit=st.integers(1, 4),
            cancel_in_progress=st.booleans(),
            newest=st.booleans(),
        )
    )
    def begin(self, rule):
        self.rule, self.store, self.now, self.reason = rule, MemoryStore(), 0.0, ""

    def all(self):
        return self.store.fill(lambda tx: tx.find(StoredRun, order="number"))

    def under_way(self):
        return [one for one in self.all() if one.run.state not in ENDED | {State.HELD}]

    def queue(self):
        return [one for one in self.all() if groups.waits(one.run)]

    def asked(self):
        effects = self.store.fill(lambda tx: tx.find(StoredEffect, state="pending"))
        return [one for one in effects if one.kind == "group"]

    @rule(trusted=st.sampled_from([True, True, True, False]))
    def arrives(self, trusted):
        def work(tx):
            self.now += 1
            draft = drawn(tx.next("run"), trusted=trusted)
            run = groups.arrive(tx, GROUP, self.rule, draft, self.now)
            return new_run(tx, run, 1, self.now, concurrency=GROUP, cause=str(run.number))

        before = {one.number for one in self.queue()}
        stored = self.store.fill(work)
        if not trusted:
            assert stored.run.reason == STRANGER
        elif self.rule.newest and not self.rule.cancel_in_progress and stored.run.queued:
            assert [one.number for one in self.queue()] == [stored.number]
            for number in before:
                old = self.all()[number - 1].run
                assert (old.state, old.reason) == ("cancelled", f"run {stored.number} is newer")

    @rule(pick=picks)
    def again(self, pick):
        ended = [one for one in self.all() if one.run.state in ENDED and one.run.trusted]
        if not ended:
            return

        def work(tx):
            draft = replace(drawn(tx.next("run"), trusted=True), limit=self.rule.limit)
            run = groups.enter(tx, GROUP, draft)
            new_run(tx, run, 1, self.now, concurrency=GROUP, cause=str(run.number))

        live = {one.number: one.run.cancelled_by for one in self.all()}
        self.store.fill(work)
        assert live == {
            one.number: one.run.cancelled_by for one in self.all() if one.number in live
        }

    @rule(pick=picks)
    def allowed(self, pick):
        held = [one for one in self.all() if one.run.state is State.HELD and not one.run.queued]
        if held:
            one = held[pick % len(held)]
            self.store.fill(
                lambda tx: groups.allow(tx, one, "ada", self.now, f"release:{one.number}")
            )

    @rule(pick=picks)
    def cancelled(self, pick):
        if runs := self.all():
            fact = CancelAsked(by="ada", at=self.now)
            number = runs[pick % len(runs)].number
            self.store.fill(lambda tx: advance(tx, number, fact, f"cancel:{number}", self.now))

    @rule(pick=picks)
    def ends(self, pick):
        """A job of a run ends, whether it was asked to or not."""
        jobs = [
            (one.number, name, job)
            for one in self.all()
            for name, job in one.run.jobs.items()
            if job.state is State.RUNNING
        ]
        if jobs:
            number, name, job = jobs[pick % len(jobs)]
            fact = JobEnded(job=name, attempt=job.attempt, at=self.now, state=State.SUCCEEDED)
            self.store.fill(lambda tx: advance(tx, number, fact, "", self.now))

    @rule()
    def served(self):
        """The wishes of the group are done."""
        for one in self.asked():
            self.store.fill(lambda tx: groups.go(tx, GROUP, self.now))
            # As the loop does: a wish that came meanwhile is done once more.
            self.store.fill(
                lambda tx, one=one: (
                    tx.save(replace(tx.get(StoredEffect, one.id), state="done"))
                    if tx.get(StoredEffect, one.id).wanted == one.wanted
                    else None
                )
            )

    @invariant()
    def never_more_than_the_limit(self):
        """Stopping counts as under way: what is being stopped still works."""
        assert len(self.under_way()) <= self.rule.limit

    @invariant()
    def who_waits_goes(self):
        """With room and somebody waiting there is a stored wish that lets it go."""
        if self.queue() and len(self.under_way()) < self.rule.limit:
            assert self.asked()

    def teardown(self):
        """Whatever was said: when each job ends, everybody has had a turn, in order."""
        if not hasattr(self, "rule"):
            return
        for _ in range(1000):
            if not self.under_way() and not self.queue():
                break
            self.ends(0)
            self.served()
            self.never_more_than_the_limit()
        assert not self.queue()
        assert not self.under_way()


TestGroup = Group.TestCase
TestGroup.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
