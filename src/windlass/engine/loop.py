"""
The loop behind dispatch and perform: claim what is due, work on it, give it back.

The only place where an error nobody foresaw is caught: it is stored with the
row it belongs to, and the loop goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from windlass.core.errors import Transient, WindlassError
from windlass.ports.records import Delivery, StoredEffect
from windlass.ports.store import Store
from windlass.ports.target import Clock

log = structlog.get_logger()

Q = TypeVar("Q", Delivery, StoredEffect)

# Rows that wait for a later try are looked at this often, in seconds; so long is waited
# when the store takes nothing, a full disk perhaps.
PATIENCE = 1.0


class Loop(Generic[Q]):
    """Works on rows of one kind, at most `most` at a time."""

    def __init__(
        self, store: Store, clock: Clock, kind: type[Q], work: Callable[[Q], Awaitable[None]],
        most: int,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._kind: type[Q] = kind
        self._work: Callable[[Q], Awaitable[None]] = work
        self._most = most
        self._free = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; work that is under way then is cancelled too, and waited for."""
        seen = 0
        try:
            while True:
                self._free.clear()
                room = self._most - len(self._tasks)
                now = self._clock.now()
                try:
                    rows = await self._store.claim(self._kind, now, room) if room else []
                except Transient as error:
                    log.warning("nothing claimed", action="claim", why=str(error))
                    await self._clock.sleep(PATIENCE)
                    continue
                for row in rows:
                    task = asyncio.create_task(self._one(row))
                    self._tasks.add(task)
                if not rows or not room:
                    seen = await self._rest(seen)
        finally:
            left = tuple(self._tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _one(self, row: Q) -> None:
        try:
            await self._work(row)
        except WindlassError as error:  # not even its failure could be stored
            log.warning("not stored", action="work", row=row.id, why=str(error))
            await self._clock.sleep(PATIENCE)
        finally:
            await self._store.release(self._kind, (row.id,))
            if (task := asyncio.current_task()) is not None:
                self._tasks.discard(task)
            self._free.set()

    async def _rest(self, seen: int) -> int:
        """Until something was committed, a place is free, or a later try may be due."""
        commit = asyncio.ensure_future(self._store.wake(seen))
        free = asyncio.ensure_future(self._free.wait())
        try:
            await asyncio.wait(
                {commit, free}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
            )
            return commit.result() if commit.done() else seen
        finally:
            commit.cancel()
            free.cancel()
