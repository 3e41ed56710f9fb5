"""
The one place where a runner waits: for output, an end, a request to stop, or time.
"""

from __future__ import annotations

import os
import select
import time

from windlass.executors.runner.log import Log
from windlass.executors.runner.stream import CHUNK, Stream

_SWEEP = 1.0
# Many small writes in a row are gathered for so long (seconds), so that they cost one of ours.
_GATHER = 0.002
_SMALL = 16 << 10


class Pump:
    """Moves what steps print into the log, and hears `stop`."""

    __slots__ = ("_control", "_folder", "_last", "_log", "_poll", "_streams", "stop_asked")

    def __init__(self, folder: str, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._poll = select.poll()
        self._streams: dict[int, Stream] = {}
        self._last = 0.0
        control = folder + "/control"
        if not os.path.exists(control):
            os.mkfifo(control, 0o600)
        # Open for writing too, so that it never is at its end.
        self._control = os.open(control, os.O_RDWR | os.O_NONBLOCK)
        self._poll.register(self._control, select.POLLIN)
        self.stop_asked = False
        self.look()

    def look(self) -> None:
        """Whether somebody wants the job to stop."""
        self.stop_asked = os.access(self._folder + "/stop", os.F_OK)

    def add(self, stream: Stream) -> None:
        """Read this stream from now on."""
        self._streams[stream.fd] = stream
        self._poll.register(stream.fd, select.POLLIN)

    def watch(self, fd: int) -> None:
        """Wake when this descriptor is ready."""
        self._poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        """Forget this descriptor and close it."""
        self._poll.unregister(fd)
        os.close(fd)

    def turn(self, until: float) -> None:
        """Wait for something to happen, at most until then (monotonic), and deal with it."""
        now = time.monotonic()
        dues = [due for stream in self._streams.values() if (due := stream.due()) is not None]
        wake = min(until, now + _SWEEP, *dues)
        taken = 0
        for fd, _ in self._poll.poll(max(0.0, (wake - now) * 1000 + 0.5)):
            if fd == self._control:
                os.read(fd, 4096)
                self.look()
            elif fd in self._streams:
                taken += self._read(self._streams[fd])
        if dues:
            self._show_due()
        self._log.write()
        if 0 < taken < _SMALL and now - self._last < _GATHER:
            time.sleep(_GATHER)
        if taken:
            self._last = time.monotonic()

    def _read(self, stream: Stream) -> int:
        fd = stream.fd
        size = stream.read()
        if size == 0:
            self._poll.unregister(fd)
            del self._streams[fd]
        return max(size, 0)

    def _show_due(self) -> None:
        now = time.monotonic()
        for stream in self._streams.values():
            due = stream.due()
            if due is not None and due <= now:
                stream.show()

    def drain(self, stream: Stream) -> None:
        """
        Read what a program has printed that is gone now.

        Not to the end: what it left running may hold the pipe open, and print on.
        """
        for _ in range(2 * (1 << 20) // CHUNK):
            if stream.fd not in self._streams or self._read(stream) == 0:
                break
        self._log.write()

    def finish(self) -> None:
        """Read and close everything; nobody is left to print."""
        for stream in list(self._streams.values()):
            self.drain(stream)
            if stream.fd in self._streams:
                self._poll.unregister(stream.fd)
                del self._streams[stream.fd]
                stream.finish()
        self._log.write()
