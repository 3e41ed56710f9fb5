"""What no recorded webhook shows: reviews, drafts, labels, forks and several things at once."""

from __future__ import annotations

import json

import pytest

from windlass.core.event import Ignored
from windlass.ports.forge import Request
from windlass.wiring.dialects import DIALECTS

OLD, NEW = "a" * 40, "b" * 40
SIDE = {"ref": "main", "sha": OLD, "repo": {"id": 7}}
PULL = {"number": 3, "title": "Add one", "base": SIDE, "head": {**SIDE, "ref": "one", "sha": NEW}}
ADA, BOB = {"login": "ada", "id": 1}, {"login": "bob", "id": 2}
REQUEST = {
    "iid": 3,
    "title": "Add one",
    "source_branch": "one",
    "target_branch": "main",
    "source_project_id": 7,
    "target_project_id": 7,
    "last_commit": {"id": NEW},
}


def read(forge, body, event=""):
    header = "gitea" if forge == "forgejo" else forge
    request = Request(headers={f"x-{header}-event": event}, body=json.dumps(body).encode(), at=0.0)
    found = DIALECTS[forge].read(request, "acme/shop")
    return () if isinstance(found, Ignored) else found


def asked(action, changes=None, **more):
    told = {**REQUEST, "action": action, **more}
    return read(
        "gitlab",
        {"object_kind": "merge_request", "object_attributes": told, "changes": changes or {}},
    )


def label(*names):
    return [{"title": name} for name in names]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"draft": {"previous": True, "current": False}, "title": {}}, ["ready"]),
        ({"draft": {"previous": False, "current": True}, "title": {}}, ["drafted"]),
        ({"title": {"previous": "x", "current": "y"}}, ["edited"]),
        ({"title": {"current": "y"}, "description": {"current": "z"}}, ["edited"]),
        ({"target_branch": {"current": "y"}}, ["edited"]),
        ({"labels": {"previous": label("a"), "current": label("a", "b")}}, ["labeled"]),
        ({"labels": {"previous": label("a"), "current": []}}, ["unlabeled"]),
        ({"labels": {"previous": label("a"), "current": label("b")}}, ["labeled", "unlabeled"]),
        ({"assignees": {"current": []}}, []),
        ({}, []),
    ],
)
def test_an_update_of_gitlab_is_told_apart(changes, expected):
    """By what changed; what Windlass has no word for is ignored."""
    assert [event.action for event in asked("update", changes)] == expected


def test_an_update_of_gitlab_may_be_several_events():
    """New commits and a label in one delivery; only the first has a commit before."""
    changes = {"labels": {"previous": [], "current": label("hold")}}
    updated, labeled = asked("update", changes, oldrev=OLD)
    assert (updated.action, updated.before, updated.sha) == ("updated", OLD, NEW)
    assert (labeled.action, labeled.before, labeled.sha) == ("labeled", None, NEW)


@pytest.mark.parametrize(
    ("action", "label"),
    [
        ("approved", "review approved"),
        ("approval", "review approved"),
        ("unapproved", "review dismissed"),
        ("unapproval", "review dismissed"),
    ],
)
def test_an_approval_of_gitlab_is_a_review(action, label):
    """Of the head, whether it is the last that was needed or not."""
    (event,) = asked(action)
    assert (event.label, event.head_sha) == (label, NEW)


@pytest.mark.parametrize(("source", "fork"), [(7, False), (8, True), (None, True)])
def test_a_fork_of_gitlab_is_told_by_its_project(source, fork):
    """Another project's branch, or that of one that is gone, is a stranger's."""
    (event,) = asked("open", source_project_id=source)
    assert event.fork is fork


@pytest.mark.parametrize(
    ("made", "expected"),
    [({"merge_commit_sha": OLD}, OLD), ({"squash_commit_sha": OLD}, OLD), ({}, NEW)],
)
def test_a_merge_of_gitlab_is_the_commit_that_it_made(made, expected):
    """The merge commit, else the squashed one, else the head itself."""
    (event,) = asked("merge", **made)
    assert (event.action, event.sha, event.head_sha) == ("merged", expected, NEW)


def test_a_merge_request_without_commits_is_ignored():
    """There is nothing that could be tested."""
    assert asked("open", last_commit=None) == ()


def reviewed(action, state, **more):
    review = {"state": state, "user": BOB, "body": "ok", **more}
    body = {"action": action, "review": review, "pull_request": PULL, "sender": ADA}
    return read("github", body, "pull_request_review")


@pytest.mark.parametrize("state", ["approved", "changes_requested", "commented"])
def test_a_review_of_github_is_of_the_commit_that_was_seen(state):
    """An approval of an older commit says nothing about the head."""
    (event,) = reviewed("submitted", state, commit_id=OLD)
    assert (event.action, event.sha, event.head_sha) == (state, OLD, OLD)
    assert event.sender_id == "1"


def test_a_dismissed_review_takes_back_its_reviewers_word():
    """Whoever dismissed it, the approval that ends is the reviewer's."""
    (event,) = reviewed("dismissed", "dismissed", commit_id=OLD)
    assert (event.action, event.sender, event.sender_id) == ("dismissed", "bob", "2")
    assert reviewed("submitted", "pending") == ()


@pytest.mark.parametrize("forge", ["gitea", "forgejo"])
@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("pull_request_approved", "approved"),
        ("pull_request_rejected", "changes_requested"),
        ("pull_request_comment", "commented"),
    ],
)
def test_a_review_of_gitea_is_told_by_its_event(forge, name, action):
    """The body says it in other words; the event is enough."""
    (event,) = read(forge, {"pull_request": PULL, "review": {"content": "ok"}, "sender": ADA}, name)
    assert (event.kind, event.action, event.body) == ("review", action, "ok")


@pytest.mark.parametrize(
    ("before", "now", "action"),
    [
        ("WIP: Add one", "Add one", "ready"),
        ("Add one", "[WIP] Add one", "drafted"),
        ("Add one", "Add two", "edited"),
        (None, "Add one", "edited"),
    ],
)
def test_a_draft_of_gitea_is_told_by_its_title(before, now, action):
    """Older ones say it nowhere else."""
    changes = {"title": {"from": before}} if before else {"body": {"from": ""}}
    body = {"action": "edited", "changes": changes, "pull_request": {**PULL, "title": now}}
    (event,) = read("gitea", body, "pull_request")
    assert (event.action, event.draft) == (action, "WIP" in now)


def test_a_comment_on_a_line_knows_its_pull_request():
    """Branches and commit are there, also whether it comes from a fork."""
    head = {**PULL["head"], "repo": {"id": 8}}
    pull, said = {**PULL, "head": head}, {"body": "/deploy"}
    body = {"action": "created", "comment": said, "pull_request": pull, "sender": ADA}
    (event,) = read("github", body, "pull_request_review_comment")
    assert (event.kind, event.number, event.base, event.head) == ("comment", 3, "main", "one")
    assert (event.sha, event.fork, event.body) == (NEW, True, "/deploy")
