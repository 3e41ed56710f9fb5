"""
The server's ear: runners write their name into a named pipe when they have journaled.

A named pipe rather than a socket: it has no limit on the length of its path,
and a bare interpreter can write to it without an import. Pokes may be lost
(nobody listened, the pipe was full), so who waits also looks by himself now and
then.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Pokes:
    """Wakes whoever waits for a job; the pipe is open while anybody does."""

    def __init__(self, root: Path) -> None:
        self._path = root / "poke"
        self._ears: dict[asyncio.AbstractEventLoop, _Ear] = {}

    @contextmanager
    def listen(self, name: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the job in the folder of this name has news."""
        loop = asyncio.get_running_loop()
        ear = self._ears.get(loop)
        if ear is None:
            ear = self._ears[loop] = _Ear(self._path, loop)
        event = asyncio.Event()
        ear.waiting.setdefault(name.encode(), []).append(event)
        try:
            yield event
        finally:
            ear.forget(name.encode(), event)
            if not ear.waiting:
                ear.close()
                self._ears.pop(loop, None)


class _Ear:
    """The open pipe in one event loop."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: dict[bytes, list[asyncio.Event]] = {}
        self._loop = loop
        self._rest = b""
        if not path.exists():
            with suppress(FileExistsError):  # another loop was quicker
                os.mkfifo(path, 0o600)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        loop.add_reader(self._pipe, self._hear)

    def _hear(self) -> None:
        try:
            data = self._rest + os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return
        *names, self._rest = data.split(b"\n")
        for name in names:
            for event in self.waiting.get(name, ()):
                event.set()

    def forget(self, name: bytes, event: asyncio.Event) -> None:
        """This one waits no longer."""
        events = self.waiting[name]
        events.remove(event)
        if not events:
            del self.waiting[name]

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._pipe)
        os.close(self._pipe)
