"""A disk that is really full: the job ends, says why, and what was free again is used."""

from __future__ import annotations

import fcntl
import os
import subprocess

import pytest

from windlass.executors.process import ProcessExecutor, ProcessLimits
from windlass.executors.runner import journal as journal_module
from windlass.executors.runner.journal import Journal
from windlass.logs.local import LocalLogs
from windlass.ports.executor import Outcome
from windlass.testing.contracts.executor import finish, order, run


@pytest.fixture
def small(tmp_path):
    """A file system of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m", "windlass-test", str(place)]
    if os.getuid() or subprocess.run(argv, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    for lock in tmp_path.rglob("lock"):
        with lock.open() as file:  # until the runner is gone, the disk is busy
            fcntl.flock(file, fcntl.LOCK_EX)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("what", ["jobs", "logs"])
def test_a_full_disk_is_the_reason(small, tmp_path, what):
    """Whether the jobs' folder is full or the logs' folder."""
    place = {"jobs": tmp_path, "logs": tmp_path, what: small}
    executor = ProcessExecutor(place["jobs"] / "jobs", LocalLogs(place["logs"] / "logs"))
    fill = f"head -c 5000000 /dev/zero > {small}/filler || true"
    steps = [fill, *["yes | head -c 100000"] * 3, *["true"] * 2000]
    end = run(finish(executor, order(*steps, job="job")))
    assert (end.outcome, "disk full" in end.reason) == (Outcome.FAILED, True)


def test_an_end_waits_for_room(tmp_path, monkeypatch):
    """A journal that cannot be written now is written when there is room."""
    journal = Journal(str(tmp_path))
    tries = []

    def write(file, data):
        tries.append(file)
        if len(tries) < 3:
            raise OSError(journal_module.errno.ENOSPC, "full")
        return real(file, data)

    real = os.write
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(journal_module.time, "sleep", lambda _: None)
    journal.ended({"outcome": "failed"})
    monkeypatch.undo()
    assert len(tries) >= 3
    assert (tmp_path / "journal").read_bytes().count(b'"ended"') == 1


def test_a_write_that_fits_in_part_leaves_no_half_line(tmp_path, monkeypatch):
    """It is taken back, and reported as what it is: a full disk."""
    journal = Journal(str(tmp_path))
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:5]))
    with pytest.raises(OSError, match="No space left"):
        journal.step_started(0, log=0)
    assert (tmp_path / "journal").read_bytes() == b""


def test_a_journal_is_made_once(tmp_path):
    """Whoever finds one there has nothing to begin."""
    Journal(str(tmp_path)).step_started(0, log=0)
    with pytest.raises(FileExistsError):
        Journal(str(tmp_path))


def test_room_is_kept_for_the_end(tmp_path):
    """Until the end is written, a reserve lies beside the journal."""
    limits = ProcessLimits(log=1 << 20)
    executor = ProcessExecutor(tmp_path / "jobs", LocalLogs(tmp_path / "logs"), limits)
    run(finish(executor, order('test -s "$CI_WORKSPACE/../reserve"', job="job")))
    assert not (tmp_path / "jobs" / "job" / "reserve").exists()
