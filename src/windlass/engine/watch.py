"""
Time: places that are due for a look, deliveries that may have been missed, keys that grow old.

A timer only writes wishes and asks questions that webhooks ask as well, so it
may fire twice, late, or not at all for a while, and nothing breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from windlass.core.errors import WindlassError
from windlass.engine import effects
from windlass.engine.deployments import OPEN
from windlass.engine.hooks import UNFINISHED, ensure
from windlass.engine.issuers import Issuers
from windlass.engine.pulled import Pulled
from windlass.engine.recover import Recovery
from windlass.engine.schedules import Schedules
from windlass.engine.world import World
from windlass.ports.records import Deployment, Place, Repository
from windlass.ports.store import Below, Tx

log = structlog.get_logger()

TICK = 1.0
# How often a forge that cannot reach us is asked, in seconds.
POLL = 30.0
# How far back a forge's own log of deliveries is looked through; most keep three days.
BACK = 3 * 86400.0
PULL = 5.0
SCHEDULES = 10.0
WAITING = 60.0
SOON = 60.0


class Watch:
    """
    The timers of this server; `recover_every` is in seconds.

    `changed` is called when an endpoint trusts others than before.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that time moves
        self,
        world: World,
        recovery: Recovery,
        schedules: Schedules,
        issuers: Issuers,
        recover_every: float,
        changed: Callable[[], None],
    ) -> None:
        self._world = world
        self._recovery = recovery
        self._schedules = schedules
        self._issuers = issuers
        self._every = recover_every
        self._changed = changed
        self._pulled = Pulled(world)

    async def places(self) -> None:
        """Ask for a look at every place whose time has come, for ever."""
        again = 0.0
        while True:
            now = self._world.clock.now()
            due = await self._world.store.read(partial(_due, now=now, waiting=now >= again))
            if due:
                await self._world.store.transaction(partial(_ask, names=due, now=now))
            if now >= again:
                again = now + WAITING
            await self._world.clock.sleep(TICK)

    async def state(self) -> None:
        """Pull the state repository, for ever."""
        while True:
            try:
                if count := await self._pulled():
                    log.info("pulled", action="pull", wishes=count)
            except WindlassError as error:
                log.warning("pull failed", action="pull", why=str(error))
            await self._world.clock.sleep(PULL)

    async def schedules(self) -> None:
        """Make the events of schedules that come due, for ever."""
        while True:
            await self._world.clock.sleep(SCHEDULES)
            if count := await self._schedules():
                log.info("due", action="schedule", events=count)

    async def issuers(self) -> None:
        """Read the keys of OIDC issuers when they are old, or one is missing, for ever."""
        again = 0.0
        while True:
            now = self._world.clock.now()
            if now >= again or self._issuers.wished:
                await self._issuers.look()
                again = now + WAITING
            await self._world.clock.sleep(TICK)

    async def missed(self) -> None:
        """Look for missed deliveries at the start, soon after, and then on a timer, for ever."""
        looks: dict[str, int] = {}
        due: dict[str, float] = {}
        while True:
            repositories = await self._world.store.read(lambda tx: tx.find(Repository, active=True))
            now = self._world.clock.now()
            for one in repositories:
                if due.get(one.name, 0.0) <= now:
                    await self._missed(one)
                    looks[one.name] = looks.get(one.name, 0) + 1
                    due[one.name] = self._world.clock.now() + self._pause(one, looks[one.name])
            await self._world.clock.sleep(TICK)

    def _pause(self, repository: Repository, looks: int) -> float:
        """Until the next look, in seconds."""
        if repository.polling:
            return min(POLL, self._every)
        # Where a backlog was in the way of the first look, the second has a better view.
        return min(SOON, self._every) if looks == 1 else self._every

    async def _missed(self, repository: Repository) -> None:
        """Look for what one forge did not get through; above all when its hook is broken."""
        name = repository.name
        try:
            await ensure(self._world, repository)
            if repository.previous_until >= UNFINISHED:
                self._changed()
        except WindlassError as error:
            log.warning("hook not checked", action="recover", repository=name, why=str(error))
        if self._world.forges[repository.forge].by_hand:
            return
        try:
            if count := await self._recovery(repository, self._world.clock.now() - BACK):
                log.info("recovered", action="recover", repository=name, events=count)
        except WindlassError as error:
            log.warning("recovery failed", action="recover", repository=name, why=str(error))


def _ask(tx: Tx, names: list[str], now: float) -> None:
    for name in names:
        effects.place(tx, name, now)


def _due(tx: Tx, now: float, *, waiting: bool) -> list[str]:
    """Places to compare now; with `waiting` also those at which somebody waits."""
    names = {one.place for one in tx.find(Place, next_at=Below(now))}
    if waiting:
        names |= {one.place for one in tx.find(Deployment, state=OPEN)}
    return sorted(names)
