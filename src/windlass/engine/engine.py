"""
The engine: its loops, started together and stopped together.

Nothing in here is needed to find the way back after a crash. Whatever a loop
was doing is a row that it claims again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from windlass.core.errors import WindlassError
from windlass.engine.admission import Admissions
from windlass.engine.configurations import Configurations
from windlass.engine.dispatch import Dispatch
from windlass.engine.ids import Ids
from windlass.engine.issuers import Issuers
from windlass.engine.jobs import Jobs
from windlass.engine.loop import Loop
from windlass.engine.perform import Performer
from windlass.engine.receive import Receive
from windlass.engine.reconcile import Reconcile
from windlass.engine.recover import Recovery
from windlass.engine.reviews import Reviews
from windlass.engine.schedules import Schedules
from windlass.engine.slots import Slots
from windlass.engine.watch import Watch
from windlass.engine.world import World
from windlass.ports.records import Delivery, StoredEffect

log = structlog.get_logger()

DELIVERIES = 64
EFFECTS = 20_000
# Seconds until a timer that failed is started again.
PAUSE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much at once, and how often: running jobs, seconds between looks for missed events."""

    jobs: int = 4
    recover_every: float = 300.0


class Engine:
    """Dispatches, performs, watches, until it is cancelled."""

    def __init__(
        self,
        world: World,
        pace: Pace,
        receive: Receive,
        ids: Ids,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called when an endpoint trusts others than before."""
        configurations = Configurations()
        self.issuers = Issuers(world, changed)
        self.configurations = configurations
        self._clock = world.clock
        slots = Slots(pace.jobs)
        self._jobs = Jobs(world, configurations, slots)
        admissions = Admissions(world, configurations, Reviews(world, ids))
        reconcile = Reconcile(world, admissions)
        performer = Performer(world, configurations, self._jobs, reconcile)
        self._dispatch = Dispatch(world, configurations, receive, slots)
        self._deliveries = Loop(world.store, world.clock, Delivery, self._dispatch, DELIVERIES)
        self._effects = Loop(world.store, world.clock, StoredEffect, performer, EFFECTS)
        schedules = Schedules(world, configurations, ids)
        recovery = Recovery(world, receive, ids)
        self._watch = Watch(world, recovery, schedules, self.issuers, pace.recover_every, changed)

    async def run(self) -> None:
        """Work until cancelled; jobs that run go on without us."""
        await self._resumed()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliveries.run())
                tasks.create_task(self._effects.run())
                tasks.create_task(self._always(self._watch.places))
                tasks.create_task(self._always(self._watch.state))
                tasks.create_task(self._always(self._watch.schedules))
                tasks.create_task(self._always(self._watch.missed))
                tasks.create_task(self._always(self._watch.issuers))
        finally:
            await self._jobs.close()

    async def _resumed(self) -> None:
        """Find the jobs that are there; what cannot be written now is found later."""
        while True:
            try:
                await self._dispatch.resume()
                return await self._jobs.resume()
            except WindlassError as error:
                log.warning("not resumed yet", action="resume", why=str(error))
                await self._clock.sleep(PAUSE)

    async def _always(self, timer: Callable[[], Awaitable[None]]) -> None:
        """A timer that could not ask, because the disk is full perhaps, asks again."""
        while True:
            try:
                await timer()
            except WindlassError as error:
                log.warning("a timer failed", action="watch", timer=timer.__name__, why=str(error))
            await self._clock.sleep(PAUSE)
