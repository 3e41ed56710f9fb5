"""
An effect becomes one call outside; what comes of it is stored.

Every kind of effect is one row of a table. A call that failed for now is made
again, later and later; one that failed for good is kept with its reason and
shown. Performing twice is harmless: each call carries the effect's key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from windlass.core.errors import Permanent, Transient, UserError, WindlassError
from windlass.core.pipeline import JobKind
from windlass.engine import deployments, groups, pace
from windlass.engine.chat.perform import Chat
from windlass.engine.configurations import Configurations
from windlass.engine.jobs import Jobs, Key
from windlass.engine.proposed import Proposed
from windlass.engine.reconcile import Reconcile
from windlass.engine.reports import Reporter, Told
from windlass.engine.world import World
from windlass.ports.records import StoredEffect, StoredRun
from windlass.ports.store import Tx

log = structlog.get_logger()

FIRST = 1.0
LONGEST = 300.0
TRIES = 200

_Perform = Callable[[StoredEffect], Awaitable[float | None]]


class Performer:
    """Performs effects."""

    def __init__(
        self, world: World, configurations: Configurations, jobs: Jobs, reconcile: Reconcile
    ) -> None:
        self._world = world
        self._configurations = configurations
        self._jobs = jobs
        self._reconcile = reconcile
        self._reporter = Reporter(world)
        self._chat = Chat(world, configurations)
        self._proposed = Proposed(world, configurations)
        self._table: Mapping[str, _Perform] = {
            "start": self._start,
            "stop": self._stop,
            "report": self._report,
            "comment": self._comment,
            "configuration": self._configuration,
            "shadow": self._shadow,
            "deployment": self._deployment,
            "group": self._group,
            "place": self._place,
            "chat": self._command,
        }

    async def __call__(self, effect: StoredEffect) -> None:
        """Perform a claimed effect and store its end, or its next try."""
        try:
            again = await self._table[effect.kind](effect)
        except Transient as error:
            await self._later(effect, str(error), error.retry_after)
        except (Permanent, UserError) as error:
            await self._failed(effect, str(error))
        except Exception as error:  # the loop's one place: stored with its effect
            if not isinstance(error, WindlassError):
                log.exception("effect failed", action="perform", effect=effect.id)
            await self._later(effect, f"{type(error).__name__}: {error}", None)
        else:
            await self._done(effect, again)

    async def _start(self, effect: StoredEffect) -> None:
        key = _key(effect)
        stored = await self._world.store.read(lambda tx: tx.get(StoredRun, key.run))
        job = stored.run.jobs.get(key.job) if stored else None
        if stored is None or job is None:
            return
        match job.job.kind:
            case JobKind.DEPLOY:
                await deployments.request(self._world, self._configurations, key)
            case JobKind.STEPS | JobKind.BUILD | JobKind.APPROVAL:
                await self._jobs.start(key, stored.repository)

    async def _stop(self, effect: StoredEffect) -> None:
        key = _key(effect)
        stored = await self._world.store.read(lambda tx: tx.get(StoredRun, key.run))
        job = stored.run.jobs.get(key.job) if stored else None
        if job is not None and job.job.kind is JobKind.DEPLOY:
            await deployments.withdraw(self._world, key)
        else:
            await self._jobs.stop(key)

    async def _report(self, effect: StoredEffect) -> float | None:
        said = effect.arguments
        told = await self._reporter.status(said["repository"], said["sha"], said["context"])
        return await self._tell(effect, told)

    async def _comment(self, effect: StoredEffect) -> float | None:
        said = effect.arguments
        told = await self._reporter.comment(said["repository"], int(said["number"]))
        return await self._tell(effect, told)

    async def _configuration(self, effect: StoredEffect) -> float | None:
        said = effect.arguments
        told = await self._reporter.configuration(
            said["repository"], said["sha"], int(said["event"])
        )
        return await self._tell(effect, told)

    async def _shadow(self, effect: StoredEffect) -> None:
        await self._proposed(int(effect.arguments["event"]), effect.arguments["sha"])

    async def _deployment(self, effect: StoredEffect) -> float | None:
        told = await self._reporter.deployment(int(effect.arguments["deployment"]))
        return await self._tell(effect, told)

    async def _tell(self, effect: StoredEffect, told: Told | None) -> float | None:
        """Say it, unless it was said; when it may be said again, if that is not yet."""
        mark = pace.digest(told.said) if told else effect.told
        if told is None or mark == effect.told:
            return None
        now = self._world.clock.now()
        if (due := effect.sent_at + pace.wait(effect.sent)) > now:
            return due
        await told.send()

        def work(tx: Tx) -> None:
            current = tx.get(StoredEffect, effect.id)
            if current is not None:
                # From what it is now: a person may have asked for an answer meanwhile.
                tx.save(replace(current, told=mark, sent=current.sent + 1, sent_at=now))

        await self._world.store.transaction(work)
        return None

    async def _place(self, effect: StoredEffect) -> float | None:
        return await self._reconcile(effect.arguments["place"])

    async def _command(self, effect: StoredEffect) -> None:
        await self._chat(int(effect.arguments["event"]))

    async def _group(self, effect: StoredEffect) -> None:
        """Runs of a concurrency group go, as far as it has places."""
        group, now = effect.arguments["group"], self._world.clock.now()
        await self._world.store.transaction(lambda tx: groups.go(tx, group, now))

    async def _done(self, effect: StoredEffect, again: float | None) -> None:
        """It is done, unless it was asked for again meanwhile or has to be looked at later."""

        def work(tx: Tx) -> None:
            current = tx.get(StoredEffect, effect.id)
            if current is None:
                return
            asked = current.wanted != effect.wanted
            state = "pending" if asked or again is not None else "done"
            due = 0.0 if asked or again is None else again
            tx.save(replace(current, state=state, attempts=0, error="", due_at=due))

        await self._world.store.transaction(work)

    async def _later(self, effect: StoredEffect, why: str, wait: float | None) -> None:
        attempts = effect.attempts + 1
        if attempts >= TRIES:
            await self._failed(effect, why)
            return
        pause = max(wait or 0.0, min(FIRST * 2 ** min(effect.attempts, 20), LONGEST))
        due = self._world.clock.now() + pause
        log.warning("effect put off", action="perform", effect=effect.id, why=why, seconds=pause)

        def work(tx: Tx) -> None:
            current = tx.get(StoredEffect, effect.id)
            if current is not None:
                tx.save(replace(current, attempts=attempts, error=why, due_at=due))

        await self._world.store.transaction(work)

    async def _failed(self, effect: StoredEffect, why: str) -> None:
        log.error("effect failed for good", action="perform", effect=effect.id, why=why)
        if effect.kind == "start":
            await self._jobs.refuse(_key(effect), why)

        def work(tx: Tx) -> None:
            current = tx.get(StoredEffect, effect.id)
            if current is not None:
                asked = current.wanted != effect.wanted
                tx.save(replace(current, state="pending" if asked else "failed", error=why))

        await self._world.store.transaction(work)


def _key(effect: StoredEffect) -> Key:
    return Key(effect.run, effect.arguments["job"], int(effect.arguments["attempt"]))
