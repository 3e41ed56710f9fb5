"""
Repositories, and what came in from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from windlass.core.event import Event
from windlass.core.policy import ANY, Policy

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """
    A repository that is connected. `endpoint` is the unguessable part of its webhook URL.

    A `polling` one has no webhook: its forge is asked again and again instead. The webhook
    secret before the present one is trusted until `previous_until` (UTC seconds). `policy` is
    what its operator allows.
    """

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
    polling: bool = False
    previous_until: float = 0.0
    require_digest: bool = False
    allow_images: tuple[str, ...] = ANY
    allow_forks: tuple[str, ...] = ANY

    @property
    def policy(self) -> Policy:
        """What the operator allows it."""
        return Policy(
            require_digest=self.require_digest,
            allow_images=self.allow_images,
            allow_forks=self.allow_forks,
        )


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
class TrustedIssuer:
    """
    The OIDC issuer whose tokens a repository's endpoint trusts; empty: none.

    `claims` are what a token must say, of several values one. `read_at` is when the issuer's
    keys were last read, `tried_at` when they were last asked for, `problem` why that failed.
    """

    KEY: ClassVar[Columns] = ("repository",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = ()
    INDEXES: ClassVar[tuple[Columns, ...]] = ()

    repository: str
    issuer: str
    audience: str
    claims: Mapping[str, tuple[str, ...]]
    read_at: float
    tried_at: float
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    One trusted webhook request. `body` is compressed (zlib), `digest` is the body's SHA-256.

    `state` is received, done, ignored or failed; `attempts` and `due_at` (0: at once) steer
    the next try; `source` is `webhook`, or `recovered` when we found it ourselves, or
    `replay` of the delivery `origin`, which starts deploys only when `deploys`, or `asked`
    when a person has a listener run. `took` is how long its request took until it was
    stored, in milliseconds; 0 where there was no request. `deaths` of the server were in
    the middle of its handling.
    """

    KEY: ClassVar[Columns] = ("id",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("endpoint", "delivery_key"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("state", "due_at"),
        ("repository", "id"),
        ("state", "repository", "due_at"),
        ("origin", "id"),
    )

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
    origin: str = ""
    deploys: bool = True
    took: float = 0.0
    deaths: int = 0

    @property
    def tries(self) -> int:
        """How often it was handled to no end, those included that killed the server."""
        return self.attempts + self.deaths


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
    could not be merged for its test. `origin` is the event that this one repeats.
    """

    KEY: ClassVar[Columns] = ("number",)
    UNIQUE: ClassVar[tuple[Columns, ...]] = (("delivery", "position"),)
    INDEXES: ClassVar[tuple[Columns, ...]] = (
        ("repository", "number"),
        ("repository", "sha", "number"),
        ("repository", "sha", "recovered"),
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
    recovered: bool = False
    origin: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """
    One listener's verdict on one event; the place is `file:line:column`.

    A listener in `shadow` starts nothing, whatever it says.
    """

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
    shadow: bool = False
