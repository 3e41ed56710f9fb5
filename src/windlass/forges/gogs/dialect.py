"""
Gogs: how it signs and words its webhooks.

A pull request of Gogs names its branches and no commit, so `sha` is missing
until it is merged. Tags, and branches that went, are told by `create` and
`delete` alone; a new branch also by `push`, which has all there is to know.
A push from a commit to the same one is what Gogs sends when it is asked for a test.
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
    described,
    foreign,
    json_body,
    merged,
    owner,
    release,
)
from windlass.forges.moves import BRANCH, TAG, Moved, commit, end, short
from windlass.forges.signatures import delivery_key, header, hmac_sha256, matching, raw
from windlass.forges.strict_json import Node
from windlass.forges.times import moment
from windlass.ports.forge import Request, Verified

# What Gogs calls it -> what we call it. `closed` is `merged` when it says so.
ACTIONS: Mapping[str, str] = {
    "opened": "opened",
    "synchronized": "updated",
    "reopened": "reopened",
    "edited": "edited",
    "label_updated": "labeled",
    "label_cleared": "unlabeled",
    "closed": "closed",
}


class GogsDialect:
    """The `Dialect` of Gogs."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the raw body by its HMAC-SHA256, or raise `BadDelivery`."""
        given = raw(header(request, "x-gogs-signature"))
        secret = matching(secrets, lambda key: hmac_sha256(key, request.body).encode(), (given,))
        return Verified(delivery_key(request, "x-gogs-delivery"), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body; raises nothing but `BadDelivery`."""
        body = json_body(request)
        match request.headers.get("x-gogs-event", ""):
            case "push":
                return _push(body, repository)
            case "create" | "delete" as name:
                return _named(body, repository, f"{name}d")
            case "pull_request":
                return _pull_request(body, repository)
            case "issue_comment":
                return comment(body, repository)
            case "release":
                return release(body, repository)
            case "":
                raise BadDelivery("there is no X-Gogs-Event header")
            case name:
                return Ignored(f"Windlass does nothing with Gogs's {name[:80]}")


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """A push; whether it was forced is not told, so the changed files are Git's to tell."""
    commits, after = body.children("commits"), end(body.text("after"))
    if body.text("before") == body.text("after"):
        return (about(body, repository),)
    newest = commits[0] if commits else NOBODY
    author = newest.optional_child("author") or NOBODY
    told = replace(
        about(body, repository),
        message=newest.optional("message"),
        author=author.optional("username") or author.optional("name"),
        url=body.optional("compare_url") or None,
        at=moment(newest.optional("timestamp")),
    )
    moved = Moved(ref=body.text("ref"), before=end(body.text("before")), after=after, sha=after)
    return tuple(moved.events(told)) or Ignored(f"{moved.ref[:200]} is no branch or tag")


def _named(body: Node, repository: str, action: str) -> tuple[Event, ...] | Ignored:
    """A branch or tag that came or went, by its name."""
    told, name, sha = about(body, repository), body.text("ref"), body.optional("sha")
    match body.text("ref_type"):
        case "tag":
            event = replace(told, kind=Kind.TAG, tag=short(name.removeprefix(TAG)))
        case "branch" if action == "deleted":
            event = replace(told, kind=Kind.BRANCH, branch=short(name.removeprefix(BRANCH)))
        case "branch":
            return Ignored("Gogs's create tells what its push has told")
        case other:
            return Ignored(f"{other[:80]} is no branch or tag")
    return (replace(event, action=action, sha=commit(sha) if sha else None),)


def _pull_request(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    said = body.text("action")
    if said not in ACTIONS:
        return Ignored(f"Windlass does nothing with Gogs's pull_request {said[:80]}")
    pull = body.child("pull_request")
    event = replace(
        described(about(body, repository), pull),
        kind=Kind.PULL_REQUEST,
        action=ACTIONS[said],
        base=short(pull.text("base_branch")),
        head=short(pull.text("head_branch")),
        fork=foreign(pull.optional_child("head_repo"), pull.child("base_repo")),
        fork_owner=owner(pull.optional_child("head_repo"), pull.child("base_repo")),
    )
    return (merged(event, pull) if said == "closed" and pull.flag("merged") else event,)
