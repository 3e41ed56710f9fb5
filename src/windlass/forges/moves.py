"""
Refs that moved, as a webhook tells them, and the events they are.

A name that Git would refuse, or could take for an option, ends here. A new
branch is a push and `branch created`; one that went is `branch deleted` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from windlass.core.errors import BadDelivery, UserError
from windlass.core.event import Event, Kind, is_zero
from windlass.git.refs import check_ref, is_sha

BRANCH, TAG = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A ref that moved; `before` and `after` are None where it did not exist, `sha` the commit."""

    ref: str
    before: str | None
    after: str | None
    sha: str | None

    def events(self, about: Event) -> Iterator[Event]:
        """The events this is; `about` tells the rest of each. None for other refs."""
        if self.ref.startswith(BRANCH):
            branch = short(self.ref.removeprefix(BRANCH))
            push = replace(about, kind=Kind.PUSH, action="pushed", branch=branch)
            if self.after:
                yield replace(push, sha=self.after, before=self.before)
            yield from self._made(replace(push, kind=Kind.BRANCH, files=None))
        elif self.ref.startswith(TAG):
            tag = short(self.ref.removeprefix(TAG))
            yield from self._made(replace(about, kind=Kind.TAG, action="created", tag=tag))

    def _made(self, event: Event) -> Iterator[Event]:
        """`created` or `deleted`; a tag that was moved counts as created again."""
        if self.after is None:
            yield replace(event, action="deleted", before=self.before)
        elif self.before is None or event.kind is Kind.TAG:
            yield replace(event, action="created", sha=self.sha, before=self.before)


def short(name: str) -> str:
    """A branch or tag name that Git would accept."""
    try:
        return check_ref(name)
    except UserError as error:
        raise BadDelivery(error.message) from error


def end(sha: str) -> str | None:
    """One end of a move: a commit's or tag's full id, None for all zeroes."""
    if not is_sha(sha):
        raise BadDelivery(f"{sha[:80]!r} is not the id of a commit")
    return None if is_zero(sha) else sha


def commit(sha: str) -> str:
    """The full id of a commit that exists."""
    found = end(sha)
    if found is None:
        raise BadDelivery("a commit is missing")
    return found
