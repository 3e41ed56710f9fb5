"""
What a listener that missed almost was, word for word (tests/golden/explain/near-NAME.txt).

Each is one listener, one event, and the answer that page, API and command line print.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from windlass.cli.local.judging import judge
from windlass.config.schema import load
from windlass.core.event import Event, Kind
from windlass.ports.forge import Request

GOLDEN = Path(__file__).parent.parent / "golden" / "explain"
SHA = "0123456789abcdef0123456789abcdef01234567"


def push(branch, *files, **more):
    return Event(
        kind=Kind.PUSH, action="pushed", repository="shop", sha=SHA, branch=branch,
        files=files or None, **more,
    )  # fmt: skip


def pull(action, head="topic", base="main", **more):
    return Event(
        kind=Kind.PULL_REQUEST, action=action, repository="shop", sha=SHA, number=7, head=head,
        base=base, files=("a",), **more,
    )  # fmt: skip


def tag(name, action="created"):
    return Event(kind=Kind.TAG, action=action, repository="shop", sha=SHA, tag=name)


CASES = {
    "case": ('{on: push, branches: ["FB*"]}', push("fb1", "a")),
    "full-ref": ("{on: push, branches: [refs/heads/main]}", push("main", "a")),
    "remote": ('{on: push, branches: ["origin/FB*"]}', push("FB1", "a")),
    "too-deep": ('{on: push, branches: ["feature/*"]}', push("feature/a/b", "a")),
    "folder-only": ("{on: push, branches: [feature]}", push("feature/a", "a")),
    "below-a-person": ('{on: push, branches: ["FB*"]}', push("ada/FB1", "a")),
    "misspelt": ("{on: push, branches: [develop, main]}", push("devlop", "a")),
    "taken-back": ('{on: push, branches: ["FB*", "!FB2"]}', push("FB2", "a")),
    "nothing-near": ('{on: push, branches: ["FB*"]}', push("topic", "a")),
    "base": ("{on: pull_request, base: [master]}", pull("opened", base="Master")),
    "head": ('{on: pull_request, head: ["fix/**"]}', pull("opened", head="fix")),
    "label": ("{on: pull_request, labels: [deploy]}", pull("opened", labels=("ui", "Deploy"))),
    "tag": ('{on: tag, tags: ["1.*"]}', tag("v1.0")),
    "closed": ("{on: pull_request}", pull("closed")),
    "merged": ("{on: {pull_request: [merged]}}", pull("closed")),
    "tag-is-no-push": ("{on: push}", tag("v1.0")),
    "tag-deleted": ("{on: tag}", tag("v1.0", "deleted")),
    "path-taken-back": (
        '{on: push, paths: ["services/**", "!**/*.md"]}',
        push("main", "services/README.md", "b"),
    ),
    "path-case": ('{on: push, paths: ["Docs/**"]}', push("main", "docs/a")),
    "path-from-here": ('{on: push, paths: ["./docs/**"]}', push("main", "docs/a")),
    "files-unknown": ('{on: push, paths: ["docs/**"]}', push("main")),
    "files-unknown-in-if": ("{on: push, if: size(files) > 3}", push("main")),
    "files-do-not-matter": ('{on: push, branches: ["v?"], paths: ["docs/**"]}', push("main")),
    "if-false": ('{on: push, if: event.sender == "ada"}', push("main", "a", sender="bob")),
    "matched": ("{on: push}", push("main", "a")),
    "ping": ("{on: push}", Event(kind=Kind.PING, action="pinged", repository="shop")),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_nearest_is_said_as_reviewed(case):
    """WINDLASS_ACCEPT=1 writes what is to be reviewed."""
    written, event = CASES[case]
    written = f"{written[:-1]}, do: [{{pipeline: ci}}]}}"
    text = (
        f"listeners:\n  one: {written}\npipelines: {{ci: {{jobs: {{a: {{steps: [{{run: x}}]}}}}}}}}"
    )
    listeners = load({".windlass.yaml": text.encode()}).listeners
    judged = judge(listeners, event, Request(headers={}, body=b"{}", at=0.0), None)
    said = f"one: {CASES[case][0]}\n\n" + "\n".join(judged.lines) + "\n"
    golden = GOLDEN / f"near-{case}.txt"
    if os.environ.get("WINDLASS_ACCEPT"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


def test_no_answer_is_left_of_a_case_that_is_gone():
    """Every reviewed text is still asked for."""
    there = {path.stem.removeprefix("near-") for path in GOLDEN.glob("near-*.txt")}
    assert there == set(CASES)
