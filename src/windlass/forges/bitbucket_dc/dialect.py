"""
Bitbucket Data Center: how it signs and words its webhooks.

`X-Hub-Signature` decides when it is there, and a right password never rescues a
wrong signature. A webhook without it proves itself by Basic authentication, the
user `windlass` and the secret as password: then nobody vouches for the body but TLS.
The event's name is read from the body, which is signed, before the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from windlass.core.errors import BadDelivery
from windlass.core.event import Event, Ignored, Kind
from windlass.forges.basic_auth import basic_auth
from windlass.forges.moves import BRANCH, Moved, commit, end, short
from windlass.forges.signatures import delivery_key, header, hmac_sha256, matching, raw
from windlass.forges.strict_json import Node, read
from windlass.forges.times import moment
from windlass.ports.forge import Request, Verified

# What Bitbucket calls it -> what we call it.
ACTIONS: Mapping[str, str] = {
    "pr:opened": "opened",
    "pr:from_ref_updated": "updated",
    "pr:modified": "edited",
    "pr:reopened": "reopened",
    "pr:declined": "closed",
    "pr:deleted": "closed",
    "pr:merged": "merged",
}
REVIEWS: Mapping[str, str] = {
    "pr:reviewer:approved": "approved",
    "pr:reviewer:needs_work": "changes_requested",
    "pr:reviewer:changes_requested": "changes_requested",
    "pr:reviewer:unapproved": "dismissed",
}


class BitbucketDataCenterDialect:
    """The `Dialect` of Bitbucket Data Center."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the raw body by its HMAC-SHA256, or the sender by password; `BadDelivery` else."""
        if "x-hub-signature" not in request.headers and "authorization" in request.headers:
            return Verified(delivery_key(request, "x-request-id"), basic_auth(request, secrets))
        given = raw(header(request, "x-hub-signature"))
        secret = matching(
            secrets, lambda key: f"sha256={hmac_sha256(key, request.body)}".encode(), (given,)
        )
        return Verified(delivery_key(request, "x-request-id"), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body, one or more for each ref that moved; raises only `BadDelivery`."""
        body = read(request.body)
        name = body.optional("eventKey") or request.headers.get("x-event-key", "")
        if name == "repo:refs_changed":
            return _push(body, repository)
        if name in ACTIONS:
            return (_pull_request(body, repository, ACTIONS[name]),)
        if name in REVIEWS:
            return (_review(body, repository, REVIEWS[name]),)
        if name == "pr:comment:added":
            return (_comment(body, repository),)
        if name == "diagnostics:ping":
            return (_event(body, repository),)
        if not name:
            raise BadDelivery("there is neither an eventKey nor an X-Event-Key header")
        return Ignored(f"Windlass does nothing with Bitbucket's {name[:80]}")


def _event(body: Node, repository: str) -> Event:
    """What every body tells; the rest is put in its place."""
    actor = body.optional_child("actor") or Node({})
    return Event(
        kind=Kind.PING,
        action="pinged",
        repository=repository,
        sender=actor.optional("name"),
        sender_id=_identity(actor),
        at=moment(body.optional("date")),
    )


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    about = _event(body, repository)
    newest = body.optional_child("toCommit") or Node({})
    events = [event for one in body.children("changes") for event in _change(one, newest, about)]
    return tuple(events) or Ignored("no branch or tag was moved")


def _change(change: Node, newest: Node, about: Event) -> tuple[Event, ...]:
    """The events that one moved ref is; none when it is neither branch nor tag."""
    after = end(change.text("toHash"))
    moved = Moved(
        ref=change.child("ref").text("id"),
        before=end(change.text("fromHash")),
        after=after,
        sha=after,
    )
    # Of several moved refs only one leads to the commit that is told in full.
    if after and newest.optional("id") == after:
        author = newest.optional_child("author") or Node({})
        about = replace(about, message=newest.optional("message"), author=author.optional("name"))
    return tuple(moved.events(about))


def _pull_request(body: Node, repository: str, action: str) -> Event:
    event = _about_pull(body, repository)
    before = body.optional("previousFromHash")
    properties = body.child("pullRequest").optional_child("properties") or Node({})
    made = properties.optional_child("mergeCommit") if action == "merged" else None
    return replace(
        event,
        action=action,
        before=commit(before) if before else None,
        sha=commit(made.text("id")) if made else event.head_sha,
    )


def _review(body: Node, repository: str, action: str) -> Event:
    """A review is of the commit that was looked at, which need not be the head any more."""
    event = _about_pull(body, repository)
    seen = (body.optional_child("participant") or Node({})).optional("lastReviewedCommit")
    sha = commit(seen) if seen else event.head_sha
    return replace(event, kind=Kind.REVIEW, action=action, sha=sha, head_sha=sha)


def _comment(body: Node, repository: str) -> Event:
    event, said = _about_pull(body, repository), body.child("comment").optional("text") or ""
    return replace(
        event,
        kind=Kind.COMMENT,
        action="created",
        sha=event.head_sha,
        body=said,
        message=None,
    )


def _about_pull(body: Node, repository: str) -> Event:
    pull = body.child("pullRequest")
    base, head = pull.child("toRef"), pull.child("fromRef")
    author = (pull.optional_child("author") or Node({})).optional_child("user") or Node({})
    title, text = pull.text("title"), pull.optional("description") or ""
    event = replace(
        _event(body, repository),
        kind=Kind.PULL_REQUEST,
        number=pull.number("id"),
        base=short(base.text("id").removeprefix(BRANCH)),
        head=short(head.text("id").removeprefix(BRANCH)),
        base_sha=commit(base.text("latestCommit")),
        head_sha=commit(head.text("latestCommit")),
        fork=_foreign(base, head),
        fork_owner=_owner(head) if _foreign(base, head) else "",
        draft=pull.flag("draft"),
    )
    return replace(
        event,
        author=author.optional("name"),
        author_id=_identity(author),
        title=title,
        body=text,
        message=f"{title}\n\n{text}".rstrip(),
        url=_page(pull),
    )


def _page(pull: Node) -> str | None:
    """Where a pull request is shown; older ones may list nothing but a null."""
    pages = (pull.optional_child("links") or Node({})).places("self")
    return next((page.optional("href") for page in pages), None)


def _foreign(base: Node, head: Node) -> bool:
    """Whether the head is in another repository, or in one that is gone."""
    source = head.optional_child("repository")
    return source is None or source.number("id") != base.child("repository").number("id")


def _owner(head: Node) -> str:
    """The project of a head; a person's own begins with `~`."""
    source = head.optional_child("repository") or Node({})
    return (source.optional_child("project") or Node({})).optional("key") or ""


def _identity(person: Node) -> str | None:
    return str(person.number("id")) if person.has("id") else None
