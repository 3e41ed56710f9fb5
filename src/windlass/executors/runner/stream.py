"""
One stream of one step: a pipe that is read, masked, cut into lines and logged.
"""

from __future__ import annotations

import fcntl
import os
import time

from windlass.core.redact import Masker
from windlass.executors.runner.lines import Lines
from windlass.executors.runner.log import Log, millis

CHUNK = 256 << 10
_PIPE = 1 << 20
_F_SETPIPE_SZ = 1031
# How long an unfinished line may be quiet, or grow, before it is shown as it is (seconds).
QUIET, AGE = 1.0, 5.0


class Stream:
    """The reading end of a pipe; `writer` is for the child and closed here after its start."""

    __slots__ = (
        "_ended",
        "_last",
        "_lines",
        "_log",
        "_masker",
        "_since",
        "_step",
        "_told",
        "fd",
        "writer",
    )

    def __init__(self, step: int, label: str, masker: Masker, log: Log) -> None:
        self.fd, self.writer = os.pipe()
        try:
            fcntl.fcntl(self.fd, _F_SETPIPE_SZ, _PIPE)
        except OSError:
            pass  # the user's share of pipe memory is used up; smaller is only slower
        os.set_blocking(self.fd, False)
        self._step = step
        self._masker = masker.another()
        self._lines = Lines(step, label)
        self._log = log
        self._since = self._last = 0.0
        self._ended = self._told = False

    def read(self) -> int:
        """Take what is there: how many bytes, 0 at the end, -1 when there is nothing now."""
        try:
            data = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return -1
        if not data:
            self.finish()
            return 0
        if not self._log.full:
            self._take(self._masker.feed(data))
        return len(data)

    def _take(self, text: bytes) -> None:
        fresh = not self._lines.pending
        self._log.add(self._lines.feed(text, millis()), self._step)
        if self._lines.pending:
            self._last = time.monotonic()
            self._since = self._last if fresh else self._since
        if self._lines.cut and not self._told:
            self._told = True
            self._log.say(self._step, "a line was too long and has been cut into pieces")

    def due(self) -> float | None:
        """When (monotonic) the unfinished line shall be shown; None when there is none."""
        return min(self._last + QUIET, self._since + AGE) if self._lines.pending else None

    def show(self) -> None:
        """Log the unfinished line as it is; what may begin a secret stays back."""
        self._log.add(self._lines.flush(millis()), self._step)

    def finish(self) -> None:
        """Log the rest; the stream is at its end."""
        if not self._ended:
            self._ended = True
            self._take(self._masker.flush())
            self.show()
            os.close(self.fd)
