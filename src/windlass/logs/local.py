"""
Logs as files in a folder, one for each key, appended to and never rewritten.

A key becomes a path by quoting, so no key, however it is written, leads out of
the folder, and no two keys share a file. An empty file `NAME.closed` says that
nothing more will come.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from windlass.core.errors import Bug, Conflict, Permanent, Transient
from windlass.logs.growth import Growth
from windlass.ports.executor import LogPart

_PART = 256 << 10
_LONGEST_NAME = 120


class LocalLogs:
    """`Logs` in the folder `root`; several programs may append to one log and follow it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root.resolve()
        self._growths: dict[asyncio.AbstractEventLoop, Growth] = {}
        # The part that was read last of a followed log, with its offset: readers that keep up
        # with each other share one read and one copy.
        self._latest: dict[Path, tuple[int, LogPart]] = {}

    def path(self, key: str) -> Path:
        """The local file of this log, for a runner that writes it itself."""
        path = self._path(key)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _translated(error) from error
        return path

    def _path(self, key: str) -> Path:
        *folders, name = map(_quoted, key.split("/"))
        return self._root.joinpath(*folders, name + ".log")

    def append(self, key: str, data: bytes) -> None:
        """Add whole lines."""
        if not data.endswith(b"\n"):
            raise Bug(f"log {key}: half a line was to be appended")
        path = self.path(key)
        if _mark(path).exists():
            raise Conflict(f"log {key} is closed")
        try:
            _append(path, data)
        except OSError as error:
            raise _translated(error) from error

    def read(self, key: str, offset: int = 0, limit: int = 1 << 20) -> LogPart:
        """Whole lines from `offset`, about `limit` bytes at most; empty when there are none yet."""
        return _read(self._path(key), offset, limit)

    async def follow(self, key: str, offset: int = 0) -> AsyncIterator[LogPart]:
        """Parts from `offset` on, as they come, until the log is closed."""
        path = self.path(key)
        with self._growth() as growth, growth.of(path) as waiter:
            while True:
                waiter.look()
                # Asked before reading, so that what came before the end is not overlooked.
                closed = _mark(path).exists()
                part = self._shared(path, offset)
                if part.data:
                    offset = part.next
                    yield part
                elif closed:
                    break
                else:
                    await waiter.news()
        self._latest.pop(path, None)

    def _shared(self, path: Path, offset: int) -> LogPart:
        latest = self._latest.get(path)
        if latest and latest[0] == offset:
            return latest[1]
        part = _read(path, offset, _PART)
        if part.data:
            self._latest[path] = (offset, part)
        return part

    @contextmanager
    def _growth(self) -> Iterator[Growth]:
        loop = asyncio.get_running_loop()
        growth = self._growths.get(loop)
        if growth is None:
            growth = self._growths[loop] = Growth()
        try:
            yield growth
        finally:
            if growth.idle:
                self._growths.pop(loop, None)
                growth.close()
                self._latest.clear()

    def close(self, key: str) -> None:
        """Nothing more will come; followers end."""
        path = self.path(key)
        try:
            _mark(path).touch(mode=0o600)
            # The mark must outlive a power cut, else followers would wait for ever.
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _translated(error) from error


def _quoted(part: str) -> str:
    """One part of a key as a file name: no dot, no slash, never empty, not too long."""
    name = quote(part, safe="", errors="surrogatepass").replace(".", "%2E")
    if len(name) > _LONGEST_NAME:
        name = "=" + hashlib.sha256(name.encode()).hexdigest()
    return name or "="


def _mark(path: Path) -> Path:
    return path.with_suffix(".closed")


def _append(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            data = b"\n" + data  # a runner was killed in the middle of a line
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _read(path: Path, offset: int, limit: int) -> LogPart:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return LogPart(b"", offset)
    except OSError as error:
        raise _translated(error) from error
    try:
        data = os.pread(file, max(1, limit), offset)
        end = data.rfind(b"\n") + 1
        while data and not end:  # one line is longer than the limit
            more = os.pread(file, max(4096, len(data)), offset + len(data))
            if not more:
                break
            data += more
            end = data.find(b"\n", len(data) - len(more)) + 1
    finally:
        os.close(file)
    return LogPart(data[:end], offset + end)


def _translated(error: OSError) -> Transient | Permanent:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE):
        return Transient(f"the log cannot be written or read: {error}")
    return Permanent(f"the log cannot be written or read: {error}")
