"""
Tells who waits for a file that it has grown: inotify, once for each folder.

Five hundred readers of one log cost one watch, and a log that grows a thousand
times a second wakes them fifty times. Where the kernel gives no watch, and on
file systems that tell nothing, readers look again by themselves after a while.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_MODIFY, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x80, 0x100
_HEAD = struct.Struct("iIII")
# After it has told of growth, it is silent so long (seconds).
_REST = 0.02
# How long a reader waits without being told (seconds), with and without a watch.
_TOLD, _UNTOLD = 1.0, 0.1

_libc = ctypes.CDLL(None, use_errno=True)


class Growth:
    """The growing files of one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._folders: dict[Path, int] = {}
        self._places: dict[int, Path] = {}
        self._waiting: dict[Path, list[asyncio.Event]] = {}
        self._pipe = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._listen()

    @property
    def idle(self) -> bool:
        """Whether nobody waits."""
        return not self._waiting

    @contextmanager
    def of(self, path: Path) -> Iterator[Waiter]:
        """Wait for this file (or its mark) to grow."""
        event = asyncio.Event()
        self._waiting.setdefault(path, []).append(event)
        told = self._watch(path.parent)
        try:
            yield Waiter(event, _TOLD if told else _UNTOLD)
        finally:
            self._waiting[path].remove(event)
            if not self._waiting[path]:
                del self._waiting[path]
                self._unwatch(path.parent)

    def _watch(self, folder: Path) -> bool:
        if folder not in self._folders:
            mask = _IN_MODIFY | _IN_MOVED_TO | _IN_CREATE
            watch = _libc.inotify_add_watch(self._pipe, os.fsencode(folder), mask)
            if watch < 0:
                return False
            self._folders[folder] = watch
            self._places[watch] = folder
        return True

    def _unwatch(self, folder: Path) -> None:
        if folder in self._folders and all(path.parent != folder for path in self._waiting):
            watch = self._folders.pop(folder)
            del self._places[watch]
            _libc.inotify_rm_watch(self._pipe, watch)

    def _listen(self) -> None:
        if self._pipe >= 0:
            self._loop.add_reader(self._pipe, self._hear)

    def _hear(self) -> None:
        try:
            data = os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return
        told = False
        for path in self._grown(data):
            for event in self._waiting.get(path, ()):
                event.set()
                told = True
        if told:
            self._loop.remove_reader(self._pipe)
            self._loop.call_later(_REST, self._listen)

    def _grown(self, data: bytes) -> set[Path]:
        grown: set[Path] = set()
        at = 0
        while at < len(data):
            watch, mask, _, size = _HEAD.unpack_from(data, at)
            name = data[at + _HEAD.size : at + _HEAD.size + size].rstrip(b"\0")
            at += _HEAD.size + size
            if watch < 0:  # more has happened than the kernel remembers
                return set(self._waiting)
            # A log that was just made is empty; a mark NAME.closed is news of NAME.log.
            empty = mask & _IN_CREATE and not name.endswith(b".closed")
            if watch in self._places and not empty:
                grown.add((self._places[watch] / os.fsdecode(name)).with_suffix(".log"))
        return grown

    def close(self) -> None:
        """Stop listening."""
        if self._pipe >= 0:
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1


class Waiter:
    """One reader's wait."""

    def __init__(self, event: asyncio.Event, patience: float) -> None:
        self._event = event
        self._patience = patience

    def look(self) -> None:
        """What happens from now on counts as news."""
        self._event.clear()

    async def news(self) -> None:
        """Until there may be something to read."""
        try:
            await asyncio.wait_for(self._event.wait(), self._patience)
        except TimeoutError:
            return
