"""
Bitbucket Cloud: how it signs and words its webhooks.

`X-Hub-Signature` signs the body alone; which event it is stands in the unsigned
`X-Event-Key`. A pull request tells only the first twelve digits of its commits.
They are handed on as they are: whoever needs a commit refuses them until they
are made whole, for two commits can be made that begin alike. For the same reason
no review is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from windlass.core.errors import BadDelivery
from windlass.core.event import Event, Ignored, Kind
from windlass.forges.moves import BRANCH, TAG, Moved, commit, short
from windlass.forges.signatures import delivery_key, header, hmac_sha256, matching, raw
from windlass.forges.strict_json import Node, read
from windlass.forges.times import moment
from windlass.ports.forge import Request, Verified

# What Bitbucket calls it -> what we call it. An update may be of anything.
ACTIONS: Mapping[str, str] = {
    "pullrequest:created": "opened",
    "pullrequest:updated": "updated",
    "pullrequest:rejected": "closed",
    "pullrequest:fulfilled": "merged",
}

REVIEWS = frozenset(
    f"pullrequest:{what}"
    for what in (
        *("approved", "unapproved"),
        *("changes_request_created", "changes_request_removed"),
    )
)

PREFIXES: Mapping[str, str] = {"branch": BRANCH, "tag": TAG, "annotated_tag": TAG}

_BEGINNING = re.compile(r"[0-9a-f]{12,64}")


class BitbucketCloudDialect:
    """The `Dialect` of Bitbucket Cloud."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the raw body by its HMAC-SHA256, or raise `BadDelivery`."""
        given = raw(header(request, "x-hub-signature"))
        secret = matching(
            secrets, lambda key: f"sha256={hmac_sha256(key, request.body)}".encode(), (given,)
        )
        return Verified(delivery_key(request, "x-request-uuid"), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body, one or more for each ref that moved; raises only `BadDelivery`."""
        name = request.headers.get("x-event-key", "")
        body = read(request.body)
        if name == "repo:push":
            return _push(body, repository)
        if name in ACTIONS:
            return (_pull_request(body, repository, ACTIONS[name]),)
        if name == "pullrequest:comment_created":
            return (_comment(body, repository),)
        if name in REVIEWS:
            return Ignored("Bitbucket Cloud does not tell the whole id of the commit reviewed")
        if not name:
            raise BadDelivery("there is no X-Event-Key header")
        return Ignored(f"Windlass does nothing with Bitbucket's {name[:80]}")


def _event(body: Node, repository: str) -> Event:
    """What every body tells; the rest is put in its place."""
    actor = body.optional_child("actor") or Node({})
    return Event(
        kind=Kind.PING,
        action="pinged",
        repository=repository,
        sender=_name(actor),
        sender_id=actor.optional("uuid"),
    )


def _push(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    about = _event(body, repository)
    changes = body.child("push").children("changes")
    events = tuple(event for change in changes for event in _change(change, about))
    return events or Ignored("no branch or tag was moved")


def _change(change: Node, about: Event) -> Iterator[Event]:
    """The events that one moved ref is; none when it is neither branch nor tag."""
    old, new = change.optional_child("old"), change.optional_child("new")
    ref = new or old
    if ref is None:
        raise BadDelivery(f"{change.path} has neither old nor new")
    prefix = PREFIXES.get(ref.text("type"))
    if prefix is None:
        return
    after = _tip(new)
    newest = (new.child("target") if new else None) or Node({})
    author = newest.optional_child("author") or Node({})
    moved = Moved(ref=prefix + ref.text("name"), before=_tip(old), after=after, sha=after)
    told = replace(
        about,
        message=newest.optional("message"),
        author=_name(author.optional_child("user") or Node({})) or author.optional("raw"),
        url=_page(change),
        at=moment(newest.optional("date")),
    )
    yield from moved.events(told)


def _tip(side: Node | None) -> str | None:
    """The commit at one end of a move, through a tag too."""
    return commit(side.child("target").text("hash")) if side else None


def _pull_request(body: Node, repository: str, action: str) -> Event:
    pull = body.child("pullrequest")
    base, head = pull.child("destination"), pull.child("source")
    author = pull.optional_child("author") or Node({})
    made = pull.optional_child("merge_commit") if action == "merged" else None
    head_sha = _beginning(head.optional_child("commit"))
    title, text = pull.text("title"), pull.optional("description") or ""
    event = replace(
        _event(body, repository),
        kind=Kind.PULL_REQUEST,
        action=action,
        number=pull.number("id"),
        base=short(base.child("branch").text("name")),
        head=short(head.child("branch").text("name")),
        base_sha=_beginning(base.optional_child("commit")),
        head_sha=head_sha,
        sha=_beginning(made) if made else head_sha,
        fork=_foreign(base, head),
        fork_owner=_owner(head) if _foreign(base, head) else "",
        draft=pull.flag("draft"),
    )
    return replace(
        event,
        author=_name(author),
        author_id=author.optional("uuid"),
        title=title,
        body=text,
        message=f"{title}\n\n{text}".rstrip(),
        url=_page(pull),
        at=moment(pull.optional("updated_on")),
    )


def _comment(body: Node, repository: str) -> Event:
    """A comment is on a pull request, whatever commit it stands at by now."""
    said = body.child("comment")
    return replace(
        _pull_request(body, repository, "created"),
        kind=Kind.COMMENT,
        sha=None,
        head_sha=None,
        base_sha=None,
        body=(said.optional_child("content") or Node({})).optional("raw") or "",
        message=None,
        url=_page(said),
        at=moment(said.optional("created_on")),
    )


def _beginning(side: Node | None) -> str | None:
    """As many digits of a commit's id as Bitbucket tells; None where its branch is gone."""
    if side is None:
        return None
    sha = side.text("hash")
    if not _BEGINNING.fullmatch(sha) or not sha.strip("0"):
        raise BadDelivery(f"{sha[:80]!r} is not the id of a commit")
    return sha


def _foreign(base: Node, head: Node) -> bool:
    """Whether the head is in another repository, or in one that is gone."""
    source, target = head.optional_child("repository"), base.child("repository")
    # Older ones name their repositories and give them no id.
    key = "uuid" if target.has("uuid") else "full_name"
    return source is None or source.text(key) != target.text(key)


def _owner(head: Node) -> str:
    """The workspace of a head, which its repository's name begins with."""
    source = head.optional_child("repository") or Node({})
    return (source.optional("full_name") or "").rpartition("/")[0]


def _name(person: Node) -> str | None:
    """What to call a person: the names differ in age and may all be missing."""
    names = (person.optional(key) for key in ("nickname", "username", "display_name"))
    return next((name for name in names if name), None)


def _page(thing: Node) -> str | None:
    links = thing.optional_child("links") or Node({})
    return (links.optional_child("html") or Node({})).optional("href")
