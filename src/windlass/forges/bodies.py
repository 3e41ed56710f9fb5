"""
What the bodies of GitHub, Gitea, Forgejo and Gogs have in common.

The younger ones took their words from GitHub, so one reading of a pull request,
a comment and a release serves them all; what each has of its own is in its dialect.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.errors import BadDelivery
from windlass.core.event import Event, Ignored, Kind
from windlass.forges.moves import commit, short
from windlass.forges.strict_json import Node, read
from windlass.forges.times import moment
from windlass.ports.forge import Request

NOBODY = Node({})


def json_body(request: Request) -> Node:
    """The object of a request; a form is told how to be set right."""
    kind = request.headers.get("content-type", "application/json")
    if kind.startswith("application/x-www-form-urlencoded"):
        raise BadDelivery("the webhook is sent as a form: set its content type to JSON")
    return read(request.body)


def about(body: Node, repository: str) -> Event:
    """What every body tells; the rest is put in its place."""
    sender = body.optional_child("sender") or body.optional_child("pusher") or NOBODY
    return Event(
        kind=Kind.PING,
        action="pinged",
        repository=repository,
        # The oldest pushes tell their pusher alone, and by name.
        sender=sender.optional("login") or sender.optional("username") or sender.optional("name"),
        sender_id=identity(sender),
        number=body.number("number") if body.has("number") else None,
    )


def pull_request(event: Event, pull: Node) -> Event:
    """The event, told of this pull request; its action is still to be said."""
    base, head = pull.child("base"), pull.child("head")
    head_sha = commit(head.text("sha"))
    return replace(
        described(event, pull),
        kind=Kind.PULL_REQUEST,
        base=short(base.text("ref")),
        head=short(head.text("ref")),
        base_sha=commit(base.text("sha")),
        head_sha=head_sha,
        sha=head_sha,
        fork=_apart(head, base),
        fork_owner=owner(head.optional_child("repo"), base.optional_child("repo")),
    )


def described(event: Event, pull: Node) -> Event:
    """The event with number, title, text, author, labels and place of a pull request."""
    author = pull.optional_child("user") or NOBODY
    title, text = pull.text("title"), pull.optional("body") or ""
    return replace(
        event,
        number=event.number if event.number and not pull.has("number") else pull.number("number"),
        author=author.optional("login"),
        author_id=identity(author),
        title=title,
        body=text,
        message=message(title, text),
        labels=tuple(label.text("name") for label in pull.children("labels")),
        draft=pull.flag("draft"),
        url=pull.optional("html_url"),
        at=moment(pull.optional("updated_at")),
    )


def merged(event: Event, pull: Node) -> Event:
    """A pull request that was closed by merging it, with the commit that the merge made."""
    made = pull.optional("merge_commit_sha")
    return replace(event, action="merged", sha=commit(made) if made else event.head_sha)


def comment(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """A comment on a pull request, on the whole or on a line; on an issue it means nothing."""
    action = body.text("action")
    if action != "created":
        return Ignored(f"Windlass does nothing with a comment that is {action[:80]}")
    said = body.child("comment")
    pull, issue = body.optional_child("pull_request"), body.optional_child("issue") or NOBODY
    if pull is not None:
        event = pull_request(about(body, repository), pull)
    elif issue.optional_child("pull_request") is not None or body.flag("is_pull"):
        event = described(about(body, repository), issue)
    else:
        return Ignored("a comment on an issue is about no branch and no commit")
    return (
        replace(
            event,
            kind=Kind.COMMENT,
            action="created",
            body=said.optional("body") or "",
            message=None,
            url=said.optional("html_url"),
            at=moment(said.optional("created_at")),
        ),
    )


def release(body: Node, repository: str) -> tuple[Event, ...] | Ignored:
    """
    A release that can be seen from now on; its commit is its tag's, which Git knows.

    `target_commitish` is what a tag would have been made from, had there been none.
    """
    action = body.text("action")
    if action != "published":
        return Ignored(f"Windlass does nothing with a release that is {action[:80]}")
    told = body.child("release")
    author = told.optional_child("author") or NOBODY
    title, text = told.optional("name") or "", told.optional("body") or ""
    event = replace(
        about(body, repository),
        kind=Kind.RELEASE,
        action="published",
        tag=short(told.text("tag_name")),
        author=author.optional("login"),
        author_id=identity(author),
        title=title,
        body=text,
    )
    return (
        replace(
            event,
            message=message(title, text),
            draft=told.flag("draft"),
            url=told.optional("html_url"),
            at=moment(told.optional("published_at")),
        ),
    )


def _apart(head: Node, base: Node) -> bool:
    """Whether two sides are in two repositories; where neither is told, their ids may be."""
    if not base.has("repo") and base.has("repo_id") and head.has("repo_id"):
        return head.number("repo_id") != base.number("repo_id")
    return foreign(head.optional_child("repo"), base.optional_child("repo"))


def foreign(head: Node | None, base: Node | None) -> bool:
    """Whether the head is in another repository, or in one that is gone or not told."""
    if head is None or base is None or not (base.has("id") or base.has("full_name")):
        return True
    return _names(head) != _names(base)


def _names(repository: Node) -> tuple[str | None, str | None]:
    return identity(repository), repository.optional("full_name")


def owner(head: Node | None, base: Node | None) -> str:
    """Whose the repository of a head is that is in another one; empty when that is not told."""
    if head is None or not foreign(head, base):
        return ""
    whose = head.optional_child("owner") or NOBODY
    return whose.optional("login") or whose.optional("username") or ""


def identity(thing: Node) -> str | None:
    """The forge's own id of a person or a repository."""
    return str(thing.number("id")) if thing.has("id") else None


def message(title: str, text: str) -> str:
    """Title and text as a commit's message would have them."""
    return f"{title}\n\n{text}".strip()
