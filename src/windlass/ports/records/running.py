"""
Runs, and what they want done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from windlass.core.run import Run

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """
    A run; the columns repeat what is looked up. `cause` is `event`, `rerun:N` or `manual`.

    `origin` is the event that its own one repeats.
    """

    KEY: ClassVar[Columns] = ("number",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("event", "listener", "cause"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("repository", "number"),
        ("state", "number"),
        ("status_sha",),
        ("repository", "pull_request"),
        ("concurrency", "state"),
        ("sha",),
        ("repository", "state"),
    )

    number: int
    repository: str
    event: int
    listener: str
    cause: str
    state: str
    branch: str
    sha: str
    status_sha: str
    pull_request: int
    concurrency: str
    created_at: float
    ended_at: float | None
    run: Run
    version: int = 0
    origin: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """
    What a status on a commit speaks of: the newest run with that context.

    Without a run (0) it is neutral: the `listener` did not want this `event`.
    """

    KEY: ClassVar[Columns] = ("repository", "sha", "context")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    repository: str
    sha: str
    context: str
    run: int
    event: int = 0
    listener: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFact:
    """A fact that was taken in; the key keeps it from counting twice."""

    KEY: ClassVar[Columns] = ("id",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("run",),)

    id: str
    run: int
    kind: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEffect:
    """
    Something to do. `id` is its idempotency key, `kind` and `arguments` say what.

    `state` is pending, done or failed. `wanted` rises each time it is asked for again, so
    that a report asked for while it is under way is sent once more. `told` is a digest of what
    a report said last, `sent` how often it was sent, `sent_at` when.
    """

    KEY: ClassVar[Columns] = ("id",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("state", "due_at"), ("run",))

    id: str
    kind: str
    run: int = 0
    arguments: Mapping[str, str] = field(default_factory=dict)
    state: str = "pending"
    wanted: int = 1
    attempts: int = 0
    due_at: float = 0.0
    error: str = ""
    created_at: float = 0.0
    told: str = ""
    sent: int = 0
    sent_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestState:
    """What we know of a pull request: enough for reviews, order and the comment."""

    KEY: ClassVar[Columns] = ("repository", "number")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("repository", "merge_sha"),
        ("repository", "head"),
    )

    repository: str
    number: int
    title: str
    author: str
    author_id: str
    base: str
    head: str
    head_sha: str
    state: str
    fork: bool = False
    merge_sha: str = ""
    approved: tuple[str, ...] = ()
    url: str = ""
    updated_at: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCommand:
    """
    One command of a comment, the `position`th of its event, and what came of it.

    `by` is the person's name on the forge, for show; `state` is done or refused, `outcome` says it
    in one line, `path` is the page that shows more, if there is one. `explains` is the event that
    was asked about, 0 for other commands.
    """

    KEY: ClassVar[Columns] = ("event", "position")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("repository", "pull_request"),)

    event: int
    position: int
    repository: str
    pull_request: int
    by: str
    by_id: str
    text: str
    state: str
    outcome: str
    path: str
    at: float
    explains: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationCheck:
    """
    What the configuration of a pull request would do, as of one of its events.

    `state` is same, differs or faulty; `lines` are the details, `sha` the head that it stands on.
    """

    KEY: ClassVar[Columns] = ("event",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("repository", "pull_request"),)

    event: int
    repository: str
    pull_request: int
    sha: str
    state: str
    summary: str
    lines: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Who did what, when, and from where."""

    KEY: ClassVar[Columns] = ("number",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("at",),)

    number: int
    at: float
    actor: str
    what: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """The last number given out under a name."""

    KEY: ClassVar[Columns] = ("name",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    name: str
    value: int
