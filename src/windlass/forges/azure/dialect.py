"""
Azure DevOps: how it proves and words its service hooks.

It signs nothing. A request proves that its sender knows the password (Basic
authentication, the user `windlass`), and nobody vouches for the body but TLS: an
endpoint of Azure DevOps is for HTTPS alone, and what counts is asked of Git again.
Nor does it say what was done to a pull request, or by whom: its state tells the
one half, an English sentence the other, and a sender is named only where it is sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from windlass.core.errors import BadDelivery
from windlass.core.event import Event, Ignored, Kind
from windlass.forges.basic_auth import basic_auth
from windlass.forges.moves import BRANCH, Moved, commit, end, short
from windlass.forges.signatures import delivery_key
from windlass.forges.strict_json import Node, read
from windlass.forges.times import moment
from windlass.ports.forge import Request, Verified

# What the sentence says, the first that fits -> what we call it; None is ignored.
# What is not known counts as an update, for then nothing new is left untested.
SENTENCES: Mapping[str, str | None] = {
    "updated the source branch": "updated",
    "reactivated": "reopened",
    "published": "ready",
    "reviewer": None,
    "approved": None,
    "rejected": None,
    "voted": None,
    "waiting for": None,
}

# The test button sends Microsoft's own example, of a subscription that is not there yet.
NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
EXAMPLES = frozenset(
    {"4bc14d40-c903-45e2-872e-0462c7748079", "278d5cd2-584d-4b63-824a-2ba458937249"}
)


class AzureDialect:
    """The `Dialect` of Azure DevOps."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the sender by its password, or raise `BadDelivery`; the body has no proof."""
        secret = basic_auth(request, secrets)
        return Verified(_key(request), secret)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """The events of a body, one or more for each ref that moved; raises only `BadDelivery`."""
        body = read(request.body)
        name = body.text("eventType")
        match name:
            case "git.push":
                return _push(body.child("resource"), repository)
            case "git.pullrequest.created":
                return (_told(body, repository, "opened"),)
            case "git.pullrequest.updated":
                return _updated(body, repository)
            case "git.pullrequest.merged":
                return _tried(body, repository)
            case "ms.vss-code.git-pullrequest-comment-event":
                return _comment(body.child("resource"), repository)
            case _:
                return Ignored(f"Windlass does nothing with Azure DevOps' {name[:80]}")


def _key(request: Request) -> str:
    """The event, and which subscription tells it how often: the same at every attempt."""
    try:
        body = read(request.body)
        count = str(body.number("notificationId")) if body.has("notificationId") else None
        names = (body.optional("id"), body.optional("subscriptionId"), count)
    except BadDelivery:  # is told when it is read; here it only has no id of its own
        names = (None, None, None)
    key = "/".join(name for name in names if name) if names[0] else ""
    return delivery_key(replace(request, headers={"id": key}), "id")


def example(request: Request) -> bool:
    """Whether it is Microsoft's example, which the test button sends: of nothing that is ours."""
    try:
        return _example(read(request.body))
    except BadDelivery:  # is told when it is read
        return False


def _example(body: Node) -> bool:
    thing = body.optional_child("resource") or Node({})
    repository = (thing.optional_child("pullRequest") or thing).optional_child("repository")
    known = repository is not None and repository.optional("id") in EXAMPLES
    return known or body.optional("subscriptionId") == NO_SUBSCRIPTION


def _push(push: Node, repository: str) -> tuple[Event, ...] | Ignored:
    person = push.optional_child("pushedBy") or Node({})
    about = Event(
        kind=Kind.PUSH,
        action="pushed",
        repository=repository,
        sender=person.optional("displayName"),
        sender_id=person.optional("id"),
        at=moment(push.optional("date")),
    )
    commits = {one.text("commitId"): one for one in push.children("commits")}
    updates = push.children("refUpdates")
    events = [event for one in updates for event in _update(one, commits, about)]
    return tuple(events) or Ignored("no branch or tag was moved")


def _update(update: Node, commits: Mapping[str, Node], about: Event) -> tuple[Event, ...]:
    """The events that one moved ref is; none when it is neither branch nor tag."""
    after = end(update.text("newObjectId"))
    newest = commits.get(after or "", Node({}))
    author = newest.optional_child("author") or Node({})
    moved = Moved(
        ref=update.text("name"), before=end(update.text("oldObjectId")), after=after, sha=after
    )
    told = replace(about, message=newest.optional("comment"), author=author.optional("name"))
    return tuple(moved.events(told))


def _tried(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """A merge was tried: whenever a commit comes, to see whether it can be, and once for good."""
    if body.child("resource").optional("status") != "completed":
        return Ignored("a merge was tried to see whether it can be done, and is not done")
    return (_told(body, repository, "merged"),)


def _updated(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """What became of a pull request: by its state, then by the sentence about it."""
    pull = body.child("resource")
    match pull.text("status"):
        case "completed":
            return (_told(body, repository, "merged"),)
        case "abandoned":
            return (_told(body, repository, "closed"),)
        case "active":
            action = _said(body, pull)
        case other:
            return Ignored(f"Azure DevOps calls this pull request {other[:80]!r}")
    if action is None:
        return Ignored("Windlass does nothing with Azure DevOps' votes and reviewers")
    return (_told(body, repository, action),)


def _said(body: Node, pull: Node) -> str | None:
    """What the sentence says, without the title, which anybody may word."""
    text = (body.optional_child("message") or Node({})).optional("text") or ""
    text = text.replace(f"({pull.text('title')})", "")
    return next((action for words, action in SENTENCES.items() if words in text), "updated")


def _comment(thing: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """A comment that is new: not one that was changed or removed, nor the forge's own notes."""
    said = thing.optional_child("comment")
    if said is None:
        return Ignored("version 1.0 of this resource does not say whose comment it is: choose 2.0")
    changed = said.optional("lastUpdatedDate") != said.optional("publishedDate")
    if said.flag("isDeleted") or changed or said.optional("commentType") == "system":
        return Ignored("Windlass does nothing with a comment that is changed, removed or no text")
    person = said.optional_child("author") or Node({})
    return (
        replace(
            _pull_request(thing.child("pullRequest"), repository, "created"),
            kind=Kind.COMMENT,
            sender=person.optional("displayName"),
            sender_id=person.optional("id"),
            body=said.optional("content") or "",
            message=None,
            at=moment(said.optional("publishedDate")),
        ),
    )


def _told(body: Node, repository: str, action: str) -> Event:
    """What happened to a pull request, and when."""
    event = _pull_request(body.child("resource"), repository, action)
    return replace(event, at=moment(body.optional("createdDate")))


def _pull_request(pull: Node, repository: str, action: str) -> Event:
    author = pull.optional_child("createdBy") or Node({})
    target = pull.optional_child("lastMergeTargetCommit")
    made = pull.optional_child("lastMergeCommit") if action == "merged" else None
    number, head_sha = pull.number("pullRequestId"), _id(pull.child("lastMergeSourceCommit"))
    title, text = pull.text("title"), pull.optional("description") or ""
    event = Event(
        kind=Kind.PULL_REQUEST,
        action=action,
        repository=repository,
        number=number,
        base=short(pull.text("targetRefName").removeprefix(BRANCH)),
        head=short(pull.text("sourceRefName").removeprefix(BRANCH)),
        base_sha=_id(target) if target else None,
        head_sha=head_sha,
        sha=_id(made) if made else head_sha,
        fork=_foreign(pull),
        fork_owner=_owner(pull) if _foreign(pull) else "",
        labels=tuple(label.text("name") for label in pull.children("labels")),
        draft=pull.flag("isDraft"),
    )
    person = author if action == "opened" else Node({})
    if action in {"closed", "merged"}:
        person = pull.optional_child("closedBy") or person
    return replace(
        event,
        sender=person.optional("displayName"),
        sender_id=person.optional("id"),
        author=author.optional("displayName"),
        author_id=author.optional("id"),
        title=title,
        body=text,
        message=f"{title}\n\n{text}".rstrip(),
        url=_page(pull, number),
    )


def _page(pull: Node, number: int) -> str | None:
    """Where a pull request is shown; older ones tell where to clone from, which is beside it."""
    home = pull.child("repository")
    page = home.optional("webUrl") or home.optional("remoteUrl")
    shown = (pull.optional_child("_links") or Node({})).optional_child("web") or Node({})
    return shown.optional("href") or (f"{page}/pullrequest/{number}" if page else None)


def _id(side: Node) -> str:
    return commit(side.text("commitId"))


def _foreign(pull: Node) -> bool:
    """Whether the head is in another repository; one that is not told is another."""
    source = pull.optional_child("forkSource")
    if source is None:
        return False
    home = source.optional_child("repository")
    return home is None or home.text("id") != pull.child("repository").text("id")


def _owner(pull: Node) -> str:
    """The project of a fork."""
    source = pull.optional_child("forkSource") or Node({})
    home = source.optional_child("repository") or Node({})
    return (home.optional_child("project") or Node({})).optional("name") or ""
