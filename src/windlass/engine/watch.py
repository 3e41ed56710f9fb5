"""
Time: places that are due for a look, deliveries that may have been missed.

A timer only writes wishes and asks questions that webhooks ask as well, so it
may fire twice, late, or not at all for a while, and nothing breaks.
"""

from __future__ import annotations

from functools import partial

import structlog

from windlass.core.errors import UserError, WindlassError
from windlass.engine import desired, effects
from windlass.engine.pulled import Pulled
from windlass.engine.recover import Recovery
from windlass.engine.world import World
from windlass.ports.records import Place, Repository
from windlass.ports.store import Tx

log = structlog.get_logger()

TICK = 1.0
PULL = 5.0


class Watch:
    """The timers of this server; `recover_every` is in seconds."""

    def __init__(self, world: World, recovery: Recovery, recover_every: float) -> None:
        self._world = world
        self._recovery = recovery
        self._every = recover_every
        self._pulled = Pulled(world)

    async def places(self) -> None:
        """Ask for a look at every place whose time has come, for ever."""
        while True:
            now = self._world.clock.now()
            places = await self._world.store.read(lambda tx: tx.find(Place))
            due = [one.place for one in places if one.content and now >= _due(one)]
            if due:
                await self._world.store.transaction(partial(_ask, names=due, now=now))
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

    async def missed(self) -> None:
        """Look for missed deliveries at the start and then on a timer, for ever."""
        while True:
            repositories = await self._world.store.read(lambda tx: tx.find(Repository, active=True))
            for one in repositories:
                try:
                    if count := await self._recovery(one):
                        log.info("recovered", action="recover", repository=one.name, events=count)
                except WindlassError as error:
                    log.warning(
                        "recovery failed", action="recover", repository=one.name, why=str(error)
                    )
            await self._world.clock.sleep(self._every)


def _ask(tx: Tx, names: list[str], now: float) -> None:
    for name in names:
        effects.place(tx, name, now)


def _due(place: Place) -> float:
    try:
        return place.checked_at + desired.parse(place.content).every
    except UserError:
        return place.checked_at + 180.0
