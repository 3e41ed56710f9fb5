"""
How plain Git signs and words its webhooks: Standard Webhooks, one event a delivery.

The body is written by `program/payloads.py`; this is its only reader.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.event import Event, Ignored, Kind
from windlass.forges.moves import Moved, commit, end, short
from windlass.forges.plain.program.signing import sign
from windlass.forges.signatures import header, matching, raw, untrusted
from windlass.forges.strict_json import Node, read
from windlass.ports.forge import Request, Verified

TOLERANCE = 300
SIGNATURES = 16

PULL_REQUEST_ACTIONS = frozenset({"opened", "updated", "ready", "closed", "merged"})


class PlainDialect:
    """The `Dialect` of plain Git."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the id, the time and the body together, or raise `BadDelivery`."""
        identity = header(request, "webhook-id")
        timestamp = header(request, "webhook-timestamp")
        signatures = header(request, "webhook-signature").split(" ")[:SIGNATURES]
        if not (identity.isascii() and identity.isprintable()) or "." in identity:
            raise untrusted("the webhook-id holds characters that it may not hold")
        _check_time(timestamp, request.at)
        given = tuple(raw(one) for one in signatures if one.startswith("v1,"))
        secret = matching(
            secrets, lambda key: sign(key, identity, timestamp, request.body).encode(), given
        )
        return Verified(identity, secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body; raises nothing but `BadDelivery`."""
        body = read(request.body)
        match body.text("event"):
            case "push":
                return _push(body, repository)
            case "pull_request":
                return _pull_request(body, repository)
            case "review":
                return _review(body, repository)
            case "ping":
                return (_event(body, repository),)
            case other:
                return Ignored(f"plain Git has no event {other[:80]!r}")


def _check_time(timestamp: str, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13):
        raise untrusted("the webhook-timestamp is no time")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise untrusted(f"the webhook is more than {TOLERANCE} seconds old, or from the future")


def _event(body: Node, repository: str) -> Event:
    """What every body tells; the rest is put in its place."""
    sender = body.optional_child("sender") or Node({})
    return Event(
        kind=Kind.PING,
        action="pinged",
        repository=repository,
        sender=sender.optional("name"),
        sender_id=sender.optional("id"),
        files=body.texts("files") if body.flag("files_complete") else None,
        at=body.moment("at"),
    )


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    sha, commits = body.optional("commit"), body.children("commits")
    newest = commits[0] if commits else Node({})
    about = replace(
        _event(body, repository),
        message=newest.optional("message"),
        author=(newest.optional_child("author") or Node({})).optional("name"),
    )
    moved = Moved(
        ref=body.text("ref"),
        before=end(body.text("before")),
        after=end(body.text("after")),
        sha=commit(sha) if sha else None,
    )
    return tuple(moved.events(about)) or Ignored(f"{moved.ref[:200]} is no branch or tag")


def _pull_request(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    action = body.text("action")
    if action not in PULL_REQUEST_ACTIONS:
        return Ignored(f"plain Git does not do {action[:80]!r} to pull requests")
    event = _about_pull(body, repository)
    before = body.optional("before")
    return (replace(event, action=action, before=commit(before) if before else None),)


def _review(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    action = body.text("action")
    if action != "approved":
        return Ignored(f"plain Git has no review that is {action[:80]!r}")
    return (replace(_about_pull(body, repository), kind=Kind.REVIEW, action=action, files=None),)


def _about_pull(body: Node, repository: str) -> Event:
    pull = body.child("pull_request")
    author = pull.optional_child("author") or Node({})
    head, merged = commit(pull.text("head_sha")), pull.optional("merge_sha")
    base = pull.optional("base_sha")
    title, text = pull.text("title"), pull.optional("body") or ""
    return replace(
        _event(body, repository),
        kind=Kind.PULL_REQUEST,
        number=pull.number("number"),
        base=short(pull.text("base")),
        head=short(pull.text("head")),
        base_sha=commit(base) if base else None,
        head_sha=head,
        sha=commit(merged) if merged else head,
        author=author.optional("name"),
        author_id=author.optional("id"),
        title=title,
        body=text,
        message=f"{title}\n\n{text}".rstrip(),
        draft=pull.flag("draft"),
    )
