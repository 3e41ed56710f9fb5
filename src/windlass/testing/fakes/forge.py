"""
A forge in memory: `Webhooks`, `Reports` and `Source`, with a ledger of what it was told.

    forge = FakeForge()
    forge.add("https://forge.example/acme/shop", FakeRepository(heads={...}))
    forge.failures.append(Transient("slow down", retry_after=30))

`failures` are raised by the next calls, one each, before anything is changed.
`ledger` has every report that was taken, in order, repetitions too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from windlass.core.errors import NotAllowed, NotFound, Permanent, WindlassError
from windlass.ports.forge import (
    Approval,
    Hook,
    HookState,
    Login,
    Permission,
    PullRequest,
    Request,
    Status,
)


@dataclass(slots=True, kw_only=True)
class FakeRepository:
    """
    One repository of the fake.

    `people` are ids and what they may do; `pulls` the numbers that may be
    commented on and `proposals` what is told of them; `lost` the
    deliveries that did not arrive; `guarded` refuses webhooks; `pings` counts them.
    """

    heads: dict[str, str] = field(default_factory=dict)
    default: str = "main"
    people: dict[str, Permission] = field(default_factory=dict)
    pulls: set[int] = field(default_factory=set)
    proposals: dict[int, PullRequest] = field(default_factory=dict)
    lost: list[Request] = field(default_factory=list)
    hook: Hook | None = None
    guarded: bool = False
    pings: int = 0
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One report that the forge took: about which commit or pull request, and what."""

    url: str
    about: str
    value: Status | str


@dataclass(slots=True)
class FakeForge:
    """Keeps repositories by their URL, and what it was told."""

    repositories: dict[str, FakeRepository] = field(default_factory=dict)
    ledger: list[Told] = field(default_factory=list)
    failures: list[WindlassError] = field(default_factory=list)

    def add(self, url: str, repository: FakeRepository) -> FakeRepository:
        """Let there be a repository."""
        self.repositories[url] = repository
        return repository

    def approve(self, url: str, number: int, by: str) -> None:
        """Let somebody approve the head of a pull request; `by` is their id."""
        pull = self.repositories[url].proposals[number]
        others = tuple(one for one in pull.approvals or () if one.by != by)
        self._put(url, replace(pull, approvals=(*others, Approval(by, pull.head_sha))))

    def revoke(self, url: str, number: int, by: str) -> None:
        """Let somebody take an approval back."""
        pull = self.repositories[url].proposals[number]
        others = tuple(one for one in pull.approvals or () if one.by != by)
        self._put(url, replace(pull, approvals=others))

    def push(self, url: str, number: int, sha: str) -> None:
        """Let a pull request have another head; it keeps its approvals of the one before."""
        pull = self.repositories[url].proposals[number]
        self._put(url, replace(pull, head_sha=sha))

    def _put(self, url: str, pull: PullRequest) -> None:
        self.repositories[url].proposals[pull.number] = pull

    def statuses(self, url: str, sha: str) -> dict[str, Status]:
        """The last status of each context of a commit."""
        told = (one.value for one in self.ledger if (one.url, one.about) == (url, sha))
        return {value.context: value for value in told if isinstance(value, Status)}

    def comment_on(self, url: str, number: int) -> str:
        """What our comment on a pull request says; empty when there is none."""
        told = [one.value for one in self.ledger if (one.url, one.about) == (url, f"#{number}")]
        return str(told[-1]) if told else ""

    async def install(self, url: str, hook: Hook) -> HookState:
        """Remember the hook."""
        repository = await self._person(url)
        if repository.guarded:
            raise NotAllowed(f"{url}: no right to set up webhooks", hint="ask an administrator")
        repository.hook = hook
        return HookState(present=True)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Compare it with the remembered one."""
        present = (await self._person(url)).hook
        if present is None:
            return HookState(present=False, problem="there is no webhook; install it")
        if present.url != hook.url:  # no forge tells the secret
            return HookState(present=True, problem="the webhook is another; install it again")
        return HookState(present=True)

    async def remove(self, url: str, hook: Hook) -> None:
        """Forget it, when it leads to the same host."""
        repository = await self._person(url)
        if repository.hook and urlsplit(repository.hook.url)[:2] == urlsplit(hook.url)[:2]:
            repository.hook = None

    async def ping(self, url: str, _hook: Hook) -> bool:
        """Count it."""
        (await self._person(url)).pings += 1
        return True

    async def missed(self, url: str, _hook: Hook, since: float) -> tuple[Request, ...]:
        """What a test has put into `lost`."""
        return tuple(one for one in (await self._person(url)).lost if one.at >= since)

    async def status(self, url: str, status: Status) -> None:
        """Note it, when the commit is one of the heads."""
        repository = await self._program(url)
        if status.sha not in repository.heads.values():
            raise Permanent(f"{url} has no commit {status.sha}")
        self.ledger.append(Told(url, status.sha, status))

    async def comment(self, url: str, number: int, body: str) -> None:
        """Note it, when there is such a pull request."""
        repository = await self._program(url)
        if number not in repository.pulls:
            raise Permanent(f"{url} has no pull request {number}")
        self.ledger.append(Told(url, f"#{number}", body))

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Note it under `deployment ENVIRONMENT`."""
        await self._program(url)
        self.ledger.append(Told(url, f"deployment {environment}", status))

    async def heads(self, url: str) -> Mapping[str, str]:
        """The heads as a test has put them."""
        return dict((await self._person(url)).heads)

    async def pull(self, url: str, number: int) -> PullRequest:
        """What a test has put."""
        found = (await self._person(url)).proposals.get(number)
        if found is None:
            raise NotFound(f"{url} has no pull request {number}")
        return found

    async def credential(self, url: str) -> Login | None:
        """What `login` says; asked before every fetch, so it takes no part in failures."""
        await asyncio.sleep(0)
        found = self.repositories.get(url)
        return found.login if found else None

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What `people` says."""
        return (await self._person(url)).people.get(sender_id, Permission.NONE)

    async def default_branch(self, url: str) -> str:
        """What `default` says."""
        return (await self._person(url)).default

    async def _person(self, url: str) -> FakeRepository:
        """The repository, for a call that answers a person."""
        return await self._found(url, NotFound(f"{url}: there is no such repository"))

    async def _program(self, url: str) -> FakeRepository:
        """The repository, for a call that an effect made."""
        return await self._found(url, Permanent(f"{url}: there is no such repository"))

    async def _found(self, url: str, otherwise: WindlassError) -> FakeRepository:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        if url not in self.repositories:
            raise otherwise
        return self.repositories[url]
