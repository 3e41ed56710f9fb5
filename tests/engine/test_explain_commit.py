"""
Of everything that happened to a commit or a pull request, what is told when somebody asks.

Several events are about one commit: the push, the making of its branch, replays.
"""

from __future__ import annotations

import asyncio

import pytest
from playing import play, runs

from windlass.core.errors import UserError
from windlass.engine.explain import explain_commit
from windlass.engine.requests.replay import Replay
from windlass.engine.wording import commit_id

CONFIGURATION = """\
listeners:
  feature: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}
  check: {on: pull_request, do: [{pipeline: ci}]}
pipelines: {ci: {jobs: {test: {steps: [{run: make}]}}}}
"""
PUSH = {"push": {"branch": "FB1", "files": {"app.txt": "two"}}}
OPEN = {"open": {"number": 7, "head": "topic", "files": {"app.txt": "two"}}}


async def again(here, event):
    """An event once more, and how things are after it."""
    await here.requests.replay(Replay(token=f"replay-{event:032}", events=(event,)), by="bob")
    await here.settle()


def test_the_push_of_a_new_branch_is_told_and_not_that_the_branch_was_made(tmp_path):
    """The newest event is another one; it and the replays are named at the end."""

    async def work(here, story):
        await story.play([PUSH])
        await again(here, 1)
        sha = here.origin.at("refs/heads/FB1")
        for asked in (sha, sha[:7].upper()):
            found = await here.requests.explain_commit("shop", asked)
            assert found.event.number == 1
            assert "  feature: started run 1" in found.lines
            assert found.lines[-1] == (
                "Also about this commit:"
                " event 2 (branch created), event 3 (replay), event 4 (replay)."
            )

    play(tmp_path, CONFIGURATION, work)


def test_of_several_pushes_the_one_that_started_something_is_told(tmp_path):
    """A branch at the same commit that no listener wants is newer, and says nothing."""

    async def work(here, story):
        await story.play([PUSH])
        here.origin.git("update-ref", "refs/heads/other", here.origin.at("refs/heads/FB1"))
        await story.again("other")
        await here.settle()
        found = await here.requests.explain_commit("shop", here.origin.at("refs/heads/FB1"))
        assert found.event.number == 1
        assert found.lines[-1] == (
            "Also about this commit: event 3 (push), event 2 (branch created)."
        )

    play(tmp_path, CONFIGURATION, work)


def test_of_a_pull_request_the_newest_event_is_told_and_no_replay(tmp_path):
    """What repeats an older one comes after it, and is only named."""

    async def work(here, story):
        await story.play([OPEN, {"update": {"number": 7, "files": {"app.txt": "three"}}}])
        await again(here, 1)
        found = await here.requests.explain_pull_request("shop", 7)
        assert found.event.number == 2
        assert found.lines[-1] == (
            "Also about this pull request: event 1 (pull_request opened), event 3 (replay)."
        )

    play(tmp_path, CONFIGURATION, work)


def test_a_merge_that_was_made_for_a_test_is_told_by_its_pull_request(tmp_path):
    """`runs list` shows its id; nobody has pushed it, and no event is about it."""

    async def work(here, story):
        here.origin.git("update-ref", "refs/heads/old", here.origin.at("refs/heads/main"))
        await story.play([{"push": {"branch": "main", "files": {"b": "1"}, "told": False}}])
        await story.play([{"open": {**OPEN["open"], "start": "old"}}])
        (run,) = await runs(here)
        assert run.sha != run.status_sha
        found = await here.requests.explain_commit("shop", run.sha[:12])
        assert found.event.number == 1
        assert found.lines[0] == (
            f"{run.sha[:12]} is {run.status_sha[:12]} merged with main for the test in run 1."
        )
        assert "  check: started run 1" in found.lines

    play(tmp_path, CONFIGURATION, work)


@pytest.mark.parametrize("said", ["zzz", "main", "../../x", "abc", "", "0" * 65, "x\x1b[31m"])
def test_what_is_no_commit_id_is_refused(said):
    """And what one looks like is said."""
    with pytest.raises(UserError, match="is no commit id: give seven digits of it or more"):
        commit_id(said)
    assert commit_id(" 0123ABC\n") == "0123abc"


def test_nonsense_is_asked_of_nobody():
    """Neither the store nor the code host sees it."""
    with pytest.raises(UserError, match="'main' is no commit id"):
        asyncio.run(explain_commit(None, "shop", "main"))
