"""
GitHub: how it signs and words its webhooks.

The signature is `X-Hub-Signature-256` alone; SHA-1 counts for nothing. The
delivery's id stays the same when GitHub sends it again. A branch or tag that
comes or goes is told twice, by `push` and by `create` or `delete`: the push has
all there is to know, so the other is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from windlass.core.errors import BadDelivery
from windlass.core.event import Event, Ignored, Kind
from windlass.forges.bodies import (
    NOBODY,
    about,
    comment,
    identity,
    json_body,
    merged,
    pull_request,
    release,
)
from windlass.forges.moves import BRANCH, Moved, commit, end, short
from windlass.forges.signatures import delivery_key, header, hmac_sha256, matching, raw
from windlass.forges.strict_json import Node
from windlass.forges.times import moment
from windlass.ports.forge import Request, Verified

# What GitHub calls it -> what we call it. `closed` is `merged` when it says so.
ACTIONS: Mapping[str, str] = {
    "opened": "opened",
    "synchronize": "updated",
    "reopened": "reopened",
    "ready_for_review": "ready",
    "converted_to_draft": "drafted",
    "edited": "edited",
    "labeled": "labeled",
    "unlabeled": "unlabeled",
    "closed": "closed",
}

# The state of a review that was submitted -> what we call it.
REVIEWS: Mapping[str, str] = {
    "approved": "approved",
    "changes_requested": "changes_requested",
    "commented": "commented",
}

# Below these a push surely names every commit and every file.
COMMITS = 20
FILES = 300


class GitHubDialect:
    """The `Dialect` of GitHub."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the raw body by its HMAC-SHA256, or raise `BadDelivery`."""
        given = raw(header(request, "x-hub-signature-256"))
        secret = matching(
            secrets, lambda key: f"sha256={hmac_sha256(key, request.body)}".encode(), (given,)
        )
        return Verified(delivery_key(request, "x-github-delivery"), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body; raises nothing but `BadDelivery`."""
        body = json_body(request)
        match request.headers.get("x-github-event", ""):
            case "push":
                return _push(body, repository)
            case "pull_request":
                return _pull_request(body, repository)
            case "pull_request_review":
                return _review(body, repository)
            case "issue_comment" | "pull_request_review_comment":
                return comment(body, repository)
            case "release":
                return release(body, repository)
            case "merge_group":
                return _merge_group(body, repository)
            case "ping":
                return (about(body, repository),)
            case "create" | "delete" as name:
                return Ignored(f"GitHub's {name} tells what its push has told")
            case "":
                raise BadDelivery("there is no X-GitHub-Event header")
            case name:
                return Ignored(f"Windlass does nothing with GitHub's {name[:80]}")


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    newest = body.optional_child("head_commit") or NOBODY
    author = newest.optional_child("author") or NOBODY
    sha = newest.optional("id")
    told = replace(
        about(body, repository),
        message=newest.optional("message"),
        author=author.optional("username") or author.optional("name"),
        url=body.optional("compare"),
        files=_files(body),
        at=moment(newest.optional("timestamp")),
    )
    moved = Moved(
        ref=body.text("ref"),
        before=end(body.text("before")),
        after=end(body.text("after")),
        sha=commit(sha) if sha else None,
    )
    return tuple(moved.events(told)) or Ignored(f"{moved.ref[:200]} is no branch or tag")


def _files(body: Node) -> tuple[str, ...] | None:
    """The changed files, when GitHub surely names them all; else only Git can tell."""
    commits = body.children("commits")
    lists = [one.texts(key) for one in commits for key in ("added", "removed", "modified")]
    plain = not any(body.flag(key) for key in ("created", "deleted", "forced"))
    if not plain or not 0 < len(commits) < COMMITS or any(len(one) >= FILES for one in lists):
        return None
    return tuple(sorted({name for names in lists for name in names}))


def _pull_request(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    said = body.text("action")
    if said not in ACTIONS:
        return Ignored(f"Windlass does nothing with GitHub's pull_request {said[:80]}")
    pull, before = body.child("pull_request"), body.optional("before")
    event = replace(
        pull_request(about(body, repository), pull),
        action=ACTIONS[said],
        before=commit(before) if before else None,
    )
    return (merged(event, pull) if said == "closed" and pull.flag("merged") else event,)


def _review(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """
    A review of the commit that the reviewer saw, which may be older than the head.

    Who dismissed it GitHub tells as the sender, but what ends is the reviewer's
    word, so the sender of `dismissed` is the reviewer.
    """
    said, told = body.text("action"), body.child("review")
    state = told.optional("state") or ""
    action = "dismissed" if said == "dismissed" else REVIEWS.get(state.lower(), "")
    if said not in {"submitted", "dismissed"} or not action:
        return Ignored(f"Windlass does nothing with GitHub's review {said[:80]} {state[:80]}")
    event = pull_request(about(body, repository), body.child("pull_request"))
    seen, reviewer = told.optional("commit_id"), told.optional_child("user") or NOBODY
    sha = commit(seen) if seen else event.head_sha
    event = replace(event, kind=Kind.REVIEW, action=action, sha=sha, head_sha=sha)
    if action == "dismissed":
        event = replace(event, sender=reviewer.optional("login"), sender_id=identity(reviewer))
    return (
        replace(
            event,
            body=told.optional("body") or "",
            url=told.optional("html_url"),
            at=moment(told.optional("submitted_at")),
        ),
    )


def _merge_group(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    said, group = body.text("action"), body.child("merge_group")
    if said != "checks_requested":
        return Ignored(f"Windlass does nothing with GitHub's merge_group {said[:80]}")
    newest = group.optional_child("head_commit") or NOBODY
    author = newest.optional_child("author") or NOBODY
    sha = commit(group.text("head_sha"))
    event = replace(
        about(body, repository),
        kind=Kind.MERGE_GROUP,
        action="requested",
        base=short(group.text("base_ref").removeprefix(BRANCH)),
        head=short(group.text("head_ref").removeprefix(BRANCH)),
        base_sha=commit(group.text("base_sha")),
        head_sha=sha,
        sha=sha,
    )
    return (
        replace(
            event,
            message=newest.optional("message"),
            author=author.optional("username") or author.optional("name"),
            at=moment(newest.optional("timestamp")),
        ),
    )
