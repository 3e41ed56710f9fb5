"""
What the API answers, as far as commands show it.

Only the fields that are shown are named; what a newer server says besides is
passed through by `--json` and otherwise ignored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list."""

    items: list[T]
    next: int | None = None


class Fault(msgspec.Struct, frozen=True):
    """One fault of a configuration."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""


class WrongInput(msgspec.Struct, frozen=True):
    """One value that does not fit."""

    message: str


class Error(msgspec.Struct, frozen=True):
    """What went wrong."""

    code: str
    message: str
    hint: str = ""
    faults: list[Fault] = []
    inputs: list[WrongInput] = []


class Refused(msgspec.Struct, frozen=True):
    """An answer of 4xx or 5xx."""

    error: Error


class Policy(msgspec.Struct, frozen=True):
    """What the operator allows a repository."""

    require_digest: bool
    allow_images: list[str]
    allow_forks: list[str]


class Trust(msgspec.Struct, frozen=True):
    """The OIDC issuer that a repository trusts."""

    issuer: str
    audience: str
    claims: dict[str, list[str]]


class Repository(msgspec.Struct, frozen=True):
    """A repository."""

    name: str
    forge: str
    url: str
    default_branch: str
    active: bool
    problem: str
    polling: bool = False
    policy: Policy | None = None


class Hook(msgspec.Struct, frozen=True):
    """Whether a webhook is in place."""

    present: bool
    problem: str


class Rotated(Hook, frozen=True):
    """A webhook with a new secret, and how long the one before counts."""

    previous_until: datetime | None
    by_hand: bool


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    check: str
    subject: str
    passed: bool
    said: str
    fix: str


class Recovered(msgspec.Struct, frozen=True):
    """How many events were found that no webhook had brought."""

    found: int


class Secret(msgspec.Struct, frozen=True):
    """What webhooks are signed with."""

    secret: str


class Added(msgspec.Struct, frozen=True):
    """A repository that was just connected."""

    repository: Repository
    hook: Hook
    webhook: str
    ping: float | None = None


class Status(msgspec.Struct, frozen=True):
    """One result on a commit."""

    context: str
    state: str
    description: str


class PullRequest(msgspec.Struct, frozen=True):
    """A pull request."""

    number: int
    title: str
    author: str
    base: str
    head: str
    head_sha: str
    state: str
    merge_sha: str
    approved_by: list[str]
    statuses: list[Status]
    comment: str
    updated_at: datetime | None


class Verdict(msgspec.Struct, frozen=True):
    """One listener's verdict."""

    listener: str
    matched: bool
    condition: str
    expected: str
    actual: str
    place: str
    run: int | None
    nearest: str = ""
    shadow: bool = False


class Delivery(msgspec.Struct, frozen=True):
    """A delivery."""

    id: str
    key: str
    repository: str
    received_at: datetime
    source: str
    state: str
    reason: str
    origin: str | None = None
    took_ms: float | None = None


class Event(msgspec.Struct, frozen=True):
    """An event; `verdicts` only when one is shown."""

    number: int
    label: str
    repository: str
    branch: str
    sha: str
    pull_request: int | None
    title: str
    sender: str
    at: datetime
    delivery: str
    matched: int
    listeners: int
    fault: str
    shadow: int = 0
    verdicts: list[Verdict] = []
    origin: int | None = None
    source: Delivery | None = None


class DeliveryDetail(Delivery, frozen=True, kw_only=True):
    """A delivery with what it carried."""

    headers: dict[str, str]
    forge: str
    hook: str
    events: list[int] = []


class Refusal(msgspec.Struct, frozen=True):
    """A request that was not accepted."""

    at: datetime
    repository: str
    status: int
    reason: str
    source: str
    size: int


class Replay(msgspec.Struct, frozen=True):
    """A replay that was made, or would be; `events` are those of the original."""

    original: str
    event: int | None
    events: list[int]
    repository: str
    delivery: str | None
    fresh: bool


class Replays(Listed[Replay], frozen=True, kw_only=True):
    """Replays, and how many events a person had asked for, which are not replayed."""

    left_out: int = 0


class Explanation(msgspec.Struct, frozen=True):
    """Why something did, or did not, happen."""

    lines: list[str]


class Step(msgspec.Struct, frozen=True):
    """One step of a job."""

    number: int
    name: str
    state: str
    exit_code: int | None


class Job(msgspec.Struct, frozen=True):
    """A job of a run."""

    name: str
    kind: str
    state: str
    attempt: int
    reason: str
    started_at: datetime | None
    ended_at: datetime | None
    steps: list[Step]


class Run(msgspec.Struct, frozen=True):
    """A run; `jobs` only when one is shown."""

    number: int
    repository: str
    listener: str
    cause: str
    state: str
    reason: str
    event: int
    label: str
    title: str
    branch: str
    sha: str
    sender: str
    created_at: datetime
    ended_at: datetime | None
    jobs: list[Job] = []
    inputs: dict[str, str | bool | int | float] | None = None
    origin: int | None = None

    @property
    def what(self) -> str:
        """What it came of, and whether that was a replay."""
        return f"{self.label} (repeats {self.origin})" if self.origin else self.label


class Build(msgspec.Struct, frozen=True):
    """A build."""

    identity: str
    digest: str
    repository: str
    service: str
    tree: str
    size: int
    run: int
    trusted: bool
    created_at: datetime
    commits: list[str]


class Deployment(msgspec.Struct, frozen=True):
    """A deployment."""

    number: int
    repository: str
    environment: str
    service: str
    kind: str
    state: str
    reason: str
    digest: str
    sha: str
    by: str
    why: str
    approvals: list[str]
    needed: int
    run: int


class Place(msgspec.Struct, frozen=True):
    """What runs at a place."""

    repository: str
    environment: str
    service: str
    status: str
    detail: str
    digest: str
    sha: str
    pinned: str
    url: str


class Cell(msgspec.Struct, frozen=True):
    """One field of the board."""

    place: Place
    deployment: Deployment | None
    waiting: list[Deployment]


class Row(msgspec.Struct, frozen=True):
    """One service."""

    repository: str
    service: str
    cells: dict[str, Cell]


class Board(msgspec.Struct, frozen=True):
    """Services by environments."""

    environments: list[str]
    rows: list[Row]
