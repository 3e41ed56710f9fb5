"""Why did, or did not, this happen: the answers, word for word (tests/golden/explain/NAME.txt)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from harness import stage
from story import Story

GOLDEN = Path(__file__).parent.parent / "golden" / "explain"
CONFIGURATION = """\
listeners:
  feature:
    on: push
    branches: ["FB*"]
    do: [{build: api}, {deploy: api, environment: dev}]
  docs: {on: push, branches: ["FB*"], paths: ["docs/**"], do: [{pipeline: ci}]}
  check: {on: pull_request, base: [main], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{name: unit, run: exit 3}]}}}
services:
  api: {build: {steps: [{run: "mkdir dist; echo x > dist/app"}], artifacts: [dist/]}}
environments:
  dev: {target: {directory: {path: /srv/dev}}, approval: {approvers: [bob]}}
"""
PUSH = {"push": {"branch": "FB1", "files": {"app.txt": "two"}}}
OPEN = {"open": {"number": 7, "head": "topic", "files": {"app.txt": "two"}}}
CASES = {
    "matched-and-missed": [PUSH],
    "approved": [PUSH, {"ask": {"what": "approve", "deployment": 1, "by": "bob"}}],
    "rejected": [
        PUSH,
        {"ask": {"what": "reject", "deployment": 1, "by": "bob", "why": "not today"}},
    ],
    "cancelled": [PUSH, {"ask": {"what": "cancel", "run": 1, "by": "ada"}}],
    "no-listener-matched": [{"push": {"branch": "topic", "files": {"app.txt": "two"}}}],
    "skipped": [{"push": {"branch": "FB1", "files": {"app.txt": "two"}, "message": "x [skip ci]"}}],
    "failed": [OPEN],
    "held": [{"open": {**OPEN["open"], "by": "eve", "fork": True}}],
    "conflict": [
        {"push": {"branch": "main", "files": {"app.txt": "one"}, "told": False}},
        {"open": {**OPEN["open"], "start": "old"}},
    ],
    "no-configuration": [
        {"push": {"branch": "main", "files": {".windlass.yaml": None}}},
    ],
    "faulty": [{"push": {"branch": "main", "files": {".windlass.yaml": "listeners: {a: {}}\n"}}}],
    "deleted": [PUSH, {"delete": {"branch": "FB1"}}],
    "asked-by-a-person": [
        PUSH,
        {"ask": {"what": "approve", "deployment": 1, "by": "bob"}},
        {
            "ask": {
                "what": "deploy",
                "repository": "shop",
                "service": "api",
                "environment": "dev",
                "ref": "FB1",
                "by": "ada",
                "why": "show it",
            }
        },
    ],
}
NUMBERS = {"deleted": 3, "asked-by-a-person": 3}


async def told(case, place):
    """The lines about the event that this case is about."""
    async with stage(place, {"app.txt": "old\n", ".windlass.yaml": CONFIGURATION}) as here:
        here.origin.git("update-ref", "refs/heads/old", here.origin.at("refs/heads/main"))
        await Story(here).play(CASES[case])
        return (await here.requests.explain(NUMBERS.get(case, 1))).lines


def check(name, text):
    """As reviewed; WINDLASS_ACCEPT=1 writes what is to be reviewed."""
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("WINDLASS_ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_as_reviewed(case, tmp_path):
    """A changed word in an answer is a decision, seen in a review."""
    lines = asyncio.run(asyncio.wait_for(told(case, tmp_path), 60))
    check(case, "\n".join(lines) + "\n")


async def told_of_commits(place):
    """Why nothing happened for commits of which no event tells."""
    async with stage(place, {".windlass.yaml": CONFIGURATION}) as here:
        story = Story(here)
        unheard = here.origin.commit("FB1", {"app.txt": "1"}, "Unheard", "main")
        lines = [*(await here.requests.explain_commit("shop", unheard)).lines]
        await story.push("FB1", {"app.txt": "2"})
        await here.settle()
        lines += (await here.requests.explain_commit("shop", unheard)).lines
        lines += (await here.requests.explain_commit("shop", "0" * 39 + "1")).lines
        return lines


def test_also_what_never_came_is_explained(tmp_path):
    """A webhook that is lost, a commit in the middle of a push, a commit from nowhere."""
    lines = asyncio.run(asyncio.wait_for(told_of_commits(tmp_path), 60))
    check("never-came", "\n".join(lines) + "\n")
