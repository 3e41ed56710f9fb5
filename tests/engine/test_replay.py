"""A delivery once more: linked to its original, judged anew, and nothing deployed unasked."""

from __future__ import annotations

import pytest
from harness import NAME
from playing import every, play, runs, states

from windlass.core.errors import Conflict, NotFound, UserError
from windlass.core.event import ZERO, Event, Kind
from windlass.engine.requests.replay import Choice, Replay
from windlass.ports.records import (
    Audit,
    CommitStatus,
    Delivery,
    Deployment,
    Head,
    PullRequestState,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)

CONFIGURATION = """\
listeners:
  feature:
    on: push
    branches: ["FB*"]
    do: [{build: api}, {deploy: api, environment: dev}]
  pull: {on: pull_request, do: [{pipeline: ci}]}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
"""
TOKEN = "t" * 16
FIRST = {"push": {"branch": "FB1", "files": {"app.txt": "two"}}}
SECOND = {"push": {"branch": "FB1", "files": {"app.txt": "three"}}}


async def ask(here, *events, token=TOKEN, **more):
    """A replay that bob asks for, and all that comes of it."""
    done = await here.requests.replay(Replay(token=token, events=events, **more), by="bob")
    await here.settle()
    return done.replayed


async def verdicts(here, event):
    """The listeners that matched an event."""
    found = await every(here, StoredVerdict)
    return [one.listener for one in found if one.event == event and one.matched]


async def head(here, branch="FB1"):
    """What memory knows of a branch."""
    found = await here.world.store.read(lambda tx: tx.get(Head, NAME, f"refs/heads/{branch}"))
    return found.sha


def test_a_replay_is_a_delivery_and_an_event_of_its_own(tmp_path):
    """Both are linked to the original, and so are runs; body and headers are the same."""

    async def work(here, story):
        await story.play([FIRST])
        (one,) = await ask(here, 1)
        # Both were made in one and the same moment here, so their ids do not order them.
        new, old = sorted(await every(here, Delivery), key=lambda one: not one.origin)
        assert one.delivery.id == new.id
        assert (new.source, new.origin, new.deploys) == ("replay", old.id, False)
        assert new.delivery_key == f"replay:{old.id}:{TOKEN}"
        assert (new.body, new.headers, new.state) == (old.body, old.headers, "done")
        origins = [(one.number, one.origin) for one in await every(here, StoredEvent)]
        assert origins == [(1, 0), (2, 0), (3, 1), (4, 2)]
        assert await verdicts(here, 3) == ["feature"]
        await here.requests.rerun(2, by="bob")
        assert [(one.event, one.origin) for one in await every(here, StoredRun)] == [
            (1, 0),
            (3, 1),
            (3, 1),
        ]
        (audit,) = [one for one in await every(here, Audit) if one.what == "replay"]
        assert (audit.actor, audit.subject) == ("bob", "event 1")
        assert audit.detail.startswith("without deployments")

    play(tmp_path, CONFIGURATION, work)


def test_nothing_is_deployed_unless_it_is_allowed(tmp_path):
    """The deploy job has ended before anything starts, also when the run is run again."""

    async def work(here, story):
        await story.play([FIRST])
        before = await every(here, CommitStatus)
        await ask(here, 1)
        run = (await runs(here))[-1]
        assert states(run) == {"build-api": "succeeded", "deploy-api-dev": "skipped"}
        reason = run.jobs["deploy-api-dev"].reason
        assert reason == "replayed without deployments"
        assert len(await every(here, Deployment)) == 1
        # What is said of the deployment on the commit is still what the first run said.
        said = {one.context: one.run for one in await every(here, CommitStatus)}
        assert said == {"windlass/build/api": 2, "windlass/deploy/dev": 1}
        assert len(said) == len(before)
        await here.requests.rerun(2, by="bob")
        await here.settle()
        assert states((await runs(here))[-1])["deploy-api-dev"] == "skipped"
        assert len(await every(here, Deployment)) == 1

    play(tmp_path, CONFIGURATION, work)


def test_allowed_it_deploys_in_the_place_of_its_original(tmp_path):
    """Its deployment has the order of the first event, so a later one is never overwritten."""

    async def work(here, story):
        other = {"push": {"branch": "FB2", "files": {"app.txt": "other"}}}
        await story.play([FIRST])
        await ask(here, 1, deploys=True)
        assert [one.state for one in await every(here, Deployment)] == ["succeeded"] * 2
        await story.play([other])
        await ask(here, 1, token="another-token", deploys=True)
        last = (await every(here, Deployment))[-1]
        assert (last.order, last.state) == (1, "superseded")
        assert last.reason == "a later event has deployed here since"

    play(tmp_path, CONFIGURATION, work)


def test_asked_twice_it_is_one_replay(tmp_path):
    """The token of who asks makes it so; another token is another replay."""

    async def work(here, story):
        await story.play([FIRST])
        (one,) = await ask(here, 1)
        (same,) = await ask(here, 1)
        assert (one.fresh, same.fresh, same.delivery.id) == (True, False, one.delivery.id)
        assert len(await every(here, StoredEvent)) == 4
        assert len([one for one in await every(here, Audit) if one.what == "replay"]) == 1
        await ask(here, 1, token="another-token")
        assert len(await every(here, StoredEvent)) == 6

    play(tmp_path, CONFIGURATION, work)


def test_a_replay_of_a_replay_is_one_of_the_first(tmp_path):
    """There are no chains."""

    async def work(here, story):
        await story.play([FIRST])
        await ask(here, 1)
        await ask(here, 3, token="another-token")
        last = (await every(here, StoredEvent))[-2]
        (original,) = [one for one in await every(here, Delivery) if not one.origin]
        assert last.origin == 1
        deliveries = await every(here, Delivery)
        assert sum(one.origin == original.id for one in deliveries) == 2

    play(tmp_path, CONFIGURATION, work)


def test_it_is_read_as_its_original_was(tmp_path):
    """What Windlass found itself is in words of its own, and no forge's dialect reads it."""

    async def work(here, story):
        found = Event(kind=Kind.PUSH, action="pushed", repository=NAME, branch="FB1", before=ZERO)
        sha = story.commit("FB1", {"app.txt": "two"})
        await here.wait(61.0)
        for _ in range(20):
            await here.wait(0.5)
        (event, *_) = await every(here, StoredEvent)
        assert (event.sha, event.recovered, event.kind) == (sha, True, found.kind)
        await ask(here, event.number)
        again = [one for one in await every(here, StoredEvent) if one.origin == event.number]
        assert [(one.sha, one.event) for one in again] == [(sha, event.event)]

    play(tmp_path, CONFIGURATION, work)


def test_the_present_listeners_judge_it(tmp_path):
    """So a listener that was mended can be tried on what it had missed, also on a push to main."""

    async def work(here, story):
        await story.play([{"push": {"branch": "main", "files": {"app.txt": "two"}}}])
        assert await verdicts(here, 1) == []
        mended = CONFIGURATION.replace('["FB*"]', "[main]")
        mended += "services: {api: {build: {steps: [{run: make}], artifacts: [dist/]}}}\n"
        await story.play([{"push": {"branch": "main", "files": {".windlass.yaml": mended}}}])
        await ask(here, 1)
        last = (await every(here, StoredEvent))[-1]
        assert (last.origin, await verdicts(here, last.number)) == (1, ["feature"])

    play(tmp_path, CONFIGURATION, work)


def test_it_moves_nothing_back(tmp_path):
    """Heads and pull requests stay where the newest event put them."""

    async def work(here, story):
        opened = {"open": {"number": 7, "head": "topic", "files": {"a": "1"}}}
        await story.play([FIRST, SECOND, opened, {"update": {"number": 7, "files": {"a": "2"}}}])
        newest = await head(here)
        (pull,) = await every(here, PullRequestState)
        await here.wait(60.0)
        for number in range(1, 6):
            await ask(here, number)
        assert await head(here) == newest
        assert await every(here, PullRequestState) == [pull]

    play(tmp_path, CONFIGURATION, work)


def test_a_newer_run_under_way_is_not_cancelled_by_it(tmp_path):
    """In a group that keeps the newest, what is replayed waits for its turn."""
    slow = CONFIGURATION.replace(
        "on: push\n", "on: push\n    concurrency: {group: one, cancel_in_progress: true}\n"
    ).replace("do: [{build: api}, {deploy: api, environment: dev}]", "do: [{pipeline: ci}]")
    slow = slow.replace("{run: echo tested}", '{name: gate, run: "true"}')

    async def work(here, story):
        await story.play([FIRST, {"gate": {"run": 1}}, SECOND])
        await ask(here, 1)
        assert [str(one.state) for one in await runs(here)] == ["succeeded", "running", "held"]
        await story.play([{"gate": {}}])
        assert [str(one.state) for one in await runs(here)] == ["succeeded"] * 3

    play(tmp_path, slow, work)


def test_a_range_and_a_time_take_the_events_in_them(tmp_path):
    """Each delivery once, oldest first; repeats are not repeated."""

    async def work(here, story):
        await story.play([FIRST, SECOND, {"wait": {"seconds": 3600.0}}])
        later = here.clock.now()
        await here.wait(10.0)
        await story.play([{"push": {"branch": "FB2", "files": {"app.txt": "x"}}}])
        chosen = await here.requests.to_replay(Replay(token=TOKEN, first=1, last=3))
        assert [one.event for one in chosen.chosen] == [1, 3]
        await ask(here, first=1, last=3)
        events = await here.requests.to_replay(Replay(token=TOKEN, first=2))
        assert [one.event for one in events.chosen] == [1, 3, 4]
        since = await here.requests.to_replay(Replay(token=TOKEN, since=later))
        assert [one.event for one in since.chosen] == [4]
        nowhere = Replay(token=TOKEN, first=1, repository="other")
        assert await here.requests.to_replay(nowhere) == Choice(chosen=())

    play(tmp_path, CONFIGURATION, work)


WRONG = (
    (Replay(token=TOKEN, events=(9,)), NotFound, "there is no event 9"),
    (Replay(token=TOKEN, deliveries=("x",)), NotFound, "there is no delivery x"),
    (Replay(token=TOKEN), UserError, "say what to replay"),
    (Replay(token=TOKEN, events=(1,), failed=True), UserError, "not both"),
    (Replay(token=TOKEN, failed=True, first=1), UserError, "no event's number"),
    (Replay(token="short", events=(1,)), UserError, "the token"),
)


def test_what_cannot_be_replayed_says_why(tmp_path):
    """And what a person asked for is run again, not replayed."""

    async def work(here, story):
        await story.play([FIRST])
        for wanted, kind, words in WRONG:
            with pytest.raises(kind, match=words):
                await here.requests.replay(wanted, by="bob")
        said = {"repository": NAME, "service": "api", "environment": "dev", "by": "bob"}
        await story.play([{"ask": {"what": "deploy", "ref": "FB1", **said}}])
        with pytest.raises(Conflict, match="by no webhook"):
            await here.requests.replay(Replay(token=TOKEN, events=(3,)), by="bob")

    play(tmp_path, CONFIGURATION, work)
