"""
Gitea and Forgejo: how they sign and word their webhooks.

Forgejo sends Gitea's headers too; where its own signature is present, it alone
decides. Both imitate other forges in further headers, which count for nothing.
A new branch, and any change of a tag, is told by `push`; only a branch that went
is told by `delete` alone. A push from a commit to the same one is what they send when
they are asked for a test.

A pull request may have been pushed to the repository itself by somebody who may only read
it (`refs/for/…`). Then both sides name the same repository, and only the head's ref, which
is no branch, says that the code is a stranger's.
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

# What they call it -> what we call it. `closed` is `merged` when it says so.
ACTIONS: Mapping[str, str] = {
    "opened": "opened",
    "synchronized": "updated",
    "reopened": "reopened",
    "edited": "edited",
    "label_updated": "labeled",
    "label_cleared": "unlabeled",
    "closed": "closed",
}

# The event of a review -> what we call it. There is none for a dismissed one.
REVIEWS: Mapping[str, str] = {
    "pull_request_approved": "approved",
    "pull_request_rejected": "changes_requested",
    "pull_request_comment": "commented",
}

# A title that begins so is a draft's, as the forges are set up at first.
DRAFTS = ("wip:", "[wip]")


class GiteaDialect:
    """The `Dialect` of Gitea and Forgejo."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the raw body by its HMAC-SHA256, or raise `BadDelivery`."""
        forge = "forgejo" if "x-forgejo-signature" in request.headers else "gitea"
        given = raw(header(request, f"x-{forge}-signature"))
        secret = matching(secrets, lambda key: hmac_sha256(key, request.body).encode(), (given,))
        return Verified(delivery_key(request, f"x-{forge}-delivery"), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body; raises nothing but `BadDelivery`."""
        body = json_body(request)
        headers = request.headers
        match headers.get("x-forgejo-event") or headers.get("x-gitea-event", ""):
            case "push":
                return _push(body, repository)
            case "pull_request":
                return _pull_request(body, repository)
            case "pull_request_approved" | "pull_request_rejected" as name:
                return _review(body, repository, REVIEWS[name])
            case "pull_request_comment" if body.has("review"):
                return _review(body, repository, REVIEWS["pull_request_comment"])
            case "issue_comment" | "pull_request_comment":
                return comment(body, repository)
            case "release":
                return release(body, repository)
            case "delete" if body.optional("ref_type") == "branch":
                return _branch_deleted(body, repository)
            case "create" | "delete" as name:
                return Ignored(f"Gitea's {name} tells what its push has told")
            case "":
                raise BadDelivery("there is no X-Gitea-Event or X-Forgejo-Event header")
            case name:
                return Ignored(f"Windlass does nothing with Gitea's {name[:80]}")


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """A push; whether it was forced is not told, so the changed files are Git's to tell."""
    after, commits = body.text("after"), body.children("commits")
    if body.text("before") == after:
        return (about(body, repository),)
    newest = body.optional_child("head_commit") or (commits[0] if commits else NOBODY)
    author = newest.optional_child("author") or NOBODY
    peeled = (body.optional_child("head_commit") or NOBODY).optional("id")
    told = replace(
        about(body, repository),
        message=newest.optional("message"),
        author=author.optional("username") or author.optional("name"),
        url=body.optional("compare_url"),
        at=moment(newest.optional("timestamp")),
    )
    moved = Moved(
        ref=body.text("ref"),
        before=end(body.text("before")),
        after=end(after),
        sha=commit(peeled) if peeled else end(after),
    )
    return tuple(moved.events(told)) or Ignored(f"{moved.ref[:200]} is no branch or tag")


def _branch_deleted(body: Node, repository: str) -> tuple[Event, ...]:
    branch = short(body.text("ref").removeprefix(BRANCH))
    told = about(body, repository)
    return (replace(told, kind=Kind.BRANCH, action="deleted", branch=branch),)


def _pull_request(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    said = body.text("action")
    if said not in ACTIONS:
        return Ignored(f"Windlass does nothing with Gitea's pull_request {said[:80]}")
    pull = body.child("pull_request")
    event = _completed(pull_request(about(body, repository), pull), pull)
    if said == "closed" and pull.flag("merged"):
        return (merged(event, pull),)
    changes = body.optional_child("changes") or NOBODY
    before = (changes.optional_child("title") or NOBODY).optional("from")
    action = ACTIONS[said]
    if said == "edited" and before is not None and is_draft(before) != event.draft:
        action = "drafted" if event.draft else "ready"
    return (replace(event, action=action),)


def _review(body: Node, repository: str, action: str) -> tuple[Event, ...]:
    pull, told = body.child("pull_request"), body.optional_child("review") or NOBODY
    event = _completed(pull_request(about(body, repository), pull), pull)
    text = told.optional("content") or ""
    return (replace(event, kind=Kind.REVIEW, action=action, body=text),)


def _completed(event: Event, pull: Node) -> Event:
    """What GitHub's words leave open. Older ones do not say that it is a draft; its title does."""
    draft = event.draft if pull.has("draft") else is_draft(event.title or "")
    if no_branch(event.head or ""):
        # Anybody may push one into the repository itself, so that its owner says nothing.
        event = replace(event, fork=True, fork_owner="")
    return replace(event, draft=draft)


def no_branch(ref: str) -> bool:
    """Whether the head of a pull request is no branch: pushed for review, or since deleted."""
    return ref.startswith("refs/")


def is_draft(title: str) -> bool:
    """Whether a title says that it is a draft's."""
    return title.lower().startswith(DRAFTS)
