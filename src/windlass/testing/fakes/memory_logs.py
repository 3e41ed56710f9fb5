"""
Logs in memory: the port `Logs`, for tests and samples. Appending wakes whoever follows.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from windlass.core.errors import Bug
from windlass.ports.executor import LogPart

Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


@dataclass(slots=True)
class MemoryLogs:
    """Whole lines by key; `follow` ends once the key is closed."""

    _data: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    _closed: set[str] = field(default_factory=set)
    _waiters: list[Waiter] = field(default_factory=list)

    def append(self, key: str, data: bytes) -> None:
        """Add whole lines."""
        self._data[key] += data
        self._wake()

    def read(self, key: str, offset: int = 0, limit: int = 1 << 20) -> LogPart:
        """Whole lines from an offset; at least one when there is one."""
        data = bytes(self._data[key][offset : offset + limit]) if key in self._data else b""
        whole = data.rfind(b"\n") + 1
        if data and not whole:
            end = self._data[key].find(b"\n", offset) + 1
            data = bytes(self._data[key][offset:end])
            whole = len(data)
        return LogPart(data[:whole], offset + whole)

    async def follow(self, key: str, offset: int = 0) -> AsyncIterator[LogPart]:
        """Parts as they come, until the log is closed."""
        while True:
            event = asyncio.Event()
            self._waiters.append((asyncio.get_running_loop(), event))
            part = self.read(key, offset)
            if part.data:
                offset = part.next
                yield part
            elif key in self._closed:
                return
            else:
                await event.wait()

    def close(self, key: str) -> None:
        """Nothing more will come."""
        self._closed.add(key)
        self._wake()

    def path(self, key: str) -> Path:
        """There is no file."""
        raise Bug("a log in memory has no file")

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for loop, event in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
