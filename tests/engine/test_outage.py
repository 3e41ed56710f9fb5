"""The forge is down for an hour, our hook is deleted meanwhile, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

from harness import NAME, stage
from story import Story

from windlass.core.errors import Transient
from windlass.core.event import Kind
from windlass.engine.hooks import ensure
from windlass.engine.ids import Ids
from windlass.engine.recover import Recovery
from windlass.ports.forge import PullRequest, PullState, StatusState
from windlass.ports.records import StoredEffect, StoredEvent, StoredRun

CONFIGURATION = """\
listeners:
  feature: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}
  pull-request: {on: pull_request, base: [main], do: [{pipeline: ci}]}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
"""
PUSHES, PULLS = 200, 20
HOUR = 3600.0


class Down(list):
    """Failures without an end."""

    def __bool__(self):
        return True

    def pop(self, _at=0):
        """Every call fails alike."""
        return Transient("the forge is down")


async def look(here):
    """What the timer does: the hook first, then what was missed, and what comes of it."""
    await ensure(here.world, here.repository)
    recovery = Recovery(here.world, here.receive, Ids(here.clock.now))
    looking = asyncio.create_task(recovery(here.repository))
    while not looking.done():
        await asyncio.sleep(0)
        here.clock.go_on(0.5)
    await here.settle()
    return looking.result()


async def play(here):
    story, forge = Story(here), here.forge
    repository = forge.repositories[here.url]
    await ensure(here.world, here.repository)
    # A run ends just as the forge goes down: its result has to wait.
    await story.push("FB-before", {"a": "0"})
    forge.failures, repository.hook = Down(), None
    await here.settle()
    pushed = {}
    for number in range(PUSHES):
        branch = f"FB{number}"
        await story.push(branch, {"a": str(number)}, told=False)
        pushed[branch] = here.origin.at(f"refs/heads/{branch}")
    for number in range(1, PULLS + 1):
        head = f"topic{number}"
        story.commit(head, {"b": str(number)}, f"Add {head}", "main")
        sha = here.origin.at(f"refs/heads/{head}")
        here.origin.git("update-ref", f"refs/pull/{number}/head", sha)
        repository.pulls.add(number)
        repository.proposals[number] = PullRequest(
            number=number,
            title=f"Add {head}",
            author="ada",
            author_id="ada",
            base="main",
            head=head,
            head_sha=sha,
            state=PullState.OPEN,
        )
    await here.wait(HOUR)
    assert forge.ledger == []
    forge.failures = []
    repository.heads |= {sha: sha for sha in here.origin.heads().values()}
    await look(here)
    assert repository.hook is not None
    for _ in range(12):
        await here.wait(300.0)
    assert await look(here) == 0
    return pushed


def test_an_hour_without_the_forge_loses_nothing(tmp_path):
    """Every push and pull request is one event, every commit has its result, the hook is back."""

    async def whole():
        async with stage(tmp_path, {".windlass.yaml": CONFIGURATION}) as here:
            await here.settle()
            pushed = await play(here)
            events = await here.world.store.read(lambda tx: tx.find(StoredEvent))
            runs = await here.world.store.read(lambda tx: tx.find(StoredRun))
            effects = await here.world.store.read(lambda tx: tx.find(StoredEffect))
            told = Counter(one.sha for one in events if one.kind == Kind.PUSH)
            assert all(told[sha] == 1 for sha in pushed.values())
            opened = Counter(one.pull_request for one in events if one.kind == Kind.PULL_REQUEST)
            assert opened == Counter(range(1, PULLS + 1))
            assert {one.repository for one in events} == {NAME}
            assert {str(one.state) for one in runs} == {"succeeded"}
            said = [here.forge.statuses(here.url, one.status_sha) for one in runs]
            assert {status.state for each in said for status in each.values()} == {
                StatusState.SUCCESS
            }
            assert all(each for each in said)
            assert [one for one in effects if one.state != "done"] == []

    asyncio.run(asyncio.wait_for(whole(), 110))
