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
from datetime import UTC, datetime

from windlass.core.errors import BadDelivery
from windlass.core.event import Event, Ignored, Kind
from windlass.forges.moves import Moved, commit, end, short
from windlass.forges.signatures import delivery_key, header, hmac_sha256, matching, raw
from windlass.forges.strict_json import Node, read
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
        kind = request.headers.get("content-type", "application/json")
        if kind.startswith("application/x-www-form-urlencoded"):
            raise BadDelivery("the webhook is sent as a form: set its content type to JSON")
        name = request.headers.get("x-github-event", "")
        body = read(request.body)
        match name:
            case "push":
                return _push(body, repository)
            case "pull_request":
                return _pull_request(body, repository)
            case "ping":
                return (_event(body, repository),)
            case "create" | "delete":
                return Ignored(f"GitHub's {name} tells what its push has told")
            case "":
                raise BadDelivery("there is no X-GitHub-Event header")
            case _:
                return Ignored(f"Windlass does nothing with GitHub's {name[:80]}")


def _event(body: Node, repository: str) -> Event:
    """What every body tells; the rest is put in its place."""
    sender = body.optional_child("sender") or Node({})
    return Event(
        kind=Kind.PING,
        action="pinged",
        repository=repository,
        sender=sender.optional("login"),
        sender_id=_identity(sender),
    )


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    newest = body.optional_child("head_commit") or Node({})
    author = newest.optional_child("author") or Node({})
    sha = newest.optional("id")
    about = replace(
        _event(body, repository),
        message=newest.optional("message"),
        author=author.optional("username") or author.optional("name"),
        url=body.optional("compare"),
        files=_files(body),
        at=_moment(newest.optional("timestamp")),
    )
    moved = Moved(
        ref=body.text("ref"),
        before=end(body.text("before")),
        after=end(body.text("after")),
        sha=commit(sha) if sha else None,
    )
    return tuple(moved.events(about)) or Ignored(f"{moved.ref[:200]} is no branch or tag")


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
    pull = body.child("pull_request")
    base, head = pull.child("base"), pull.child("head")
    author = pull.optional_child("user") or Node({})
    merged = said == "closed" and pull.flag("merged")
    made = pull.optional("merge_commit_sha") if merged else None
    before = body.optional("before")
    title, text = pull.text("title"), pull.optional("body") or ""
    event = replace(
        _event(body, repository),
        kind=Kind.PULL_REQUEST,
        action="merged" if merged else ACTIONS[said],
        number=pull.number("number"),
        base=short(base.text("ref")),
        head=short(head.text("ref")),
        base_sha=commit(base.text("sha")),
        head_sha=commit(head.text("sha")),
        before=commit(before) if before else None,
        fork=_foreign(base, head),
        labels=tuple(label.text("name") for label in pull.children("labels")),
        draft=pull.flag("draft"),
    )
    return (
        replace(
            event,
            sha=commit(made) if made else event.head_sha,
            author=author.optional("login"),
            author_id=_identity(author),
            title=title,
            body=text,
            message=f"{title}\n\n{text}".rstrip(),
            url=pull.optional("html_url"),
            at=_moment(pull.optional("updated_at")),
        ),
    )


def _foreign(base: Node, head: Node) -> bool:
    """Whether the head is in another repository, or in one that is gone."""
    source = head.optional_child("repo")
    return source is None or source.number("id") != base.child("repo").number("id")


def _identity(person: Node) -> str | None:
    return str(person.number("id")) if person.has("id") else None


def _moment(text: str | None) -> float | None:
    """UTC seconds of a time as GitHub writes it."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadDelivery(f"{text[:80]!r} is no time") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
