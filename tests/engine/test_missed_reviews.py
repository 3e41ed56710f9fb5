"""Reviews whose webhook never came count once, as soon as the forge can be asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from harness import NAME, stage
from story import Story

from windlass.core.errors import Permanent, Transient
from windlass.core.event import Event, Kind
from windlass.engine import recover
from windlass.engine.ids import Ids
from windlass.engine.recover import Recovery
from windlass.ports.records import Delivery, Deployment, PullRequestState, StoredEvent

CONFIGURATION = """\
listeners:
  release:
    on: {pull_request: [merged]}
    base: [main]
    do: [{build: api}, {deploy: api, environment: production}]
services:
  api: {build: {steps: [{name: make, run: "mkdir dist; echo x > dist/app"}], artifacts: [dist/]}}
environments:
  production: {target: {directory: {path: /srv/production}}, branches: [main], reviewed: true}
"""


def played(place, work):
    """Run a coroutine function on a stage on which pull request 7 of ada is open."""

    async def whole():
        async with stage(place, {".windlass.yaml": CONFIGURATION}) as here:
            story = Story(here)
            await story.open(7, "topic", {"app.txt": "two"})
            await here.settle()
            await look(here)  # of the branch itself nobody has told
            await work(here, story)

    asyncio.run(asyncio.wait_for(whole(), 60))


async def look(here, recovery=None):
    """One look for what was missed, by a server that has just begun unless it is given."""
    recovery = recovery or Recovery(here.world, here.receive, Ids(here.clock.now))
    looking = asyncio.create_task(recovery(here.repository))
    while not looking.done():
        await asyncio.sleep(0)
        here.clock.go_on(0.5)
    await here.settle()
    return looking.result()


async def reviews(here):
    """What events say of reviews: what, whose, and whether we found it."""
    every = await here.world.store.read(lambda tx: tx.find(StoredEvent, order="number"))
    return [
        (one.action, one.event.sender_id, one.recovered) for one in every if one.kind == Kind.REVIEW
    ]


async def deployments(here):
    """How the deployments of production ended, or wait."""
    found = await here.world.store.read(lambda tx: tx.find(Deployment, order="number"))
    return [one.state for one in found]


async def late(here, story, by="bob", action="approved"):
    """The webhook of a review, after all; the state and the reason of its delivery."""
    head = here.origin.at("refs/heads/topic")
    about = {"repository": NAME, "number": 7, "head": "topic", "base": "main", "author_id": "ada"}
    said = Event(kind=Kind.REVIEW, action=action, sha=head, head_sha=head, sender_id=by, **about)
    came = await here.deliver(said)
    await here.settle()
    found = await here.world.store.read(lambda tx: tx.get(Delivery, came))
    return found.state, found.reason


def test_approved_and_merged_in_an_outage_is_deployed_once(tmp_path):
    """Nobody told of either: production with `reviewed: true` gets it, and once."""

    async def work(here, story):
        await story.review(7, "bob", told=False)
        await story.merge(7, told=False)
        await look(here)
        assert await reviews(here) == [("approved", "bob", True)]
        every = await here.world.store.read(lambda tx: tx.find(StoredEvent, pull_request=7))
        assert [one.action for one in every] == ["opened", "approved", "merged"]
        assert await deployments(here) == ["succeeded"]
        assert await look(here) == 0
        state, reason = await late(here, story)
        assert state == "ignored"
        assert "came another way" in reason
        assert len(await reviews(here)) == 1
        assert await deployments(here) == ["succeeded"]

    played(tmp_path, work)


def test_an_open_pull_request_that_was_approved_in_an_outage_is_approved(tmp_path):
    """Each reviewer is an event, marked as found; the webhook of another one still counts."""

    async def work(here, story):
        await story.review(7, "bob", told=False)
        await story.review(7, "eve", told=False)
        await look(here)
        assert await reviews(here) == [("approved", "bob", True), ("approved", "eve", True)]
        assert await look(here) == 0
        await story.review(7, "joe")
        await here.settle()
        assert (await reviews(here))[-1] == ("approved", "joe", False)
        await story.merge(7)
        await here.settle()
        assert await deployments(here) == ["succeeded"]

    played(tmp_path, work)


def test_an_approval_taken_back_in_an_outage_lets_nothing_through(tmp_path):
    """It is found as dismissed; its late webhook, and that of the approval, bring nothing back."""

    async def work(here, story):
        await story.review(7, "bob", told=False)
        await look(here)
        await story.review(7, "bob", "dismissed", told=False)
        await look(here)
        assert (await reviews(here))[-1] == ("dismissed", "bob", True)
        assert (await late(here, story, action="dismissed"))[0] == "ignored"
        assert (await late(here, story))[0] == "ignored"
        await story.merge(7)
        await here.settle()
        assert await deployments(here) == ["rejected"]

    played(tmp_path, work)


def test_an_approval_given_again_is_found_again(tmp_path):
    """That the same review was found before does not make it the same."""

    async def work(here, story):
        for told in (False, True):
            await story.review(7, "bob", told=False)
            await look(here)
            await story.review(7, "bob", "dismissed", told=told)
            await here.settle()
            await look(here)
        await story.review(7, "bob", told=False)
        await look(here)
        said = [(action, found) for action, _, found in await reviews(here)]
        first = [("approved", True), ("dismissed", True)]
        assert said == [*first, ("approved", True), ("dismissed", False), ("approved", True)]

    played(tmp_path, work)


def test_the_merge_alone_was_told_and_the_forge_is_asked(tmp_path):
    """Before a deployment is refused for want of a review, and then it goes on by itself."""

    async def work(here, story):
        await story.review(7, "bob", told=False)
        await story.merge(7)
        await here.settle()
        await here.wait(1.0)
        assert await reviews(here) == [("approved", "bob", True)]
        assert await deployments(here) == ["succeeded"]

    played(tmp_path, work)


@pytest.mark.parametrize(
    ("who", "after"), [("ada", None), ("bob", {"app.txt": "three"}), (None, None)]
)
def test_what_nobody_else_approved_at_its_last_head_is_refused(tmp_path, who, after):
    """The author, an older head and nobody at all let nothing in, asked or not."""

    async def work(here, story):
        if who:
            await story.review(7, who, told=False)
        if after:
            await story.update(7, after)
            await here.settle()
        await story.merge(7)
        await here.settle()
        await here.wait(1.0)
        assert await deployments(here) == ["rejected"]

    played(tmp_path, work)


def test_while_the_forge_is_out_of_reach_nothing_is_refused(tmp_path):
    """The deployment waits and says for what; then it goes."""

    async def work(here, story):
        await story.review(7, "bob", told=False)
        pull, down = here.forge.pull, True

        async def asked(url, number):
            if down:
                raise Transient("the forge is down", retry_after=5.0)
            return await pull(url, number)

        here.forge.pull = asked
        await story.merge(7)
        await here.settle()
        (one,) = await here.world.store.read(lambda tx: tx.find(Deployment))
        assert one.state == "waiting"
        assert "asked who approved pull request 7: the forge is down" in one.reason
        down = False
        await here.wait(5.0)
        await here.wait(1.0)
        assert await deployments(here) == ["succeeded"]

    played(tmp_path, work)


def test_a_forge_that_cannot_tell_refuses_with_its_reason(tmp_path):
    """Nothing waits for ever, and a person reads what the forge said."""

    async def work(here, story):
        async def asked(url, number):
            raise Permanent("no such question")

        here.forge.pull = asked
        await story.merge(7)
        await here.settle()
        (one,) = await here.world.store.read(lambda tx: tx.find(Deployment))
        assert one.state == "rejected"
        assert "its forge does not tell of reviews: no such question" in one.reason

    played(tmp_path, work)


def test_what_the_forge_leaves_open_changes_nothing(tmp_path):
    """No approvals told, or one of an unknown commit: what webhooks told of stays as it is."""

    async def work(here, story):
        await story.review(7, "bob")
        await here.settle()
        there = here.forge.repositories[here.url].proposals
        (approval,) = there[7].approvals
        for said in (None, (replace(approval, sha=""),)):
            there[7] = replace(there[7], approvals=said)
            assert await look(here) == 0
        there[7] = replace(there[7], approvals=(replace(approval, by="eve", sha=""),))
        await look(here)
        assert (await reviews(here))[-1] == ("dismissed", "bob", True)

    played(tmp_path, work)


def test_a_comment_takes_no_approval_back(tmp_path):
    """So there is nothing to find after it either."""

    async def work(here, story):
        await story.review(7, "bob")
        await here.settle()
        await story.review(7, "bob", "commented")
        await here.settle()
        pull = await here.world.store.read(lambda tx: tx.get(PullRequestState, NAME, 7))
        assert pull.approved == (f"bob@{pull.head_sha}",)
        assert await look(here) == 0

    played(tmp_path, work)


def test_an_answer_that_was_overtaken_is_no_review(tmp_path):
    """Taken back while the forge was asked: what its webhook says is newer than the answer."""

    async def work(here, story):
        await story.review(7, "bob", told=False)
        pull, once = here.forge.pull, [True]

        async def asked(url, number):
            found = await pull(url, number)
            if once:
                once.clear()
                await story.review(7, "bob", "dismissed")
                while not await reviews(here):  # noqa: ASYNC110 - a story cannot settle in here
                    await asyncio.sleep(0)
            return found

        here.forge.pull = asked
        assert await look(here) == 0
        assert await reviews(here) == [("dismissed", "bob", False)]

    played(tmp_path, work)


def test_a_forge_is_not_asked_again_at_once(tmp_path, monkeypatch):
    """Where looks are frequent an answer does for minutes, and no look asks about too many."""
    monkeypatch.setattr(recover, "ASKED", 1)
    monkeypatch.setattr(recover, "FRESH", 1e7)

    async def work(here, story):
        await story.open(8, "other", {"app.txt": "three"})
        await here.settle()
        await look(here)
        # The server's own timer has had its two looks, and the next one is far away.
        await here.wait(120.0)
        for _ in range(20):
            await here.wait(0.5)
        pull, asked = here.forge.pull, []

        async def counted(url, number):
            asked.append(number)
            return await pull(url, number)

        here.forge.pull = counted
        recovery = Recovery(here.world, here.receive, Ids(here.clock.now))
        for _ in range(3):
            await look(here, recovery)
        assert asked == [7, 8]
        here.clock.go_on(1e7)
        await look(here, recovery)
        assert asked == [7, 8, 7]

    played(tmp_path, work)


def test_one_that_cannot_be_asked_for_keeps_no_other_back(tmp_path):
    """A forge that fails for one pull request alone is asked about the next."""

    async def work(here, story):
        await story.open(8, "other", {"app.txt": "three"})
        await here.settle()
        await look(here)
        await story.review(8, "bob", told=False)
        ask = here.forge.pull

        async def broken(url, number):
            if number == 7:
                raise Transient("502 for this one alone")
            return await ask(url, number)

        here.forge.pull = broken
        here.clock.go_on(400)
        await look(here)
        assert ("approved", "bob", True) in await reviews(here)

    played(tmp_path, work)
