"""Executors over a folder of the test, and a place to look at what jobs leave behind."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from windlass.executors.process import ProcessExecutor, ProcessLimits
from windlass.logs.local import LocalLogs
from windlass.testing.contracts.executor import Ground


@pytest.fixture
def ground(tmp_path):
    """The process executor, impatient."""
    logs = LocalLogs(tmp_path / "logs")
    limits = ProcessLimits(grace=0.3, patience=0.5, log=1 << 20)
    return Ground(lambda: ProcessExecutor(tmp_path / "jobs", logs, limits), logs)


@pytest.fixture
def folder(tmp_path):
    """The folder of the job `job`."""
    return tmp_path / "jobs" / "job"


@pytest.fixture
def living(tmp_path):
    """Whoever still runs and has anything to do with this test's folder."""

    def look() -> set[str]:
        for lock in tmp_path.glob("jobs/*/lock"):
            # A runner lives for a moment after it has journaled the end.
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX)
        found = set()
        for place in Path("/proc").iterdir():
            if not place.name.isdigit() or int(place.name) == os.getpid():
                continue
            try:
                said = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
                state = (place / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if os.fsencode(tmp_path) in said and state not in "ZX":
                words = (place / "cmdline").read_bytes().replace(b"\0", b" ")
                found.add(words.decode(errors="replace").strip())
        return found

    return look
