"""
Deliveries in whose handling the server died.

Who is killed counts nothing any more, so that a delivery that kills would be tried for
ever. What was being handled is therefore noted beforehand, and counted as a try by the
next server. Of several that were handled together nobody knows which it was: none is
counted, but each is handled alone from then on, so that the next death has one name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import structlog

from windlass.engine.world import World
from windlass.ports.records import Delivery
from windlass.ports.store import Tx

log = structlog.get_logger()

TRIES = 3
# Before a delivery in whose handling the server died is tried again, in seconds. The first
# time it comes at once: a server is killed for many reasons, and order is worth keeping.
AGAIN = (0.0, 2.0)
REASON = "the server died while it was handled"


class Suspects:
    """Knows what is being handled, and what was when the last server died."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._named: set[str] = set()
        self._alone = asyncio.Lock()

    async def resume(self) -> None:
        """Count the death of the server before us; `Transient` when that cannot be stored."""
        left = self._world.under_way.left()
        if not left:
            return
        now = self._world.clock.now()

        def work(tx: Tx) -> list[Delivery]:
            found = [one for name in left if (one := tx.get(Delivery, name)) is not None]
            waiting = [one for one in found if one.state == "received"]
            if len(waiting) == 1:
                waiting = [_tried(waiting[0], now)]
                tx.save(waiting[0])
            return waiting

        waiting = await self._world.store.transaction(work)
        self._named = {one.id for one in waiting if one.state == "received"}
        self._world.under_way.forget()
        for one in waiting:
            log.warning(REASON, action="dispatch", delivery=one.id, deaths=one.deaths)

    @asynccontextmanager
    async def handling(self, delivery: str) -> AsyncIterator[None]:
        """The block in which a delivery is handled; alone while there is a suspect."""
        if not self._named:
            with self._noted(delivery):
                yield
            return
        async with self._alone:
            try:
                with self._noted(delivery):
                    yield
            finally:
                # Whatever came of it, it did not kill us this time.
                self._named.discard(delivery)

    @contextmanager
    def _noted(self, delivery: str) -> Iterator[None]:
        self._world.under_way.begin(delivery)
        try:
            yield
        finally:
            self._world.under_way.end(delivery)


def _tried(delivery: Delivery, now: float) -> Delivery:
    """The delivery after one death more; parked after enough of them."""
    deaths = delivery.deaths + 1
    return replace(
        delivery,
        deaths=deaths,
        reason=REASON,
        state="failed" if deaths >= TRIES else "received",
        due_at=now + AGAIN[min(deaths, len(AGAIN)) - 1],
    )
