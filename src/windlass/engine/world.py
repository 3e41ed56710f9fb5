"""
Everything outside that the engine may use, handed in once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from windlass.core.errors import UserError
from windlass.git.mirror import Mirror
from windlass.git.state import StateRepository
from windlass.ports.executor import Artifacts, Executor, Logs
from windlass.ports.forge import (
    Anchors,
    Dialect,
    PullRequests,
    Reports,
    Request,
    Source,
    Webhooks,
)
from windlass.ports.records import Repository
from windlass.ports.store import Store, UnderWay
from windlass.ports.target import Clock, Target, Vault


def _never(_: Request) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """
    The ports of one kind of forge; `pull_requests` where it has no face of its own.

    `pull_ref` is where it keeps the head of a pull request for Git, empty when nowhere.
    A forge that does not sign its bodies (`signed` false) is asked again before they count.
    Where names of people are not theirs alone (`logins` false) their ids stand for them.
    `clone` makes a repository's address the one that Git is given.
    Behind one `by_hand` there is nobody to ask, and its webhooks are made by people.
    `anchors` where its dialect trusts tokens of OIDC issuers. `example` tells the body that a
    forge sends to try a webhook, where that looks like an event of a repository.
    """

    dialect: Dialect
    webhooks: Webhooks
    reports: Reports
    source: Source
    pull_requests: PullRequests | None = None
    pull_ref: str = "refs/pull/{number}/head"
    signed: bool = True
    logins: bool = True
    clone: Callable[[str], str] = str
    by_hand: bool = False
    anchors: Anchors | None = None
    example: Callable[[Request], bool] = _never


class Secrets(Protocol):
    """Where new secret values go; `Vault` gives them back."""

    async def put(self, name: str, scope: str, value: bytes) -> None:
        """Seal and store a value."""


class Mirrors(Protocol):
    """The mirror of each repository."""

    def of(self, repository: Repository) -> Mirror:
        """The one mirror of this repository; made when it is first asked for."""


class Left(Protocol):
    """A forge that is not asked for a while, and why; times are UTC seconds."""

    @property
    def origin(self) -> str:
        """Its address, scheme and host."""

    @property
    def since(self) -> float:
        """When that began; what failed again after a pause has not ended."""

    @property
    def until(self) -> float:
        """When it is asked again."""

    @property
    def reason(self) -> str:
        """What happened."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look at an address: the status of its answer, and its clock (UTC seconds)."""

    status: int
    clock: float | None


async def _undetected(url: str) -> str:
    raise UserError(f"it cannot be told which forge {url} is on", hint="say it with --forge")


async def _unexchanged(host: str, code: str) -> str:
    raise UserError(f"this server registers no App at {host} for the code {code[:4]}...")


async def _unseen(url: str) -> Looked:
    raise UserError(f"this server cannot look at {url}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """
    What the server can find out about what is around it; blind by default.

    `detect` tells the forge of an address, `look` asks an address (a `WindlassError` says why it
    cannot be asked), `circuits` are the forges that are left alone for a while, `unsound` what is
    wrong with the database file (it takes its time). `manifest` is what a GitHub is asked to make
    an App of, and `exchange` (host, code) gets that App's JSON text.
    """

    detect: Callable[[str], Awaitable[str]] = _undetected
    look: Callable[[str], Awaitable[Looked]] = _unseen
    circuits: Callable[[], tuple[Left, ...]] = tuple
    manifest: Callable[[], Mapping[str, object]] = dict
    exchange: Callable[[str, str], Awaitable[str]] = _unexchanged
    unsound: Callable[[], tuple[str, ...]] = tuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """
    Which jobs are isolated: strangers' always, and `everyone`'s where the operator says so.

    `missing` says why the executor cannot do it, empty when it can; `network` whether strangers'
    jobs have the network, as everybody else's do.
    """

    missing: str = "there is none"
    network: bool = False
    everyone: bool = False


class Unnoted:
    """`UnderWay` of a server that nobody starts again."""

    def left(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def forget(self) -> None:
        """There is nothing to forget."""

    def begin(self, one: str) -> None:
        """It is not noted."""

    def end(self, one: str) -> None:
        """It was not noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    The ports, and the few facts about this server that decisions need.

    `targets` and `forges` are by kind. `isolation` is how
    the executor keeps jobs apart from this machine. `public_url` has no slash at its end.
    """

    store: Store
    clock: Clock
    forges: Mapping[str, Forge]
    mirrors: Mirrors
    state: StateRepository
    executor: Executor
    logs: Logs
    artifacts: Artifacts
    targets: Mapping[str, Target]
    vault: Vault
    secrets: Secrets
    data: Path
    public_url: str
    version: str
    isolation: Isolation = Isolation()
    outlook: Outlook = Outlook()
    under_way: UnderWay = field(default_factory=Unnoted)
