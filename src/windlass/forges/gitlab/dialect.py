"""
GitLab: how it signs and words its webhooks.

With a signing token it signs by Standard Webhooks; with a secret token it sends
the secret itself, which proves neither the body nor the time. Where a signature
is present it alone decides. An update of a merge request may be several things
at once (new commits, a label, no draft any more): each is an event.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from windlass.core.event import Event, Ignored, Kind
from windlass.forges.bodies import NOBODY, identity, json_body, message
from windlass.forges.moves import Moved, commit, end, short
from windlass.forges.signatures import delivery_key, header, matching, raw
from windlass.forges.standard_webhooks import SIGNATURE, verified
from windlass.forges.strict_json import Node
from windlass.forges.times import moment
from windlass.ports.forge import Request, Verified

# What GitLab calls it -> what we call it; `update` is told apart by what changed.
ACTIONS: Mapping[str, str] = {
    "open": "opened",
    "reopen": "reopened",
    "close": "closed",
    "merge": "merged",
}

# One person's approval, or the last one that was needed; and the same taken back.
REVIEWS: Mapping[str, str] = {
    "approval": "approved",
    "approved": "approved",
    "unapproval": "dismissed",
    "unapproved": "dismissed",
}

# A title that begins so is a draft's; `WIP` of GitLab before 14.
DRAFT = re.compile(r"\s*(\[(draft|wip)\]|\(draft\)|(draft|wip):)", re.IGNORECASE)


class GitLabDialect:
    """The `Dialect` of GitLab."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the signature, or without one the token, or raise `BadDelivery`."""
        if SIGNATURE in request.headers:
            return verified(request, secrets)
        # Digests of equal length, so that the time does not tell the secret's length either.
        given = _digest(raw(header(request, "x-gitlab-token")))
        secret = matching(secrets, _digest, (given,))
        # The first stays the same when GitLab sends again; older ones have but the second.
        stable = "idempotency-key" in request.headers
        name = "idempotency-key" if stable else "x-gitlab-webhook-uuid"
        return Verified(delivery_key(request, name), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body; raises nothing but `BadDelivery`."""
        body = json_body(request)
        match body.optional("object_kind") or body.optional("event_name") or "":
            case "push" | "tag_push":
                return _push(body, repository)
            case "merge_request":
                return _merge_request(body, repository)
            case "note":
                return _note(body, repository)
            case "release":
                return _release(body, repository)
            case name:
                return Ignored(f"Windlass does nothing with GitLab's {name[:80] or 'other events'}")


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _about(body: Node, repository: str) -> Event:
    """What every body tells; the rest is put in its place."""
    user = body.optional_child("user") or NOBODY
    return Event(
        kind=Kind.PING,
        action="pinged",
        repository=repository,
        sender=user.optional("username"),
        sender_id=identity(user),
    )


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """A push; whether it was forced is not told, so the changed files are Git's to tell."""
    sha, commits = body.optional("checkout_sha"), body.children("commits")
    after = body.text("after")
    # The newest is the last one, unless a list says otherwise.
    last = commits[-1] if commits else NOBODY
    newest = next((one for one in commits if one.optional("id") == (sha or after)), last)
    told = replace(
        _about(body, repository),
        sender=body.optional("user_username") or body.optional("user_name"),
        sender_id=str(body.number("user_id")) if body.has("user_id") else None,
        message=newest.optional("message"),
        author=(newest.optional_child("author") or NOBODY).optional("name"),
        url=newest.optional("url"),
        at=_moment(newest.optional("timestamp")),
    )
    moved = Moved(
        ref=body.text("ref"),
        before=end(body.text("before")),
        after=end(after),
        sha=commit(sha) if sha else end(after),
    )
    return tuple(moved.events(told)) or Ignored(f"{moved.ref[:200]} is no branch or tag")


def _merge_request(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    request = body.child("object_attributes")
    said = request.optional("action") or ""
    if not request.has("last_commit"):
        return Ignored("a merge request without commits")
    event = _about_request(body, request, repository)
    if said in REVIEWS:
        return (replace(event, kind=Kind.REVIEW, action=REVIEWS[said]),)
    if said == "merge":
        made = request.optional("merge_commit_sha") or request.optional("squash_commit_sha")
        return (replace(event, action="merged", sha=commit(made) if made else event.head_sha),)
    if said in ACTIONS:
        return (replace(event, action=ACTIONS[said]),)
    if said != "update":
        return Ignored(f"Windlass does nothing with GitLab's merge_request {said[:80]}")
    pushed = request.optional("oldrev")
    events = [replace(event, action="updated", before=commit(pushed))] if pushed else []
    changes = body.optional_child("changes") or NOBODY
    events += [replace(event, action=action) for action in _changed(changes)]
    return tuple(events) or Ignored("nothing changed that Windlass has a word for")


def _changed(changes: Node) -> list[str]:
    """What an update did besides new commits; a draft's other title is not an edit."""
    draft = _drafted(changes)
    labels = changes.optional_child("labels") or NOBODY
    before, after = (set(_titles(labels, name)) for name in ("previous", "current"))
    titled = changes.has("title") and draft is None
    edited = titled or changes.has("description") or changes.has("target_branch")
    said = {
        "ready": draft is False,
        "drafted": draft is True,
        "edited": edited,
        "labeled": bool(after - before),
        "unlabeled": bool(before - after),
    }
    return [action for action, so in said.items() if so]


def _drafted(changes: Node) -> bool | None:
    """Whether it is a draft from now on; None where that did not change."""
    told = changes.optional_child("draft") or changes.optional_child("work_in_progress")
    if told is not None:
        return told.flag("current")
    # Older ones tell of the title alone, which is what makes a draft.
    title = changes.optional_child("title") or NOBODY
    before, after = (is_draft(title.optional(name)) for name in ("previous", "current"))
    return after if before != after else None


def is_draft(title: str | None) -> bool:
    """
    Whether a title says that it is a draft's.

    >>> is_draft("Draft: Add one"), is_draft("[WIP] Add one"), is_draft("Draft the law")
    (True, True, False)
    """
    return DRAFT.match(title or "") is not None


def _titles(node: Node, name: str) -> tuple[str, ...]:
    return tuple(label.text("title") for label in node.children(name))


def _about_request(body: Node, request: Node, repository: str) -> Event:
    """The merge request of an event, whose action is still to be said."""
    event = _about(body, repository)
    head, author = commit(request.child("last_commit").text("id")), _author(request)
    title, text = request.text("title"), request.optional("description") or ""
    labels = body if body.has("labels") else request
    event = replace(
        event,
        kind=Kind.PULL_REQUEST,
        number=request.number("iid"),
        base=short(request.text("target_branch")),
        head=short(request.text("source_branch")),
        head_sha=head,
        sha=head,
        fork=_foreign(request),
        fork_owner=_owner(request) if _foreign(request) else "",
        # GitLab gives the author's id alone; the name is known when it is the sender's.
        author=event.sender if author and author == event.sender_id else None,
        author_id=author,
        labels=_titles(labels, "labels"),
        draft=_is_draft(request, title),
    )
    return replace(
        event,
        title=title,
        body=text,
        message=message(title, text),
        url=request.optional("url"),
        at=_moment(request.optional("updated_at")),
    )


def _is_draft(request: Node, title: str) -> bool:
    flags = [name for name in ("draft", "work_in_progress") if request.has(name)]
    return any(request.flag(name) for name in flags) if flags else is_draft(title)


def _author(request: Node) -> str | None:
    return str(request.number("author_id")) if request.has("author_id") else None


def _foreign(request: Node) -> bool:
    """Whether the source is another project, or one that is gone."""
    there = request.has("source_project_id")
    source = request.number("source_project_id") if there else None
    return source != request.number("target_project_id")


def _owner(request: Node) -> str:
    """The group or the person whose the source is."""
    source = request.optional_child("source") or NOBODY
    return (source.optional("path_with_namespace") or "").rpartition("/")[0]


def _note(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    note = body.child("object_attributes")
    if note.optional("noteable_type") != "MergeRequest":
        return Ignored("a comment that is not on a merge request is about no branch")
    if note.flag("system") or (note.optional("action") or "create") != "create":
        return Ignored("a note that GitLab wrote itself, or an edited one, is no new comment")
    request = body.child("merge_request")
    if not request.has("last_commit"):
        return Ignored("a merge request without commits")
    return (
        replace(
            _about_request(body, request, repository),
            kind=Kind.COMMENT,
            action="created",
            body=note.optional("note") or "",
            message=None,
            url=note.optional("url"),
            at=_moment(note.optional("created_at")),
        ),
    )


def _release(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    said = body.text("action")
    if said != "create":
        return Ignored(f"Windlass does nothing with GitLab's release {said[:80]}")
    title, text = body.optional("name") or "", body.optional("description") or ""
    event = replace(
        _about(body, repository),
        kind=Kind.RELEASE,
        action="published",
        tag=short(body.text("tag")),
        sha=commit(body.child("commit").text("id")),
        title=title,
        body=text,
    )
    return (
        replace(
            event,
            message=message(title, text),
            url=body.optional("url"),
            at=_moment(body.optional("released_at")),
        ),
    )


def _moment(text: str | None) -> float | None:
    """A time, which older ones write with the zone's name behind it."""
    return moment(text.removesuffix(" UTC") if text else None)
