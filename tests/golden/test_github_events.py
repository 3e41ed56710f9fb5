"""What GitHub's recorded webhooks mean, each in one line."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored
from windlass.forges.github.dialect import GitHubDialect
from windlass.ports.forge import Request

# Recorded by others and kept beside the project, not in it.
RECORDED = Path(__file__).resolve().parents[3] / "shared/payloads/drone-go-scm/github"

ADA = "by bradrydzewski/817538"
READY = "rathodmeetsatish-patch-25->main 212015f <- -"
ONE = "#1 master->bradrydzewski-patch-1"

# File -> event header and what comes of it: events, or why it is ignored.
MEANINGS = {
    "branch_create": ("create", "GitHub's create tells what its push has told"),
    "branch_delete": ("delete", "GitHub's delete tells what its push has told"),
    "check_run": ("check_run", "Windlass does nothing with GitHub's check_run"),
    "deployment": ("deployment", "Windlass does nothing with GitHub's deployment"),
    "pr_closed": ("pull_request", [f"pull_request closed {ONE} d2b75aa <- - {ADA}"]),
    "pr_edited": ("pull_request", [f"pull_request edited {ONE} d2b75aa <- - {ADA}"]),
    "pr_labeled": (
        "pull_request",
        [f"pull_request labeled {ONE} d2b75aa <- - {ADA} bug,documentation"],
    ),
    "pr_opened": ("pull_request", [f"pull_request opened {ONE} d2b75aa <- - {ADA}"]),
    "pr_ready_for_review": (
        "pull_request",
        [f"pull_request ready #38 {READY} by rathodmeetsatish/84321134"],
    ),
    "pr_reopened": ("pull_request", [f"pull_request reopened {ONE} d2b75aa <- - {ADA}"]),
    "pr_sync": ("pull_request", [f"pull_request updated {ONE} 8102e37 <- d2b75aa {ADA}"]),
    "pr_unlabeled": ("pull_request", [f"pull_request unlabeled {ONE} d2b75aa <- - {ADA}"]),
    "push": ("push", ["push master 199eddf <- a10867b by Codertocat/21031067 1 files"]),
    "push_branch_create": (
        "push",
        [
            f"push feature-branch d2b75aa <- - {ADA}",
            f"branch created feature-branch d2b75aa <- - {ADA}",
        ],
    ),
    "push_branch_delete": ("push", [f"branch deleted feature-branch - <- d2b75aa {ADA}"]),
    "push_tag": ("push", [f"tag created v0.0.1 d2b75aa <- - {ADA}"]),
    "push_tag_delete": ("push", [f"tag deleted v0.0.1 - <- d2b75aa {ADA}"]),
    "status": ("status", "Windlass does nothing with GitHub's status"),
    "tag_create": ("create", "GitHub's create tells what its push has told"),
    "tag_delete": ("delete", "GitHub's delete tells what its push has told"),
}

SIDE = {"ref": "main", "sha": "a" * 40, "repo": {"id": 7}}
PULL = {"number": 3, "title": "Add one", "base": SIDE, "head": {**SIDE, "ref": "one"}}
PERSON = {"sender": {"login": "ada", "id": 42}}


def said(event):
    """An event in one line: what, where, which commit, from where, by whom."""
    place = event.branch or event.tag or f"#{event.number} {event.head}->{event.base}"
    words = [event.label, place, (event.sha or "-")[:7], "<-", (event.before or "-")[:7]]
    words += ["by", f"{event.sender}/{event.sender_id}"]
    words += ["fork"] if event.fork else []
    words += ["draft"] if event.draft else []
    words += [",".join(event.labels)] if event.labels else []
    words += [f"{len(event.files)} files"] if event.files is not None else []
    return " ".join(words)


def meaning(name, body):
    """What a body of this event means: lines, or the reason why nothing."""
    request = Request(headers={"x-github-event": name}, body=body, at=0.0)
    found = GitHubDialect().read(request, "acme/shop")
    return found.reason if isinstance(found, Ignored) else [said(event) for event in found]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded webhooks beside the project")
@pytest.mark.parametrize("file", MEANINGS)
def test_a_recorded_webhook_means_this(file):
    """What GitHub really sent is read as written down here."""
    name, expected = MEANINGS[file]
    assert meaning(name, (RECORDED / f"{file}.json").read_bytes()) == expected


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded webhooks beside the project")
def test_every_recorded_webhook_is_read_calmly():
    """Whatever its header says, a recorded body gives events, a reason or BadDelivery."""
    for path in RECORDED.glob("*.json"):
        for name in ("push", "pull_request", "ping", "create", "other"):
            with contextlib.suppress(BadDelivery):
                assert meaning(name, path.read_bytes())


@pytest.mark.parametrize(
    ("action", "more", "expected"),
    [
        ("closed", {"merged": True, "merge_commit_sha": "c" * 40}, "merged #3 one->main ccccccc"),
        ("closed", {"merged": False, "merge_commit_sha": "c" * 40}, "closed #3 one->main aaaaaaa"),
        ("converted_to_draft", {"draft": True}, "drafted #3 one->main aaaaaaa"),
    ],
)
def test_the_end_of_a_pull_request_is_told_apart(action, more, expected):
    """Merged is an event of its own, with the commit that the merge made."""
    body = json.dumps({"action": action, "pull_request": {**PULL, **more}, **PERSON})
    (line,) = meaning("pull_request", body.encode())
    assert line.startswith(f"pull_request {expected}")


@pytest.mark.parametrize(
    ("head", "fork"),
    [({"id": 7}, False), ({"id": 8}, True), (None, True)],
)
def test_a_fork_is_told_by_its_repository(head, fork):
    """Another repository's branch, or that of one that is gone, is a stranger's."""
    pull = {**PULL, "head": {**SIDE, "repo": head}}
    body = json.dumps({"action": "opened", "pull_request": pull, **PERSON})
    (line,) = meaning("pull_request", body.encode())
    assert ("fork" in line) is fork


def test_other_actions_are_ignored():
    """What Windlass has no word for is kept with the reason."""
    body = json.dumps({"action": "assigned", "pull_request": PULL})
    assert meaning("pull_request", body.encode()) == (
        "Windlass does nothing with GitHub's pull_request assigned"
    )


CHANGE = {"added": ["new"], "removed": ["gone"], "modified": ["README"]}
PUSH = {"ref": "refs/heads/main", "before": "a" * 40, "after": "b" * 40, **PERSON}


@pytest.mark.parametrize(
    ("more", "files"),
    [
        ({"commits": [CHANGE, CHANGE]}, "3 files"),
        ({"commits": [CHANGE] * 20}, ""),
        ({"commits": [{**CHANGE, "added": ["x"] * 300}]}, ""),
        ({"commits": [CHANGE], "forced": True}, ""),
        ({"commits": [CHANGE], "created": True}, ""),
        ({"commits": []}, ""),
    ],
)
def test_files_are_complete_or_left_to_git(more, files):
    """A list that GitHub may have cut short is never taken for the whole."""
    (line,) = meaning("push", json.dumps({**PUSH, **more}).encode())
    assert line.endswith(files or "ada/42")


def test_a_form_is_told_how_to_be_set_right():
    """A webhook that is sent as a form says what to change at GitHub."""
    form = {"x-github-event": "push", "content-type": "application/x-www-form-urlencoded"}
    with pytest.raises(BadDelivery, match="content type"):
        GitHubDialect().read(Request(headers=form, body=b"payload=", at=0.0), "x")
