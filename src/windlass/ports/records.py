"""
The rows of the store, as the engine sees them.

Each class is one table; its fields are the columns, and fields that are data of
the core (a run, an event) are stored as JSON. `KEY` is the primary key,
`UNIQUE` what else may not occur twice, `INDEXES` what is looked up or ordered by.
A record with a `version` is saved only over the version it was read with.
Times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from windlass.core.event import Event
from windlass.core.run import Run

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository that is connected. `endpoint` is the unguessable part of its webhook URL."""

    KEY: ClassVar[Columns] = ("name",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("endpoint",), ("url",))
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    name: str
    forge: str
    url: str
    endpoint: str
    default_branch: str
    active: bool = True
    problem: str = ""
    created_at: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a branch, tag or pull request held by the last event of it; empty: it is gone."""

    KEY: ClassVar[Columns] = ("repository", "ref")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    repository: str
    ref: str
    sha: str
    event: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret value, encrypted; `scope` is a repository, or empty for all."""

    KEY: ClassVar[Columns] = ("scope", "name")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    scope: str
    name: str
    sealed: bytes
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    One trusted webhook request. `body` is compressed (zlib), `digest` is the body's SHA-256.

    `state` is received, done, ignored or failed; `attempts` and `due_at` (0: at once) steer
    the next try; `source` is `webhook`, or `recovered` when we found it ourselves.
    """

    KEY: ClassVar[Columns] = ("id",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("endpoint", "delivery_key"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (("state", "due_at"), ("repository", "id"))

    id: str
    endpoint: str
    delivery_key: str
    repository: str
    received_at: float
    headers: Mapping[str, str]
    body: bytes
    digest: str
    source: str = "webhook"
    state: str = "received"
    reason: str = ""
    attempts: int = 0
    due_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that was not accepted; kept in a ring of slots so that it stays bounded."""

    KEY: ClassVar[Columns] = ("slot",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("at",),)

    slot: int
    at: float
    endpoint: str
    repository: str
    status: int
    reason: str
    source: str
    headers: Mapping[str, str]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """
    What a delivery means. `configuration` is the commit whose listeners decided.

    `fault` is the text of a configuration error, `conflict` why a pull request
    could not be merged for its test.
    """

    KEY: ClassVar[Columns] = ("number",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("delivery", "position"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("repository", "number"),
        ("sha",),
        ("repository", "pull_request"),
    )

    number: int
    delivery: str
    position: int
    repository: str
    kind: str
    action: str
    sha: str
    branch: str
    pull_request: int
    at: float
    event: Event
    configuration: str = ""
    fault: str = ""
    matched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """One listener's verdict on one event; the place is `file:line:column`."""

    KEY: ClassVar[Columns] = ("event", "listener")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    event: int
    listener: str
    matched: bool
    condition: str = ""
    expected: str = ""
    actual: str = ""
    place: str = ""
    run: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run; the columns repeat what is looked up. `cause` is `event`, `rerun:N` or `manual`."""

    KEY: ClassVar[Columns] = ("number",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("event", "listener", "cause"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("repository", "number"),
        ("state", "number"),
        ("status_sha",),
        ("repository", "pull_request"),
        ("concurrency", "state"),
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
    that a report asked for while it is under way is sent once more.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build: made once for (repository, service, tree, recipe), and every commit it stands for."""

    KEY: ClassVar[Columns] = ("identity",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("repository", "created_at"), ("digest",))

    identity: str
    repository: str
    service: str
    tree: str
    recipe: str
    digest: str
    size: int
    run: int
    job: str
    trusted: bool
    created_at: float
    provenance: str
    commits: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """
    The attempt to make a place equal to its desired state.

    `place` is `REPOSITORY/ENVIRONMENT/SERVICE`. `state` is waiting, approval, admitted,
    deploying, succeeded, failed, superseded, cancelled, rejected or expired; `kind` is
    deploy, promote or rollback; `order` is the event that wanted it. `content` is what
    the state repository's file of the place says, or will say.
    """

    KEY: ClassVar[Columns] = ("number",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("run", "job", "attempt"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("place", "number"),
        ("state", "number"),
        ("repository", "number"),
    )

    number: int
    place: str
    repository: str
    environment: str
    service: str
    kind: str
    digest: str
    sha: str
    branch: str
    run: int
    job: str
    attempt: int
    order: int
    by: str
    why: str
    state: str
    reason: str = ""
    approvals: tuple[str, ...] = ()
    needed: int = 0
    generation: int = 0
    content: str = ""
    state_commit: str = ""
    requested_at: float = 0.0
    ended_at: float | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    One (repository, environment, service): what it should run, and what it does.

    `desired` fields follow the last admitted commit of the state repository; `pinned` is the
    reason of a rollback that holds it; `blocked` are digests that may not come back.
    `configuration` is the commit whose environment rules were used last.
    """

    KEY: ClassVar[Columns] = ("place",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("repository", "environment"),)

    place: str
    repository: str
    environment: str
    service: str
    generation: int = 0
    digest: str = ""
    sha: str = ""
    order: int = 0
    deployment: int = 0
    content: str = ""
    state_commit: str = ""
    observed: str = ""
    status: str = "empty"
    detail: str = ""
    healthy_since: float = 0.0
    pinned: str = ""
    blocked: tuple[str, ...] = ()
    url: str = ""
    checked_at: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestState:
    """What we know of a pull request: enough for reviews, order and the comment."""

    KEY: ClassVar[Columns] = ("repository", "number")
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("repository", "merge_sha"),)

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


RECORDS = (
    Repository,
    Head,
    SealedSecret,
    Delivery,
    Refusal,
    StoredEvent,
    StoredVerdict,
    StoredRun,
    StoredFact,
    StoredEffect,
    Build,
    Deployment,
    Place,
    PullRequestState,
    Audit,
    Counter,
)
