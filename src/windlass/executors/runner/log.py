"""
The log of a job, as its runner writes it: whole lines, appended, up to a limit.

What comes in one turn of the runner is one write, so a flood costs a write per
quarter of a megabyte and not one per line.
"""

from __future__ import annotations

import errno
import os
import time


def millis() -> int:
    """The present moment, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Log:
    """The end of one log file; `full` when its limit was reached."""

    __slots__ = ("_file", "_limit", "_pending", "full", "size")

    def __init__(self, path: str, limit: int) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self.size = os.fstat(self._file).st_size
        self._limit = self.size + limit
        self._pending: list[bytes] = []
        self.full = False
        if self.size and os.pread(self._file, 1, self.size - 1) != b"\n":
            # An earlier runner was killed in the middle of a line.
            self._pending.append(b"\n")
            self.size += 1

    def add(self, lines: bytes, step: int) -> None:
        """Add lines of the log; beyond the limit a last word, then nothing."""
        if self.full or not lines:
            return
        if self.size + len(lines) > self._limit:
            lines = lines[: lines.rfind(b"\n", 0, max(0, self._limit - self.size)) + 1]
            self._put(lines)
            self.full = True
            self._put(self._said(step, "the log has reached its limit; what follows is not kept"))
            return
        self._put(lines)

    def say(self, step: int, text: str) -> None:
        """Add a line in our own name."""
        if not self.full:
            self._put(self._said(step, text))

    def _said(self, step: int, text: str) -> bytes:
        line = " ".join(text.split())
        return f"{millis()} {step} w {line}\n".encode("utf-8", "replace")

    def _put(self, lines: bytes) -> None:
        self._pending.append(lines)
        self.size += len(lines)

    def write(self) -> None:
        """Write what was added; `OSError` on a full disk, and the last line stays whole."""
        if not self._pending:
            return
        data = memoryview(b"".join(self._pending))
        self._pending.clear()
        while data:
            done = os.write(self._file, data)
            if not done:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[done:]

    def forget(self) -> None:
        """Drop what could not be written."""
        self._pending.clear()
        self.full = True
