"""
Who may run next: places for jobs, handed out in turn to the repositories that want one.

Within a repository first come, first served. Between repositories nobody waits for a
queue but his own: whoever asks for ten thousand places delays the others by one job each.

>>> import asyncio
>>> async def play():
...     slots = Slots(1)
...     await slots.take("flood")
...     waits = [asyncio.create_task(slots.take(one)) for one in ("flood", "flood", "quiet")]
...     await asyncio.sleep(0)
...     return slots.waiting("flood"), slots.waiting("quiet")
>>> asyncio.run(play())
(2, 1)
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque


class Slots:
    """So many places; they live in this process, for jobs that run are found again anyway."""

    def __init__(self, count: int) -> None:
        self._free = count
        # In the order of their next turn.
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def full(self) -> bool:
        """Whether somebody would have to wait."""
        return self._free <= 0 or bool(self._queues)

    def waiting(self, repository: str) -> int:
        """How many of a repository wait."""
        return len(self._queues.get(repository, ()))

    async def take(self, repository: str) -> None:
        """Return when there is a place; it is given back with `release`."""
        if not self.full():
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(repository, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # it was given in the very moment of the cancellation
            raise

    def release(self) -> None:
        """A place is free: the next repository's first one gets it."""
        while self._queues:
            repository, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._queues[repository] = queue  # behind all others now
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
