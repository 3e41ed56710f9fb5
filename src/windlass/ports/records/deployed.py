"""
Builds, and where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

Columns = tuple[str, ...]

# A time that does not come.
NEVER = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build: made once for (repository, service, tree, recipe), and the commits it is of."""

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
    `next_at` is when it is compared next.
    """

    KEY: ClassVar[Columns] = ("place",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = (("repository", "environment"), ("next_at",))

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
    next_at: float = NEVER
    version: int = 0
