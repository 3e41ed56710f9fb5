"""
Finding what a job has left behind when its runner can no longer do so itself.

A runner ends everything it started. When the runner was killed, the kernel ends
the step's first process; what that had started goes on, and is known by the
job's folder, which stands in its environment or is where it works.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_ROUNDS = 200


def kill_runner(folder: Path) -> None:
    """Kill the runner of this folder, found by its command line; nothing when there is none."""
    word = os.fsencode(folder)
    for pid in _processes():
        words = _read(f"/proc/{pid}/cmdline").split(b"\0")
        if word in words and any(x.endswith(b"/runner/__main__.py") for x in words):
            _kill(pid)


def kill_leftovers(folder: Path) -> None:
    """Kill every process that belongs to this folder's job, until there is none."""
    for _ in range(_ROUNDS):
        found = [pid for pid in _processes() if _belongs(pid, os.fsencode(folder))]
        if not found:
            return
        for pid in found:
            _kill(pid)
        time.sleep(0.005)


def _belongs(pid: int, folder: bytes) -> bool:
    # Written by the runner into the environment of every step.
    if b"WINDLASS_OUTPUT=" + folder + b"/output" in _read(f"/proc/{pid}/environ").split(b"\0"):
        return not _ended(pid)
    try:
        place = os.fsencode(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return False
    return (place + b"/").startswith(folder + b"/") and not _ended(pid)


def _ended(pid: int) -> bool:
    """Whether the process is dead and only not collected yet."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"], [])


def _processes() -> Iterator[int]:
    me = os.getpid()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != me:
            yield int(entry.name)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return
