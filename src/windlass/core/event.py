"""
What happened, in one vocabulary for all forges.

A dialect reads a webhook into `Event`s of this module; nothing further in
knows a forge. What a dialect does not understand is `Ignored` with a reason:
a value that is stored and shown, not an error.

>>> Event(kind=Kind.PUSH, action="pushed", repository="acme/shop", branch="FB1").label
'push'
>>> Event(kind=Kind.PULL_REQUEST, action="merged", repository="acme/shop", number=7).label
'pull_request merged'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# What a person gives to an input.
Value = str | bool | int | float


class Kind(StrEnum):
    """What kind of thing happened; the words after `on:`."""

    PUSH = "push"
    TAG = "tag"
    BRANCH = "branch"
    PULL_REQUEST = "pull_request"
    REVIEW = "review"
    COMMENT = "comment"
    RELEASE = "release"
    MERGE_GROUP = "merge_group"
    SCHEDULE = "schedule"
    MANUAL = "manual"
    GENERIC = "generic"
    DEPLOYMENT = "deployment"
    PING = "ping"


# The actions of each kind. A kind with one action needs none in `on:`.
ACTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.PUSH: ("pushed",),
    Kind.TAG: ("created", "deleted"),
    Kind.BRANCH: ("created", "deleted"),
    Kind.PULL_REQUEST: (
        "opened",
        "updated",
        "reopened",
        "ready",
        "drafted",
        "edited",
        "labeled",
        "unlabeled",
        "closed",
        "merged",
    ),
    Kind.REVIEW: ("approved", "changes_requested", "commented", "dismissed"),
    Kind.COMMENT: ("created",),
    Kind.RELEASE: ("published",),
    Kind.MERGE_GROUP: ("requested",),
    Kind.SCHEDULE: ("due",),
    Kind.MANUAL: ("asked",),
    Kind.GENERIC: ("received",),
    Kind.DEPLOYMENT: ("succeeded", "failed"),
    Kind.PING: ("pinged",),
}

# What `on: KIND` means when it names no action.
DEFAULT_ACTIONS: Mapping[Kind, tuple[str, ...]] = {
    **ACTIONS,
    Kind.TAG: ("created",),
    Kind.BRANCH: ("created",),
    Kind.PULL_REQUEST: ("opened", "updated", "reopened", "ready"),
}

ZERO = "0" * 40


def is_zero(sha: str | None) -> bool:
    """Whether a forge says "no commit" with this id (all zeroes, of either length)."""
    return bool(sha) and not str(sha).strip("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One thing that happened in a repository.

    `sha` is the commit it is about: the pushed one, a pull request's head, after
    a merge the commit that the merge made. `before` is what the branch held
    until then. `head` and `base` are branch names of a pull request; `fork`
    says that its head is in another repository, and `fork_owner` whose that is, if
    the forge tells. `sender_id` is the forge's own
    id of the person, the only identity that gives rights; names are for show.
    `files` is the forge's list of changed files, None when it sent none or cut
    it short. `message` is the head commit's (or pull request's) text.
    `schedule` is the cron text that was due. `listener` is the one that a person
    asked for, and `inputs` are the values that were given to it (`manual` only).
    """

    kind: Kind
    action: str
    repository: str
    branch: str | None = None
    tag: str | None = None
    sha: str | None = None
    before: str | None = None
    number: int | None = None
    base: str | None = None
    head: str | None = None
    base_sha: str | None = None
    head_sha: str | None = None
    sender: str | None = None
    sender_id: str | None = None
    author: str | None = None
    author_id: str | None = None
    fork: bool = False
    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] = ()
    draft: bool = False
    url: str | None = None
    message: str | None = None
    files: tuple[str, ...] | None = None
    schedule: str | None = None
    at: float | None = None
    recovered: bool = False
    fork_owner: str = ""
    listener: str | None = None
    inputs: Mapping[str, Value] | None = None

    @property
    def label(self) -> str:
        """The event as a person writes it: `push`, `pull_request merged`."""
        return self.kind if len(ACTIONS[self.kind]) == 1 else f"{self.kind} {self.action}"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that means nothing to us, and why."""

    reason: str
