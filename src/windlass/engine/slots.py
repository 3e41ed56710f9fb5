"""
Who may run next: places for jobs, handed out in turn to the repositories that want one.

Within a repository first come, first served. Between repositories nobody waits for a
queue but his own: whoever asks for ten thousand places delays the others by one job each.
And a repository of which nothing runs is let through: while its webhook is being read,
those that have something running begin nothing more, for the blink of an eye. Then they
have their turn for as long, however many others come.

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
from collections import Counter, OrderedDict, deque

# So long, in seconds, places are kept for those that come; a job begins 40 ms after its
# webhook on an idle machine. And so long they are not kept for anybody after that.
COURTESY = 0.2


class Slots:
    """So many places; they live in this process, for jobs that run are found again anyway."""

    def __init__(self, count: int) -> None:
        self._free = count
        # In the order of their next turn.
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._running: Counter[str] = Counter()
        # Who is let through now; and the end of that, or of the pause after it.
        self._coming: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._nobody = asyncio.Event()
        self._nobody.set()

    def full(self) -> bool:
        """Whether somebody would have to wait."""
        return self._free <= 0 or bool(self._queues)

    def waiting(self, repository: str) -> int:
        """How many of a repository wait."""
        return len(self._queues.get(repository, ()))

    def expect(self, repository: str) -> None:
        """It may ask for a place soon; if nothing of it runs or waits, it is let through."""
        if self._running[repository] or repository in self._queues:
            return
        if self._coming:
            self._coming.add(repository)
        elif self._timer is None:
            self._coming.add(repository)
            self._nobody.clear()
            self._timer = asyncio.get_running_loop().call_later(COURTESY, self._close)

    def forget(self, repository: str) -> None:
        """It is expected no longer."""
        if repository in self._coming:
            self._coming.remove(repository)
            if not self._coming:
                self._close()

    def _close(self) -> None:
        """Let nobody through for a while: who held back has the next places."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(COURTESY, self._open)
        self._coming.clear()
        self._nobody.set()
        self._hand_out()

    def _open(self) -> None:
        self._timer = None

    async def give_way(self, repository: str) -> None:
        """Return when a repository need not hold back for one that is expected."""
        if self._running[repository]:
            await self._nobody.wait()

    async def take(self, repository: str) -> None:
        """Return when there is a place; it is given back with `release`."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(repository, deque()).append(turn)
        if repository in self._coming:
            self._queues.move_to_end(repository, last=False)
        self.forget(repository)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(repository)  # it was given in the very moment of the cancellation
            raise

    def release(self, repository: str) -> None:
        """A place is free: the next repository's first one gets it."""
        self._running[repository] -= 1
        if not self._running[repository]:
            del self._running[repository]
        self._free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free > 0:
            repository = next(filter(self._may, self._queues), None)
            if repository is None:
                return
            queue = self._queues.pop(repository)
            turn = queue.popleft()
            if queue:
                self._queues[repository] = queue  # behind all others now
            if not turn.done():
                self._free -= 1
                self._running[repository] += 1
                turn.set_result(None)

    def _may(self, repository: str) -> bool:
        return not self._coming or not self._running[repository]
