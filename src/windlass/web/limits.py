"""
What one sender may ask of the webhook route, so that the others are still served.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

MINUTE = 60.0
WATCHED = 4096
LOOK = 0.25  # seconds between two looks at what is late


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    Sizes in bytes, times in seconds.

    `body` is the largest body, `held` what all bodies under way may take together,
    `slow` the time for a body to arrive, `store` the time to make it durable (the most
    impatient forge hangs up after five). `refusals` is how many requests of one source
    may be refused at one endpoint within a minute before it is asked to wait.
    """

    body: int = 25 * 1024 * 1024
    held: int = 256 * 1024 * 1024
    slow: float = 10.0
    store: float = 4.0
    refusals: int = 120


class Throttle:
    """Counts refusals by (source, endpoint), minute by minute; a bounded memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, source: str, endpoint: str, now: float) -> None:
        """One more refusal."""
        self._turn_to(now)
        key = (source, endpoint)
        if key in self._counts or len(self._counts) < WATCHED:
            self._counts[key] = self._counts.get(key, 0) + 1

    def wait(self, source: str, endpoint: str, now: float) -> float:
        """Seconds until this source may try again at this endpoint; 0 when it may."""
        if self._counts.get((source, endpoint), 0) < self._most:
            return 0.0
        self._turn_to(now)
        return 0.0 if not self._counts else MINUTE - now % MINUTE

    def _turn_to(self, now: float) -> None:
        if self._minute != (minute := int(now // MINUTE)):
            self._minute = minute
            self._counts.clear()


class Deadlines:
    """
    Ends what takes too long: one timer for all, so that a request pays next to nothing.

    A task that is late is cancelled, and `missed` then says so to it.
    """

    def __init__(self) -> None:
        self._due: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def set(self, task: asyncio.Task[object], seconds: float) -> None:
        """This task has so long from now; replaces what was said before."""
        loop = task.get_loop()
        self._due[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(LOOK, self._look, loop)

    def missed(self, task: asyncio.Task[object]) -> bool:
        """Whether its cancellation was ours, for being late."""
        if task not in self._late:
            return False
        task.uncancel()
        return True

    def end(self, task: asyncio.Task[object]) -> None:
        """It is over."""
        del self._due[task]
        self._late.discard(task)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, due in self._due.items():
            if due <= now and task not in self._late:
                self._late.add(task)
                task.cancel()
        self._timer = loop.call_later(LOOK, self._look, loop) if self._due else None
