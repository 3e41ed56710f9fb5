"""
The forge's side of the world: `Dialect`, `Webhooks`, `Reports`, `Source`, `PullRequests`.

`Dialect` is pure. The others speak to the forge and raise `Transient`,
`Permanent` or a `UserError`, never an exception of a library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from windlass.core.event import Event, Ignored, Kind

# What the one comment of ours on a pull request begins with; by it and its author it is found
# again. Where Markdown takes HTML nobody sees it.
MARKER = "<!-- windlass -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A webhook as it came in: header names in lower case, the raw body, the time (UTC seconds)."""

    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Verified:
    """A trusted request: the forge's id for it, and which of the secrets matched (0 is current)."""

    delivery_key: str
    secret: int = 0


class Dialect(Protocol):
    """How one forge signs and words its webhooks. Pure: same bytes, same answer."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """
        Trust the raw body, or raise `BadDelivery(trusted=False)`.

        Compares in constant time, bytes with bytes. No secret means no trust.
        The key is `sha256:HEX` of the body when the forge sends no id.
        """

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """What a verified request means; raises nothing but `BadDelivery`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """
    An OIDC issuer, and what its tokens must say to be trusted.

    `audience` is who a token has to be for; of the values of a claim it must have one.
    """

    issuer: str
    audience: str
    claims: Mapping[str, tuple[str, ...]]


class Anchors(Protocol):
    """How a dialect comes to trust the tokens of an OIDC issuer."""

    async def keys(self, issuer: str) -> str:
        """
        The issuer's public signing keys, as JSON.

        Raises a `UserError` for what is no issuer of usable keys, `Transient` or `Permanent`
        when it cannot be asked.
        """

    def anchor(self, trust: Trust, keys: str) -> bytes:
        """What `Dialect.verify` takes among the secrets; public, and it signs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """
    Where a forge shall send webhooks, and the secret it signs them with.

    `repository` is its name here, for a forge that has no pages and links to ours.
    """

    url: str
    secret: bytes
    repository: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookState:
    """
    Whether a hook is in place as it should be; `problem` says what is not.

    Its remedy is to install the hook, unless `by_hand`: only a person can mend it then, nothing
    else is tried, and the problem says how. Of the problem,
    as far as the forge tells it: whether the hook is `active`, the kinds of events that are
    `unsent`, and how the last delivery `failed`, with the status that it got.
    """

    present: bool
    problem: str = ""
    by_hand: bool = False
    active: bool = True
    unsent: frozenset[Kind] = frozenset()
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password or token for Git over HTTPS."""

    name: str
    password: str = field(repr=False)


class Webhooks(Protocol):
    """The webhook on the forge's side."""

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or repair it; twice is once."""

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us."""

    async def remove(self, url: str, hook: Hook) -> None:
        """Take our hook away, and nothing else; `hook` tells where ours lead; twice is once."""

    async def ping(self, url: str, hook: Hook) -> bool:
        """Have the forge send us something now; False where it cannot be asked to."""

    async def missed(self, url: str, hook: Hook, since: float) -> tuple[Request, ...]:
        """
        Deliveries since then (UTC seconds) that the forge holds and that may not have arrived.

        Oldest first. A forge that keeps them in another form than it sends them is asked to
        send again what failed, and they come as webhooks do; then there is nothing to return.
        """


class StatusState(StrEnum):
    """What a commit status may say."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message at a line of a file (from 1), for forges that show it in the diff."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """
    One result on one commit; `context` is stable over reruns.

    `annotations` are for forges that show them; others leave them out.
    """

    sha: str
    context: str
    state: StatusState
    description: str = ""
    url: str = ""
    annotations: tuple[Annotation, ...] = ()


class Reports(Protocol):
    """What Windlass tells the forge. All of it is idempotent."""

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context); twice is once."""

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body` (Markdown)."""

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Tell of a deployment, where the forge has such a thing; else do nothing."""


class Permission(StrEnum):
    """What a person may do in a repository."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class PullState(StrEnum):
    """The life of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Approval:
    """
    A review that approves, and that nothing has taken back since.

    `by` is the forge's own id of the person, the very one that its webhooks tell as the
    sender's. `sha` is the commit that was reviewed, empty where the forge leaves that open;
    `name` is for show.
    """

    by: str
    sha: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """
    A pull request as the forge holds it, with the reports that stand on it.

    `approved_by` names people for show, and `approvals` is what counts; None where the forge
    does not tell.
    """

    number: int
    title: str
    author: str
    base: str
    head: str
    head_sha: str
    state: PullState
    merge_sha: str = ""
    author_id: str = ""
    fork: bool = False
    draft: bool = False
    labels: tuple[str, ...] = ()
    web_url: str = ""
    approved_by: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    comment: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    fork_owner: str = ""
    approvals: tuple[Approval, ...] | None = None


class Source(Protocol):
    """What can be asked of a repository on a forge."""

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests (refs/pull/N/head)."""

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now; `NotFound` when there is none."""

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What this person may do there; never decided by a Git author."""

    async def default_branch(self, url: str) -> str:
        """The name of the branch whose configuration counts."""

    async def credential(self, url: str) -> Login | None:
        """What Git needs to read it over HTTPS, None for nothing; it holds for a few minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """How to merge: `method` is merge, squash or rebase; `by` is the person who merges."""

    method: str
    by: str
    expect_head: str = ""


class PullRequests(Protocol):
    """Pull requests of a forge without a face of its own (plain Git)."""

    async def list(self, url: str, state: str) -> tuple[PullRequest, ...]:
        """Pull requests in this state (`open`, `merged`, `closed`, `all`), newest first."""

    async def show(self, url: str, number: int) -> PullRequest:
        """One of them; `NotFound` when there is none."""

    async def approve(self, url: str, number: int, by: str) -> PullRequest:
        """Record a review that approves the present head, and send the webhook."""

    async def merge(self, url: str, number: int, how: Merge) -> PullRequest:
        """Merge as a forge would, and send the webhooks; `Conflict` when it cannot be."""

    async def close(self, url: str, number: int, by: str) -> PullRequest:
        """Close it unmerged, and send the webhook; twice is once."""
