"""
A stored delivery becomes events, verdicts and runs.

Reading and judging happen outside the transaction, on a snapshot of Git; then
events, every listener's verdict, runs and their first effects are written in
one transaction together with the end of the delivery. Deliveries of one
repository go one after the other, in the order in which they came.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import replace

import structlog

from windlass.core.errors import BadDelivery, NotFound, Transient, UserError, WindlassError
from windlass.core.event import Event, Ignored, Kind
from windlass.core.listener import Listener, Match, need_pull
from windlass.engine import byhand, found, memory, replays, schedules, write
from windlass.engine import situation as situations
from windlass.engine.configurations import Configurations
from windlass.engine.confirm import confirmed
from windlass.engine.judge import ask, heard
from windlass.engine.receive import Receive
from windlass.engine.slots import Slots
from windlass.engine.start import Judged, draft
from windlass.engine.suspects import TRIES, Suspects
from windlass.engine.world import Forge, World
from windlass.ports.forge import Request
from windlass.ports.records import Delivery, Repository
from windlass.ports.store import Tx

log = structlog.get_logger()

# How long the answers to a burst of webhooks go before one dispatch, in seconds.
HOLD = 0.25
BACKOFF = (2.0, 10.0, 60.0)
# While the forge itself is out of reach a delivery waits; it is not the delivery's fault.
OUTSIDE = 60
# So many jobs of one repository may wait for a place before its webhooks wait too, which are
# looked at again so often, in seconds.
MOST_WAITING, PAUSE = 200, 1.0


class Dispatch:
    """Turns deliveries into runs."""

    def __init__(
        self,
        world: World,
        configurations: Configurations,
        receive: Receive,
        slots: Slots,
    ) -> None:
        self._slots = slots
        self._world = world
        self._configurations = configurations
        self._receive = receive
        self._turns: dict[str, asyncio.Lock] = {}
        self._patient = asyncio.Lock()
        self._suspects = Suspects(world)

    async def resume(self) -> None:
        """Count what was being handled when the server died; before anything is dispatched."""
        await self._suspects.resume()

    async def __call__(self, delivery: Delivery) -> None:
        """Dispatch one claimed delivery; its end, or its next try, is stored."""
        turn = self._turns.setdefault(delivery.repository, asyncio.Lock())
        async with turn:
            await self._hold_back(delivery.repository)
            # In a burst one dispatch at a time holds back, and all others behind it.
            async with self._patient:
                await self._receive.quiet(HOLD)
            self._slots.expect(delivery.repository)
            try:
                async with self._suspects.handling(delivery.id):
                    if not await self._dispatch(delivery):
                        self._slots.forget(delivery.repository)
            except Transient as error:
                await self._later(delivery, str(error), OUTSIDE)
            except Exception as error:  # the loop's one place: stored with its delivery
                if not isinstance(error, WindlassError):
                    log.exception("dispatch failed", action="dispatch", delivery=delivery.id)
                await self._later(delivery, f"{type(error).__name__}: {error}", TRIES)

    async def _hold_back(self, repository: str) -> None:
        """
        Wait while very many jobs of a repository wait for a place, or another is let through.

        Its webhooks are stored and wait as well as its jobs do, and cost nothing meanwhile.
        """
        while self._slots.waiting(repository) > MOST_WAITING:
            await self._world.clock.sleep(PAUSE)
        await self._slots.give_way(repository)

    async def _dispatch(self, delivery: Delivery) -> bool:
        """Store what comes of it; whether that are runs."""
        store = self._world.store
        repository = await store.read(lambda tx: tx.get(Repository, delivery.repository))
        if repository is None:
            await self._end(delivery, "ignored", "its repository is no longer connected")
            return False
        original = await store.read(lambda tx: replays.root(tx, delivery))
        request = Request(
            headers=delivery.headers,
            body=zlib.decompress(delivery.body),
            at=original.received_at,
        )
        try:
            events = self._read(repository, original, request)
        except BadDelivery as error:
            await self._end(delivery, "failed", f"it cannot be read: {error}")
            return False
        if isinstance(events, Ignored):
            await self._end(delivery, "ignored", events.reason)
            return False
        judged = [await self._judge(repository, delivery, event, request) for event in events]
        now = self._world.clock.now()
        await store.transaction(lambda tx: write.outcome(tx, delivery, tuple(judged), now))
        return any(one.runs for one in judged)

    def _read(
        self, repository: Repository, delivery: Delivery, request: Request
    ) -> tuple[Event, ...] | Ignored:
        """By the forge's dialect, or, for what we found ourselves, by our own."""
        if delivery.source in {found.SOURCE, schedules.SOURCE, byhand.SOURCE}:
            return (found.decode(request.body),)
        forge = self._forge(repository)
        if forge.example(request):
            return (Event(kind=Kind.PING, action="pinged", repository=repository.name),)
        return forge.dialect.read(request, repository.name)

    async def _judge(
        self, repository: Repository, delivery: Delivery, event: Event, request: Request
    ) -> Judged:
        """Look at one event and ask every listener; a replay is judged by the present rules."""
        mirror = self._world.mirrors.of(repository)
        nothing = Judged(event=event, situation=None, verdicts={}, runs={})
        if not heard(event):
            return nothing
        try:
            if not self._forge(repository).signed:
                event = await confirmed(self._forge(repository).source, repository, event)
            seen = await situations.look(
                repository,
                event,
                mirror,
                self._configurations,
                self._forge(repository),
                present=bool(delivery.origin),
            )
        except NotFound as error:
            return replace(nothing, fault=f"the commit is gone: {error.message}")
        except UserError as error:
            return replace(nothing, fault=error.message)
        event, nothing = seen.event, replace(nothing, event=seen.event)
        if seen.rules.fault:
            return replace(nothing, situation=seen, fault=str(seen.rules.fault))
        listeners = seen.rules.configuration.listeners
        pull = 0
        if need_pull(listeners, event):
            pull = await self._world.store.read(lambda tx: memory.open_pull(tx, event))
        question = ask(listeners, event, request, active=repository.active, pull=pull)
        files = await situations.changed_files(seen, mirror) if question.wants_files else None
        verdicts = question.answer(files)
        seen = replace(seen, deploys=delivery.deploys)
        return self._start(Judged(event=event, situation=seen, verdicts=verdicts, runs={}))

    def _start(self, judged: Judged) -> Judged:
        """Draft the runs of the listeners that matched and are not in shadow."""
        assert judged.situation is not None  # noqa: S101 - the caller has just made it
        rules = judged.situation.rules.configuration.listeners
        matched = [
            rules[name]
            for name, said in judged.verdicts.items()
            if isinstance(said, Match) and not rules[name].shadow
        ]
        if matched and judged.situation.source.fault:
            return replace(judged, fault=str(judged.situation.source.fault))
        return self._drafts(judged, matched)

    def _drafts(self, judged: Judged, matched: list[Listener]) -> Judged:
        assert judged.situation is not None  # noqa: S101 - see above
        runs = {}
        faults: list[str] = []
        for one in matched:
            try:
                runs[one.name] = draft(one, judged.situation)
            except UserError as error:
                faults.append(str(error))
        return replace(judged, runs=runs, fault="\n".join(faults))

    def _forge(self, repository: Repository) -> Forge:
        return self._world.forges[repository.forge]

    async def _end(self, delivery: Delivery, state: str, reason: str) -> None:
        def work(tx: Tx) -> None:
            tx.save(replace(delivery, state=state, reason=reason, attempts=delivery.attempts + 1))

        await self._world.store.transaction(work)

    async def _later(self, delivery: Delivery, reason: str, tries: int) -> None:
        """Another try with back-off, or, after enough of them, a parked delivery."""
        attempts = delivery.attempts + 1
        wait = BACKOFF[min(attempts, len(BACKOFF)) - 1]
        after = replace(
            delivery,
            attempts=attempts,
            reason=reason,
            state="failed" if attempts >= tries else "received",
            due_at=self._world.clock.now() + wait,
        )
        await self._world.store.transaction(lambda tx: tx.save(after))
