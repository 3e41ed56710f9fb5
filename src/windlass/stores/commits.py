"""
The count of commits, and whoever waits for the next.

The writer's thread counts; waiters sleep on their own event loop until then.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from windlass.core.errors import Transient


class Commits:
    """A counter that wakes its waiters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._ended = False
        self._waiting: list[asyncio.Future[None]] = []

    def count(self) -> None:
        """Something was committed; from any thread."""
        with self._lock:
            self._count += 1
            waiting, self._waiting = self._waiting, []
        _wake(waiting)

    def end(self) -> None:
        """Nothing will be committed any more: let everybody go."""
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, []
        _wake(waiting)

    async def after(self, seen: int) -> int:
        """Wait until the count is above `seen`; returns it. `Transient` after the end."""
        while True:
            with self._lock:
                if self._count > seen:
                    return self._count
                if self._ended:
                    raise Transient("the store is closed")
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
            try:
                await future
            finally:
                with self._lock:
                    if future in self._waiting:
                        self._waiting.remove(future)


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    for future in waiting:
        with suppress(RuntimeError):  # its loop is closed
            future.get_loop().call_soon_threadsafe(_set, future)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
