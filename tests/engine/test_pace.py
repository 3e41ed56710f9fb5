"""What is told to a forge is told seldom enough, and in the end it is true."""

from __future__ import annotations

import asyncio

from harness import START, stage
from hypothesis import given
from hypothesis import strategies as st
from story import Story

from windlass.core.errors import Permanent
from windlass.engine import effects, pace
from windlass.engine.reports import Reporter, Told
from windlass.ports.records import StoredEffect

CONFIGURATION = """\
listeners: {feature: {on: push, do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {test: {steps: [{name: gate, run: "true"}]}}}}
"""
ABOUT = {"repository": "acme/shop", "sha": "a" * 40, "context": "ci"}


@given(st.lists(st.floats(min_value=0.0, max_value=2.0), min_size=50, max_size=50))
def test_five_thousand_transitions_cost_at_most_a_hundred_posts(gaps):
    """However they come; forges take a thousand statuses for one commit and context."""
    now, sent, sent_at = 0.0, 0, 0.0
    for gap in gaps * 100:
        now += gap
        if sent_at + pace.wait(sent) <= now:
            sent, sent_at = sent + 1, now
    assert sent <= 100


def told(work, place, monkeypatch):
    """Run on a stage whose reports say what `truth` holds, and note it in `said`."""
    truth, said = ["0"], []

    async def status(_self, _repository, _sha, _context):
        value = truth[0]

        async def send():
            said.append(value)

        return Told(value, send)

    async def whole():
        async with stage(place, {".windlass.yaml": CONFIGURATION}) as here:
            await here.settle()
            monkeypatch.setattr(Reporter, "status", status)

            async def ask():
                wish = lambda tx: effects.wish(tx, "report", ABOUT, START)  # noqa: E731
                await here.world.store.transaction(wish)
                await here.settle()

            await work(here, truth, said, ask)

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_a_report_that_changes_all_the_time_says_the_end(tmp_path, monkeypatch):
    """The first ones at once, then seldom, and the last one always."""

    async def work(here, truth, said, ask):
        for number in range(1, 201):
            truth[0] = str(number)
            await ask()
        assert said == [str(number) for number in range(1, pace.FREE + 1)]
        await here.wait(pace.LONGEST)
        assert said[-1] == "200"
        assert len(said) == pace.FREE + 1

    told(work, tmp_path, monkeypatch)


def test_what_was_said_is_not_said_again(tmp_path, monkeypatch):
    """A wish that finds nothing new costs no call."""

    async def work(_here, _truth, said, ask):
        for _ in range(3):
            await ask()
        assert said == ["0"]

    told(work, tmp_path, monkeypatch)


def test_a_report_that_failed_for_good_is_told_once_the_right_is_there(tmp_path):
    """Storing a token, or checking the repository, asks for it again."""

    async def work():
        async with stage(tmp_path, {".windlass.yaml": CONFIGURATION}) as here:
            await here.settle()
            here.forge.failures += [Permanent("no right")] * 2
            story = Story(here)
            await story.push("FB1", {"a": "1"})
            await story.gate()
            await here.settle()
            assert here.forge.ledger == []
            name = here.repository.name
            await here.world.store.transaction(lambda tx: effects.again(tx, name, START))
            await here.settle()
            found = await here.world.store.read(lambda tx: tx.find(StoredEffect, state="failed"))
            assert found == []
            assert len(here.forge.ledger) == 1

    asyncio.run(asyncio.wait_for(work(), 60))
