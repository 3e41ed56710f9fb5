"""
The folder of one job on disk, as the server sees it.

`order.json` (what was ordered, no secrets), `lock` (held by the runner for its
life), `journal` (what happened), `stop` (somebody wants it to end), `control`
(a pipe to wake the runner), `workspace/`, `output`, `package.tar`. A job has
begun when it has a journal; it is alive while its lock is held. No process id
is ever trusted, for they are given out again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windlass.ports.executor import Ended, Outcome, Progress, StepEnded, StepStarted

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class JobFolder:
    """One job's folder; making this object touches nothing."""

    def __init__(self, root: Path, job: str) -> None:
        # A hashed name begins with "=", which no plain one does, so no two jobs share a folder.
        plain = _PLAIN.fullmatch(job)
        self.name = job if plain else "=" + hashlib.sha256(job.encode()).hexdigest()[:40]
        self.path = root / self.name
        self.job = job

    @property
    def order(self) -> Path:
        """What was ordered."""
        return self.path / "order.json"

    @property
    def journal(self) -> Path:
        """What happened."""
        return self.path / "journal"

    @property
    def stop(self) -> Path:
        """There when the job shall end, or never start."""
        return self.path / "stop"

    def begun(self) -> bool:
        """Whether a runner ever had this job."""
        return self.journal.exists()

    def ended(self) -> bool:
        """Whether its journal has an end."""
        return any(isinstance(entry, Ended) for entry in JournalReader(self).more())

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """The lock's descriptor, or None while a runner (or another look) holds it."""
        file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield file
        finally:
            os.close(file)

    def alive(self) -> bool:
        """Whether a runner holds the job now."""
        with self.locked() as lock:
            return lock is None

    def wake(self) -> None:
        """Poke the runner; nothing happens when there is none."""
        try:
            pipe = os.open(self.path / "control", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return
        try:
            os.write(pipe, b"\n")
        except OSError:
            pass  # full of pokes already
        finally:
            os.close(pipe)

    def log_key(self) -> str | None:
        """The key of the job's log, None when the order is gone."""
        try:
            key = json.loads(self.order.read_bytes())["log"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return key if isinstance(key, str) else None

    def write_end(self, end: Ended) -> None:
        """Journal an end in the runner's place; only for who holds the lock."""
        line = {
            "entry": "ended",
            "at": end.at,
            "outcome": end.outcome.value,
            "exit_code": end.exit_code,
            "step": end.step,
            "reason": end.reason,
            "outputs": dict(end.outputs),
            "package": False,
        }
        file = os.open(self.journal, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # A runner that was cut off in a write has left half a line.
            whole = os.pread(file, os.fstat(file).st_size, 0).rfind(b"\n") + 1
            os.ftruncate(file, whole)
            os.pwrite(file, json.dumps(line).encode() + b"\n", whole)
            os.fsync(file)
        finally:
            os.close(file)


class JournalReader:
    """Reads a journal as it grows, each entry once."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._offset = 0

    def more(self) -> list[Progress]:
        """The entries since the last call."""
        try:
            with self._folder.journal.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        return [read_entry(line, self._folder.path) for line in data.splitlines()]


def read_entry(line: bytes, folder: Path) -> Progress:
    """One line of a journal."""
    raw = json.loads(line)
    match raw["entry"]:
        case "step_started":
            return StepStarted(step=raw["step"], at=raw["at"], log=raw["log"])
        case "step_ended":
            return StepEnded(
                step=raw["step"],
                at=raw["at"],
                exit_code=raw["exit_code"],
                timed_out=raw["timed_out"],
            )
        case _:
            return Ended(
                at=raw["at"],
                outcome=Outcome(raw["outcome"]),
                exit_code=raw["exit_code"],
                step=raw["step"],
                reason=raw["reason"],
                outputs=raw["outputs"],
                package=folder / "package.tar" if raw["package"] else None,
            )
