"""What cannot be handled is tried, parked, shown, replayed; and what comes late moves nothing."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from harness import NAME, Words
from playing import every, play, runs

from windlass.core.errors import Conflict
from windlass.core.event import Event
from windlass.engine.requests.replay import Replay
from windlass.ports.records import Delivery, Deployment, Head, PullRequestState

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
SECOND = {"push": {"branch": "FB1", "files": {"app.txt": "three"}}}


class Poisoned(Words):
    """A dialect with a fault of its own: it breaks on some bodies, until it is mended."""

    broken = True
    read_ones = 0

    def read(self, request, repository):
        if self.broken and b"poison" in request.body:
            self.read_ones += 1
            raise RuntimeError("this was not foreseen")
        return super().read(request, repository)


def poison(here):
    """From now on the forge of this stage has a dialect that breaks."""
    words = Poisoned()
    here.world.forges["plain"] = replace(here.world.forges["plain"], dialect=words)
    return words


async def ask(here, *events, token=TOKEN, **more):
    """A replay that bob asks for, and all that comes of it."""
    done = await here.requests.replay(Replay(token=token, events=events, **more), by="bob")
    await here.settle()
    return done.replayed


async def head(here, branch="FB1"):
    """What memory knows of a branch."""
    found = await here.world.store.read(lambda tx: tx.get(Head, NAME, f"refs/heads/{branch}"))
    return found.sha


def test_poison_is_tried_three_times_then_parked_and_holds_back_nobody(tmp_path):
    """Later and later; what comes after it in its own repository goes on meanwhile."""

    async def work(here, story):
        words = poison(here)
        await story.play([{"push": {"branch": "FB1", "files": {"a": "1"}, "message": "poison"}}])
        (bad,) = await every(here, Delivery)
        assert (bad.state, bad.attempts, words.read_ones) == ("received", 1, 1)
        assert bad.due_at > here.clock.now()
        await story.play([{"push": {"branch": "FB2", "files": {"a": "2"}}}])
        assert [run.branch for run in await runs(here)] == ["FB2"]
        assert words.read_ones == 1
        await here.wait(2.0)
        assert words.read_ones == 2
        await here.wait(5.0)
        assert words.read_ones == 2
        await here.wait(5.0)
        for _ in range(3):
            await here.wait(10.0)
        (parked, _) = await every(here, Delivery)
        assert (parked.state, parked.attempts, words.read_ones) == ("failed", 3, 3)
        assert parked.reason == "RuntimeError: this was not foreseen"
        assert [run.branch for run in await runs(here)] == ["FB2"]

    play(tmp_path, CONFIGURATION, work)


async def parked(here, story, *, branch="FB1"):
    """A dialect that broke on a push, which is parked by now."""
    words = poison(here)
    push = {"branch": branch, "files": {"a": "1"}, "message": "poison"}
    await story.play([{"push": push}])
    await tried(here)
    return words


async def tried(here):
    """Its other two tries come, and before anyone looks for what was missed."""
    await here.wait(2.0)
    await here.wait(10.0)


def test_what_was_parked_can_be_replayed_when_the_cause_is_gone(tmp_path):
    """It is heard then, and remembered: nobody finds it a second time. All that failed goes."""

    async def work(here, story):
        words = await parked(here, story)
        await ask(here, failed=True)
        await tried(here)
        assert [one.state for one in await every(here, Delivery)] == ["failed"] * 2
        words.broken = False
        (one,) = await ask(here, failed=True, token="another-token")
        original = (await every(here, Delivery))[0]
        assert one.chosen.original.id == original.id
        assert [run.branch for run in await runs(here)] == ["FB1"]
        assert await head(here) == here.origin.at("refs/heads/FB1")
        # The same wish again is the same replay, and nothing that failed is left.
        (same,) = await ask(here, failed=True, token="another-token")
        assert (same.fresh, same.delivery.id) == (False, one.delivery.id)
        assert await ask(here, failed=True, token="third-token") == ()

    play(tmp_path, CONFIGURATION, work)


def test_what_was_parked_moves_nothing_back_that_came_later(tmp_path):
    """Its branch went on meanwhile, and its deployment comes before those that came since."""

    async def work(here, story):
        words = await parked(here, story)
        first = here.origin.at("refs/heads/FB1")
        await story.play([SECOND])
        words.broken = False
        await ask(here, failed=True, deploys=True)
        assert first != await head(here) == here.origin.at("refs/heads/FB1")
        newer, older = await every(here, Deployment)
        assert (newer.state, older.state) == ("succeeded", "superseded")
        assert older.order < newer.order

    play(tmp_path, CONFIGURATION, work)


def test_what_still_waits_for_its_next_try_is_not_replayed(tmp_path):
    """It comes by itself, and would be told twice."""

    async def work(here, story):
        poison(here)
        await story.play([{"push": {"branch": "FB1", "files": {"a": "1"}, "message": "poison"}}])
        (bad,) = await every(here, Delivery)
        with pytest.raises(Conflict, match="still waits"):
            await ask(here, deliveries=(bad.id,))

    play(tmp_path, CONFIGURATION, work)


def test_an_older_pull_request_event_that_comes_late_moves_it_not_back(tmp_path):
    """The newest tells what its head is, and whether it is open."""

    async def work(here, story):
        await story.play([{"open": {"number": 7, "head": "topic", "files": {"a": "1"}}}])
        (opened,) = await every(here, Delivery)
        await here.wait(10.0)
        await story.play([{"update": {"number": 7, "files": {"a": "2"}}}])
        (newest,) = await every(here, PullRequestState)
        # As if the first one had come before, and had to wait for its next try.
        here.clock.time -= 5.0
        late = msgspec.json.decode(here.body(opened), type=list[Event])
        await here.deliver(*late)
        await here.settle()
        assert await every(here, PullRequestState) == [newest]
        assert newest.head_sha == here.origin.at("refs/heads/topic")

    play(tmp_path, CONFIGURATION, work)
