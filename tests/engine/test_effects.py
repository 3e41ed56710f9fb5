"""Wishes come together, reports come through, and one that fails holds up nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from harness import START, StillClock, stage
from story import Story

from windlass.core.errors import Permanent, Transient
from windlass.core.event import Event, Kind
from windlass.core.pipeline import Job, JobKind
from windlass.core.run import CancelAsked, JobRun, Run, State, advance, create
from windlass.engine import deployments, effects
from windlass.engine.configurations import Configurations
from windlass.engine.jobs import Key
from windlass.engine.loop import Loop
from windlass.engine.receive import Arrival
from windlass.engine.write import new_run
from windlass.ports.forge import StatusState
from windlass.ports.records import Build, Delivery, Deployment, StoredEffect, StoredRun
from windlass.stores.sqlite import SqliteStore

CONFIGURATION = """\
listeners: {feature: {on: push, do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {test: {steps: [{name: gate, run: "true"}]}}}}
"""


def played(work, place):
    """Run a coroutine function on a stage."""

    async def whole():
        async with stage(place, {".windlass.yaml": CONFIGURATION}) as here:
            await here.settle()
            await work(here, Story(here))

    asyncio.run(asyncio.wait_for(whole(), 60))


async def reports(here):
    """The reports of the store."""
    every = await here.world.store.read(lambda tx: tx.find(StoredEffect))
    return [one for one in every if one.kind == "report"]


def test_a_report_comes_through_after_failures(tmp_path):
    """It is tried again later and later, and then says what is true by then."""

    async def work(here, story):
        here.forge.failures += [Transient("busy"), Transient("wait", retry_after=90.0)]
        await story.push("FB1", {"a": "1"})
        await here.settle()
        (one,) = await reports(here)
        assert (one.state, one.attempts, one.error) == ("pending", 1, "busy")
        assert not here.forge.ledger
        await here.wait(2.0)
        (one,) = await reports(here)
        assert (one.attempts, one.due_at) == (2, here.clock.now() + 90.0)
        await story.gate()
        await here.settle()
        await here.wait(91.0)
        sha = here.origin.at("refs/heads/FB1")
        assert [told.value.state for told in here.forge.ledger] == [StatusState.SUCCESS]
        assert here.forge.statuses(here.url, sha)["windlass/pipeline/ci"].sha == sha
        (one,) = await reports(here)
        assert (one.state, one.attempts, one.error) == ("done", 0, "")

    played(work, tmp_path)


def test_a_report_that_cannot_be_is_kept_with_its_reason(tmp_path):
    """And when it is asked for again, it is tried again."""

    async def work(here, story):
        here.forge.failures.append(Permanent("no such commit"))
        await story.push("FB1", {"a": "1"})
        await here.settle()
        (one,) = await reports(here)
        assert (one.state, one.error) == ("failed", "no such commit")
        await story.gate()
        await here.settle()
        assert [told.value.state for told in here.forge.ledger] == [StatusState.SUCCESS]

    played(work, tmp_path)


def test_a_wish_that_is_asked_for_while_it_is_under_way_is_done_once_more(tmp_path):
    """The truth may have moved after it was read; asked for ten times is once more."""

    async def work(here, story):
        reading, go = asyncio.Event(), asyncio.Event()
        status = here.forge.status

        async def slow(url, said):
            reading.set()
            await go.wait()
            await status(url, said)

        here.forge.status = slow
        await story.push("FB1", {"a": "1"}, told=False)
        await story.again("FB1")
        await reading.wait()
        (one,) = await reports(here)

        def ask(tx):
            for _ in range(10):
                effects.wish(tx, "report", one.arguments, START, run=one.run)

        await here.world.store.transaction(ask)
        go.set()
        await here.settle()
        (one,) = await reports(here)
        assert (one.state, one.wanted) == ("done", 11)
        # Nothing had changed, so nothing was said again.
        assert len(here.forge.ledger) == 1

    played(work, tmp_path)


def delivery(name, due=0.0):
    """A row to work on."""
    return Delivery(
        id=name,
        endpoint="e",
        delivery_key=name,
        repository="shop",
        received_at=START,
        headers={},
        body=b"",
        digest="",
        due_at=due,
    )


def test_a_poison_row_is_tried_and_parked_while_others_go_on(tmp_path):
    """Whatever one row does to who works on it, every other row is worked on."""
    names = ["a", "poison", "c", "d"]

    async def whole():
        clock, tried, done = StillClock(), [], asyncio.Event()
        async with SqliteStore.open(tmp_path / "w.db", synchronous="OFF") as store:

            async def work(row):
                tried.append(row.id)
                state = "done"
                if row.id == "poison":
                    state = "failed" if tried.count("poison") == 3 else "received"
                after = replace(row, state=state, attempts=row.attempts + 1)
                await store.transaction(lambda tx: tx.save(after))
                if sorted(tried) == sorted([*names, "poison", "poison"]):
                    done.set()

            await store.transaction(lambda tx: tx.add_all([delivery(name) for name in names]))
            loop = Loop(store, clock, Delivery, work, 2)
            running = asyncio.create_task(loop.run())
            await asyncio.wait_for(done.wait(), 30)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            rows = await store.read(lambda tx: tx.find(Delivery, order="id"))
            assert {row.id: row.state for row in rows} == {
                "a": "done",
                "c": "done",
                "d": "done",
                "poison": "failed",
            }

    asyncio.run(whole())


def test_a_delivery_that_cannot_be_judged_is_parked(tmp_path):
    """It is shown with its reason after a few tries, and the next one starts its run."""

    async def work(here, story):
        await here.receive(_nonsense(here))
        await here.settle()
        await story.push("FB1", {"a": "1"})
        await here.settle()
        for _ in range(3):
            await here.wait(60.0)
        first, second = await here.world.store.read(lambda tx: tx.find(Delivery, order="id"))
        assert (first.state, first.attempts) == ("failed", 3)
        assert "Expected `array`" in first.reason
        assert (second.state, second.reason) == ("done", "1 run")

    played(work, tmp_path)


def _nonsense(here):
    return Arrival(
        endpoint="e1",
        repository="shop",
        key="nonsense",
        headers={},
        body=b"{",
        digest="x",
        at=here.clock.now(),
    )


DEPLOYS = """\
services: {api: {build: {steps: [{run: make}], artifacts: [dist/]}}}
environments: {dev: {target: {directory: {path: /srv/dev}}}}
"""


BUILT = Build(
    identity="i",
    repository="shop",
    service="api",
    tree="t",
    recipe="r",
    digest="sha256:" + "a" * 64,
    size=1,
    run=1,
    job="b",
    trusted=True,
    created_at=START,
    provenance="{}",
)


def test_a_deploy_that_starts_after_its_stop_does_not_go_on(tmp_path):
    """The stop found nothing to withdraw yet, so the start has to see that it was cancelled."""
    job = Job(
        name="d", kind=JobKind.DEPLOY, service="api", environment="dev", digest="sha256:" + "a" * 64
    )

    async def whole():
        async with stage(tmp_path, {".windlass.yaml": DEPLOYS}) as here:
            await here.settle()
            sha = here.origin.at("refs/heads/main")
            event = Event(kind=Kind.PUSH, action="pushed", repository="shop", sha=sha)
            run = Run(
                number=1,
                repository="shop",
                event=event,
                listener="l",
                sha=sha,
                status_sha=sha,
                config_sha=sha,
                branch="main",
                jobs={"d": JobRun(job=job, action="deploy/dev")},
            )
            await here.world.mirrors.of(here.repository).fetch()
            begun, _ = create(run)
            cancelled, _ = advance(begun, CancelAsked(by="ada", at=START))

            def both(tx):
                stored = new_run(tx, run, 1, START)
                tx.save(replace(stored, run=cancelled))
                tx.add(BUILT)

            await here.world.store.transaction(both)
            await deployments.request(here.world, Configurations(), Key(1, "d", 1))
            await here.settle()
            (found,) = await here.world.store.read(lambda tx: tx.find(StoredRun))
            assert found.run.jobs["d"].state is State.CANCELLED
            assert not await here.world.store.read(lambda tx: tx.find(Deployment))

    asyncio.run(asyncio.wait_for(whole(), 60))
