"""Forges of other ages leave fields out or word them otherwise, and are read all the same."""

from __future__ import annotations

import json

import pytest

from windlass.core.event import Ignored
from windlass.ports.forge import Request
from windlass.wiring.dialects import DIALECTS

OLD, NEW, MADE = "a" * 40, "b" * 40, "c" * 40


def read(forge, body, **headers):
    """What a body means, sent with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(body).encode()
    return DIALECTS[forge].read(Request(headers=named, body=body, at=0.0), "acme/shop")


def one(forge, body, **headers):
    """The only event of a body."""
    (event,) = read(forge, body, **headers)
    return event


MERGE_REQUEST = {
    "iid": 3, "title": "Add one", "source_branch": "one", "target_branch": "main",
    "source_project_id": 7, "target_project_id": 7, "last_commit": {"id": NEW},
}  # fmt: skip


def asked(action, changes=None, **more):
    """A merge request of GitLab."""
    request = {**MERGE_REQUEST, "action": action, **more}
    return {"object_kind": "merge_request", "object_attributes": request, "changes": changes or {}}


def retitled(before, after):
    return asked("update", {"title": {"previous": before, "current": after}}, title=after)


@pytest.mark.parametrize(
    ("before", "after", "action", "draft"),
    [
        ("Draft: Add one", "Add one", "ready", False),
        ("[WIP] Add one", "Add one", "ready", False),
        ("Add one", "(Draft) Add one", "drafted", True),
        ("Draft: Add one", "Draft: Add two", "edited", True),
        ("Draft the law", "Add one", "edited", False),
    ],
)
def test_a_title_tells_the_draft_where_gitlab_does_not(before, after, action, draft):
    """GitLab before 15 reports that a draft is ready as another title and nothing else."""
    event = one("gitlab", retitled(before, after))
    assert (event.action, event.draft) == (action, draft)


@pytest.mark.parametrize(
    ("flags", "draft"),
    [({}, True), ({"work_in_progress": False}, False), ({"draft": False}, False)],
)
def test_the_flag_of_a_draft_counts_before_its_title(flags, draft):
    """The title decides only where GitLab has no word of its own."""
    event = one("gitlab", asked("open", title="WIP: Add one", **flags))
    assert event.draft is draft


def test_a_new_branch_of_gitlab_has_its_commit_without_checkout_sha():
    """What is checked out is what was pushed, where it is not said apart."""
    body = {"object_kind": "push", "ref": "refs/heads/one", "before": "0" * 40, "after": NEW}
    assert [event.sha for event in read("gitlab", body)] == [NEW, NEW]


def test_a_push_is_told_in_the_words_of_its_newest_commit():
    """In whichever order GitLab lists the commits."""
    commits = [{"id": NEW, "message": "Newer"}, {"id": OLD, "message": "Older"}]
    body = {"ref": "refs/heads/one", "before": MADE, "after": NEW, "commits": commits}
    assert one("gitlab", {"object_kind": "push", **body}).message == "Newer"


@pytest.mark.parametrize("forge", ["github", "gitea", "gogs"])
@pytest.mark.parametrize("named", ["login", "username", "name"])
def test_who_pushed_is_the_sender_where_no_sender_is_told(forge, named):
    """The oldest pushes name their pusher alone."""
    body = {"ref": "refs/heads/one", "before": OLD, "after": NEW, "pusher": {named: "ada"}}
    headers = {f"x_{forge}_event": "push"}
    assert one(forge, body, **headers).sender == "ada"


HOME, THEIRS = {"id": 7, "full_name": "acme/shop"}, {"id": 8, "full_name": "eve/shop"}


@pytest.mark.parametrize(
    ("head", "base", "fork"),
    [
        ({"repo": HOME}, {"repo": HOME}, False),
        ({"repo": THEIRS}, {"repo": HOME}, True),
        ({"repo": {**HOME, "full_name": "eve/shop"}}, {"repo": HOME}, True),
        ({"repo": {"full_name": "acme/shop"}}, {"repo": {"full_name": "acme/shop"}}, False),
        ({"repo": None, "repo_id": 7}, {"repo": HOME, "repo_id": 7}, True),
        ({"repo_id": 7}, {"repo_id": 7}, False),
        ({"repo_id": 8}, {"repo_id": 7}, True),
        ({"repo": {}}, {"repo": {}}, True),
        ({}, {}, True),
    ],
)
def test_a_repository_that_is_not_told_is_a_strangers(head, base, fork):
    """By every name that is there; what is not told never counts as our own."""
    sides = {
        "head": {"ref": "one", "sha": NEW, **head},
        "base": {"ref": "main", "sha": OLD, **base},
    }
    body = {"action": "opened", "number": 3, "pull_request": {"title": "Add one", **sides}}
    event = one("gitea", body, x_gitea_event="pull_request")
    assert (event.fork, event.number) == (fork, 3)


SIDE = {"latestCommit": NEW, "repository": {"id": 7}}
CENTER = {
    "id": 3, "title": "Add one", "fromRef": {**SIDE, "id": "refs/heads/one"},
    "toRef": {**SIDE, "id": "refs/heads/main"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("links", "page"),
    [
        ({"self": [None]}, None),
        ({"self": []}, None),
        ({}, None),
        ({"self": [None, {"href": "https://forge.example/3"}]}, "https://forge.example/3"),
    ],
)
def test_bitbucket_server_may_not_know_where_it_is(links, page):
    """Version 5 lists a null as the page of a pull request."""
    body = {"eventKey": "pr:opened", "pullRequest": {**CENTER, "links": links}}
    assert one("bitbucket-dc", body).url == page


def cloud(source, target, commit=None):
    """A pull request of Bitbucket Cloud between two repositories."""
    head = {"branch": {"name": "one"}, "repository": source, "commit": commit}
    base = {"branch": {"name": "main"}, "repository": target, "commit": {"hash": OLD[:12]}}
    pull = {"id": 3, "title": "Add one", "source": head, "destination": base}
    return one("bitbucket-cloud", {"pullrequest": pull}, x_event_key="pullrequest:rejected")


@pytest.mark.parametrize(("name", "fork"), [("acme/shop", False), ("eve/shop", True)])
def test_a_fork_of_bitbucket_is_told_by_its_name_where_it_has_no_id(name, fork):
    """Older bodies have no `uuid` of a repository."""
    event = cloud({"full_name": name}, {"full_name": "acme/shop"})
    assert (event.fork, event.fork_owner) == (fork, "eve" if fork else "")


def test_a_declined_pull_request_may_have_lost_its_branch():
    """Then Bitbucket has no commit of it, and the rest is told."""
    event = cloud(None, {"uuid": "{7}"})
    assert (event.label, event.number, event.head_sha, event.fork) == (
        "pull_request closed", 3, None, True,
    )  # fmt: skip


AZURE = {
    "pullRequestId": 3, "title": "Add one", "status": "active", "sourceRefName": "refs/heads/one",
    "targetRefName": "refs/heads/main", "lastMergeSourceCommit": {"commitId": NEW},
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "page"),
    [
        ({"repository": {"id": "7", "webUrl": "https://forge.example/shop"}}, "shop/pullrequest/3"),
        ({"repository": {"id": "7", "remoteUrl": "https://forge.example/g"}}, "g/pullrequest/3"),
        (
            {
                "repository": {"id": "7"},
                "_links": {"web": {"href": "https://forge.example/seen/3"}},
            },
            "seen/3",
        ),
    ],
)
def test_the_page_of_azures_pull_request(told, page):
    """Server 2015 to 2018 tell where to clone from, and no `webUrl`."""
    body = {"eventType": "git.pullrequest.created", "resource": {**AZURE, **told}}
    assert one("azure", body).url == f"https://forge.example/{page}"


def test_azures_first_version_of_a_comment_is_ignored_with_a_reason():
    """It is the comment alone, so that nobody can tell whose it is."""
    body = {"eventType": "ms.vss-code.git-pullrequest-comment-event", "resource": {"id": 2}}
    found = read("azure", body)
    assert isinstance(found, Ignored)
    assert "2.0" in found.reason
