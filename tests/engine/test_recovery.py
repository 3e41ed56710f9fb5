"""Deliveries that never came are found by asking, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from harness import NAME, stage
from playing import play, runs
from story import Story

from windlass.core.event import Event, Kind
from windlass.engine.ids import Ids
from windlass.engine.recover import Recovery
from windlass.ports.records import Delivery, Head, StoredEvent, StoredRun

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


async def moved(here, to, *, told):
    """`FB1` is set to another commit by force, and its webhook comes or does not."""
    before = here.origin.at("refs/heads/FB1")
    here.origin.git("update-ref", "refs/heads/FB1", to)
    if told:
        said = {"repository": NAME, "branch": "FB1", "sha": to, "before": before, "sender": "ada"}
        await here.deliver(Event(kind=Kind.PUSH, action="pushed", **said))
        await here.settle()


def test_a_branch_that_goes_back_and_forth_is_told_each_time(tmp_path):
    """That the same move was missed before does not make it the same event."""

    async def work(here):
        first = here.origin.at("refs/heads/FB1")
        await look(here)
        await Story(here).push("FB1", {"a": "2"})
        await here.settle()
        second = here.origin.at("refs/heads/FB1")
        for _ in range(2):
            await moved(here, first, told=False)
            await look(here)
            await moved(here, second, told=True)
        shas = [one.sha for one in await events_of(here)]
        assert shas == [first, second] * 3

    played(work, tmp_path)


def test_a_push_back_to_what_was_recovered_once_is_an_event(tmp_path):
    """Its webhook tells of a move from where the branch is now, so it is no late one."""

    async def work(here):
        first = here.origin.at("refs/heads/FB1")
        await look(here)
        await Story(here).push("FB1", {"a": "2"})
        await here.settle()
        second = here.origin.at("refs/heads/FB1")
        await moved(here, first, told=True)
        assert [one.sha for one in await events_of(here)] == [first, second, first]

    played(work, tmp_path)


def test_an_older_delivery_that_comes_late_moves_no_head_back(tmp_path):
    """What was dispatched late is not taken for what the branch holds now, and missed anew."""

    async def work(here):
        first = here.origin.at("refs/heads/FB1")
        await Story(here).push("FB1", {"a": "2"})
        await here.settle()
        late = Event(kind=Kind.PUSH, action="pushed", repository=NAME, branch="FB1", sha=first)
        # As if it had come before the other one, and had to wait for its next try.
        here.clock.time -= 1000.0
        await here.deliver(late)
        await here.settle()
        assert len(await events_of(here)) == 2
        head = await here.world.store.read(lambda tx: tx.get(Head, NAME, "refs/heads/FB1"))
        assert head.sha == here.origin.at("refs/heads/FB1")

    played(work, tmp_path)


def test_a_hook_that_nobody_may_put_right_stops_no_look(tmp_path):
    """Where webhooks cannot come at all, the timer is what finds pushes."""

    async def work(here):
        repository = here.forge.repositories[here.url]
        repository.guarded, repository.hook = True, None
        await here.wait(61.0)
        for _ in range(20):
            await here.wait(0.5)
        (one,) = await events_of(here)
        assert one.recovered

    played(work, tmp_path)


def test_a_skip_marker_counts_on_what_was_found_too(tmp_path):
    """The commit says so itself, also when no webhook brought its message."""

    async def work(here):
        await Story(here).push("FB2", {"a": "2"}, "Change\n\n[skip ci]", told=False)
        await look(here)
        runs = await here.world.store.read(lambda tx: tx.find(StoredRun))
        assert [one.branch for one in runs] == ["FB1"]

    played(work, tmp_path)


MERGED = """\
listeners:
  release: {on: {pull_request: [merged]}, do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: echo tested}]}}}
"""


def test_two_webhooks_of_one_merge_are_one_event(tmp_path):
    """A forge may tell that it is done, and that the last try succeeded."""

    async def work(here, story):
        await story.play([{"open": {"number": 1, "head": "one", "files": {"a": "1"}}}])
        await story.play([{"merge": {"number": 1}}])
        _, told = await events_of(here, Kind.PULL_REQUEST)
        again = await here.deliver(replace(told.event, before=None))
        await here.settle()
        delivery = await here.world.store.read(lambda tx: tx.get(Delivery, again))
        assert (delivery.state, f"event {told.number}," in delivery.reason) == ("ignored", True)
        assert len(await runs(here)) == 1

    play(tmp_path, MERGED, work)


def test_a_pull_request_that_cannot_be_asked_for_keeps_no_other_head_back(tmp_path):
    """Gogs tells none of them, and elsewhere one may be gone."""

    async def work(here, story):
        await story.play([{"open": {"number": 1, "head": "one", "files": {"a": "1"}}}])
        here.forge.repositories[here.repository.url].proposals.clear()
        await look(here)  # what came meanwhile
        here.origin.git("update-ref", "refs/tags/v1", here.origin.at("refs/heads/main"))
        await look(here)
        assert [one.event.tag for one in await events_of(here, Kind.TAG)] == ["v1"]

    play(tmp_path, MERGED, work)
