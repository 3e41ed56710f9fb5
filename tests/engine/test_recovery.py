"""Deliveries that never came are found by asking, once."""

from __future__ import annotations

import asyncio

from harness import NAME, stage
from story import Story

from windlass.core.event import Event, Kind
from windlass.engine.ids import Ids
from windlass.engine.recover import Recovery
from windlass.ports.records import Delivery, StoredEvent, StoredRun

CONFIGURATION = """\
listeners: {feature: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
"""


def played(work, place):
    """Run a coroutine function on a stage on which `FB1` was pushed to and nobody told."""

    async def whole():
        async with stage(place, {".windlass.yaml": CONFIGURATION}) as here:
            await Story(here).push("FB1", {"a": "1"}, told=False)
            await work(here)

    asyncio.run(asyncio.wait_for(whole(), 60))


async def look(here):
    """One look for what was missed, and everything that comes of it."""
    recovery = Recovery(here.world, here.receive, Ids(here.clock.now))
    looking = asyncio.create_task(recovery(here.repository))
    while not looking.done():
        await asyncio.sleep(0)
        here.clock.go_on(0.5)
    await here.settle()
    return looking.result()


async def events_of(here, kind=Kind.PUSH):
    """The events of a kind."""
    every = await here.world.store.read(lambda tx: tx.find(StoredEvent, order="number"))
    return [one for one in every if one.kind == kind]


def test_a_head_that_nobody_told_of_becomes_an_event_once(tmp_path):
    """It starts what its webhook would have started, and is marked as found by us."""

    async def work(here):
        await look(here)
        (one,) = await events_of(here)
        sha = here.origin.at("refs/heads/FB1")
        assert (one.sha, one.branch, one.recovered) == (sha, "FB1", True)
        assert one.event.recovered
        await look(here)
        assert len(await events_of(here)) == 1
        (run,) = await here.world.store.read(lambda tx: tx.find(StoredRun))
        assert (run.listener, run.state) == ("feature", "succeeded")

    played(work, tmp_path)


def test_the_late_webhook_of_a_recovered_event_is_ignored(tmp_path):
    """They are one event, and the delivery says which."""

    async def work(here):
        await look(here)
        said = {"repository": NAME, "branch": "FB1", "sha": here.origin.at("refs/heads/FB1")}
        late = await here.deliver(
            Event(kind=Kind.PUSH, action="pushed", before="0" * 40, sender="ada", **said)
        )
        await here.settle()
        delivery = await here.world.store.read(lambda tx: tx.get(Delivery, late))
        (one,) = await events_of(here)
        assert delivery.state == "ignored"
        assert f"event {one.number}," in delivery.reason
        assert len(await here.world.store.read(lambda tx: tx.find(StoredRun))) == 1

    played(work, tmp_path)


def test_a_branch_that_is_gone_is_told_as_deleted(tmp_path):
    """So that nothing goes on believing in it."""

    async def work(here):
        await look(here)
        here.origin.git("update-ref", "-d", "refs/heads/FB1")
        await look(here)
        events = await events_of(here, Kind.BRANCH)
        assert [one.action for one in events] == ["created", "deleted"]

    played(work, tmp_path)
