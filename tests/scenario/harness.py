"""
A whole server without its web, in which stories are played.

The store, the mirrors, the state repository, logs and artifacts are the real ones;
the forge, the target and, unless a story wants processes, the executor are
fakes. Time stands still until a story lets it go on, so `settle` can wait for what
happens and never for a while.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from origin import Origin
from sandboxes import sandbox

from windlass.artifacts.local import LocalArtifacts
from windlass.core.event import Event
from windlass.engine.engine import Engine, Pace
from windlass.engine.ids import Ids
from windlass.engine.receive import Arrival, Receive
from windlass.engine.requests.everything import Requests
from windlass.engine.world import Forge, Isolation, Unnoted, World
from windlass.executors.process import ProcessExecutor, ProcessLimits
from windlass.git.program import Git
from windlass.git.state import StateRepository
from windlass.logs.local import LocalLogs
from windlass.ports.executor import Order, OrderStep
from windlass.ports.forge import Permission, PullRequest, PullState, Request, Verified
from windlass.ports.records import Delivery, Head, Repository, StoredEffect
from windlass.ports.store import UnderWay
from windlass.stores.sqlite import SqliteStore
from windlass.targets.directory.target import DirectoryTarget
from windlass.testing.fakes.executor import FakeExecutor, FakeJob
from windlass.testing.fakes.forge import FakeForge, FakeRepository
from windlass.testing.fakes.script import KILLED
from windlass.testing.fakes.target import FakeTarget
from windlass.testing.fakes.vault import FakeVault
from windlass.wiring.world import Mirrors

NAME = "shop"
START = 1_700_000_000.0
# The loops that sleep: places, state repository, schedules, missed deliveries, issuers.
LOOPS = 5
PACE = Pace(jobs=16, recover_every=1e9)


@dataclass
class StillClock:
    """Time that goes on when it is told to."""

    time: float = START
    sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.time + seconds, until)
        self.sleepers.append(entry)
        try:
            await until
        finally:
            self.sleepers.remove(entry)

    def go_on(self, seconds: float) -> None:
        """Let time pass; who slept for less wakes up."""
        self.time += seconds
        for due, until in self.sleepers:
            if due <= self.time and not until.done():
                until.set_result(None)

    @property
    def asleep(self) -> int:
        return sum(not until.done() for _, until in self.sleepers)


class Words:
    """A dialect whose deliveries are our own events, as JSON."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        return Verified(request.headers["x-windlass-delivery"])

    def read(self, request: Request, repository: str) -> tuple[Event, ...]:
        return tuple(msgspec.json.decode(request.body, type=list[Event]))


class StageForge(FakeForge):
    """A forge that tells the heads of a real repository."""

    origin: Origin

    async def heads(self, url: str) -> Mapping[str, str]:
        found = await asyncio.to_thread(self.origin.heads)
        proposed = (await self._person(url)).proposals.values()
        opened = {
            f"refs/pull/{one.number}/head": one.head_sha
            for one in proposed
            if one.state is PullState.OPEN
        }
        return found | opened

    async def pull(self, url: str, number: int) -> PullRequest:
        """With the head that is there now, told or not."""
        found = await super().pull(url, number)
        head = await asyncio.to_thread(self.origin.at, f"refs/heads/{found.head}")
        return replace(found, head_sha=head or found.head_sha)


class GatedExecutor(FakeExecutor):
    """A step whose name begins with `gate` waits until that gate is opened, or its job stopped."""

    def __init__(self, root: Path, logs: LocalLogs) -> None:
        super().__init__(root, logs)
        self.open: set[str] = set()
        self.waiting: dict[str, set[str]] = {}

    def let(self, gate: str) -> None:
        """Open `NAME` for all, or `RUN:NAME` for one run."""
        self.open.add(gate)
        for job in [job for job, gates in self.waiting.items() if gate in gates]:
            del self.waiting[job]

    async def _step(
        self, job: FakeJob, order: Order, index: int, step: OrderStep
    ) -> tuple[int, bool]:
        if not step.name.startswith("gate"):
            return await super()._step(job, order, index, step)
        gates = {step.name, f"{order.id.split('.')[0]}:{step.name}"}
        if not gates & self.open:
            self.waiting[order.id] = gates
        while not self.open & gates and not job.stopped:  # noqa: ASYNC110 - as the fake does
            await asyncio.sleep(0.001)
        self.waiting.pop(order.id, None)
        return (KILLED if job.stopped else 0), False


@dataclass
class Stage:
    """Everything that a story may touch and look at."""

    folder: Path
    world: World
    forge: StageForge
    clock: StillClock
    origin: Origin
    target: FakeTarget
    requests: Requests
    receive: Receive
    repository: Repository
    git: Git
    work: asyncio.Task[None]
    deliveries: int = 0

    @property
    def url(self) -> str:
        return self.repository.url

    async def deliver(self, *events: Event, key: str = "") -> str:
        """One webhook with these events."""
        self.deliveries += 1
        body = msgspec.json.encode(list(events))
        key = key or f"delivery-{self.deliveries}"
        return await self.receive(
            Arrival(
                endpoint=self.repository.endpoint,
                repository=NAME,
                key=key,
                headers={"x-windlass-delivery": key},
                body=body,
                digest=hashlib.sha256(body).hexdigest(),
                at=self.clock.now(),
            )
        )

    async def settle(self) -> None:
        """Until nothing is due, no job runs but those at a gate, and every timer sleeps."""
        seen = 0
        while not await self.quiet():
            waking = asyncio.ensure_future(self.world.store.wake(seen))
            done, _ = await asyncio.wait({waking}, timeout=0.02)
            if done:
                seen = waking.result()
            else:
                waking.cancel()

    async def quiet(self) -> bool:
        """Whether there is nothing to do before time goes on."""
        if self.work.done():
            self.work.result()
        now = self.clock.now()
        executor = self.world.executor
        gated = set(executor.waiting) if isinstance(executor, GatedExecutor) else set()
        rows = await self.world.store.read(
            lambda tx: [
                *tx.find(StoredEffect, state="pending"),
                *tx.find(Delivery, state="received"),
            ]
        )
        due = [one for one in rows if one.due_at <= now]
        return not due and set(await executor.list()) == gated and self.clock.asleep >= LOOPS

    async def wait(self, seconds: float) -> None:
        """Let time go on; what becomes due by that is done."""
        self.clock.go_on(seconds)
        await asyncio.sleep(0)
        # The loops look at the store when something was committed.
        await self.world.store.transaction(lambda tx: tx.next("nudge"))
        await self.settle()

    def body(self, delivery: Delivery) -> bytes:
        return zlib.decompress(delivery.body)


@asynccontextmanager
async def stage(
    folder: Path,
    files: Mapping[str, str],
    *,
    processes: bool = False,
    directory: bool = False,
    sandboxed: bool = False,
    everyone: bool = False,
    under_way: UnderWay | None = None,
) -> AsyncIterator[Stage]:
    """A stage on which the repository `shop` stands, with these files on `main`."""
    origin = Origin.make(folder / "shop.git")
    first = origin.commit("main", files, "Begin")
    clock = StillClock()
    async with SqliteStore.open(folder / "windlass.db", synchronous="OFF") as store:
        git = Git(folder / "git")
        forge, target, vault = StageForge(), FakeTarget(), FakeVault()
        vault.put("webhook", NAME, b"secret")
        forge.origin = origin
        forges = {"plain": Forge(dialect=Words(), webhooks=forge, reports=forge, source=forge)}
        mirrors = Mirrors(git, folder / "mirrors", forges)
        state = StateRepository(git, folder / "state.git", folder / "state-copy.git")
        logs = LocalLogs(folder / "logs")
        jobs = folder / "jobs"
        real = DirectoryTarget.make(dict(os.environ))
        world = World(
            store=store,
            clock=clock,
            forges=forges,
            mirrors=mirrors,
            state=state,
            executor=_processes(jobs, logs, sandboxed=sandboxed)
            if processes
            else GatedExecutor(jobs, logs),
            logs=logs,
            artifacts=LocalArtifacts(folder / "artifacts"),
            targets={"directory": real if directory else target},
            vault=vault,
            secrets=_NoSecrets(),
            data=folder,
            public_url="https://windlass.example",
            version="1.0",
            isolation=Isolation(missing="" if sandboxed else "there is none", everyone=everyone),
            under_way=under_way or Unnoted(),
        )
        repository = Repository(
            name=NAME, forge="plain", url=str(origin.path), endpoint="e1", default_branch="main"
        )
        people = {"ada": Permission.WRITE, "bob": Permission.WRITE}
        forge.add(str(origin.path), FakeRepository(heads={first: first}, people=people))
        head = Head(repository=NAME, ref="refs/heads/main", sha=first)
        await store.transaction(lambda tx: (tx.add(repository), tx.add(head)))
        ids = Ids(clock.now)
        receive = Receive(store, clock, ids)
        engine = Engine(world, PACE, receive, ids)
        work = asyncio.create_task(engine.run())
        try:
            yield Stage(
                folder=folder,
                world=world,
                forge=forge,
                clock=clock,
                origin=origin,
                target=target,
                requests=Requests(world, engine.configurations),
                receive=receive,
                repository=repository,
                git=git,
                work=work,
            )
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await mirrors.close()
            await state.close()


def _processes(jobs: Path, logs: LocalLogs, *, sandboxed: bool) -> ProcessExecutor:
    return ProcessExecutor(jobs, logs, ProcessLimits(sandbox=sandbox() if sandboxed else None))


class _NoSecrets:
    async def put(self, name: str, scope: str, value: bytes) -> None:
        raise AssertionError("no story stores a secret")
