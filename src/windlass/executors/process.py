"""
Jobs as processes of this machine.

Each job gets a folder (see `folder`) and a runner of its own (see `runner`),
which belongs to nobody and outlives the server. The folder is the whole truth:
a server that comes back finds its jobs there and goes on watching them, and
`start` may be repeated after a crash anywhere in it (see `launch`).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

from windlass.core.errors import Conflict, Transient, WindlassError
from windlass.executors.folder import JobFolder, JournalReader
from windlass.executors.launch import SEARCH_PATH, ProcessLimits, launch
from windlass.executors.leftovers import kill_leftovers, kill_runner
from windlass.executors.nursery import Nursery
from windlass.executors.pokes import Pokes
from windlass.ports.executor import Ended, Logs, Order, Outcome, Progress

__all__ = ["SEARCH_PATH", "ProcessExecutor", "ProcessLimits"]

# How often (seconds) a job is looked at although nothing poked us; so late a killed runner is seen.
_LOOK = 0.5
# How long (seconds) beyond the grace a runner may take to stop, before it is killed itself.
_UNHEARD = 15.0
_CLEARED = ".cleared-"


class ProcessExecutor:
    """An `Executor` that starts a detached process for each job, in folders below `root`."""

    def __init__(self, root: Path, logs: Logs, limits: ProcessLimits | None = None) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root.resolve()
        self._logs = logs
        self._limits = limits or ProcessLimits()
        self._pokes = Pokes(self._root)
        self._nursery = Nursery()
        self._away: list[Path] = []
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self, order: Order) -> None:
        """Begin the job, once per id; refused (`Conflict`) when the id was stopped before."""
        folder = JobFolder(self._root, order.id)
        log = self._logs.path(order.log)
        await asyncio.to_thread(launch, self._nursery, folder, order, log, self._limits)

    async def watch(self, job: str, after: int = 0) -> AsyncIterator[Progress]:
        """
        What happened to a job, from its entry number `after` on, and as it goes on.

        Call it once `start` has returned: an id that is not here is WORKER_LOST.
        """
        folder = JobFolder(self._root, job)
        if not folder.path.exists():
            yield _lost("this machine knows nothing of the job")
            return
        reader = JournalReader(folder)
        number = 0
        patience = time.monotonic() + self._limits.patience
        with self._pokes.listen(folder.name) as news:
            while True:
                news.clear()
                # Asked before the journal is read, so that an end in it is not overlooked.
                gone = not folder.alive() if folder.begun() else time.monotonic() > patience
                for entry in reader.more():
                    number += 1
                    if number > after:
                        yield entry
                    if isinstance(entry, Ended):
                        return
                if gone and await asyncio.to_thread(self._lose, folder):
                    continue
                try:
                    await asyncio.wait_for(news.wait(), _LOOK)
                except TimeoutError:
                    continue

    def _lose(self, folder: JobFolder) -> bool:
        """Journal that the job is lost, unless its runner lives; whether it has an end."""
        with folder.locked() as lock:
            if lock is None:
                return False
            if not folder.ended():
                reason = "its runner is gone: killed, or the machine went down"
                if not folder.begun():
                    reason = "it was ordered and never began"
                self._end_for(folder, _lost(reason))
            return True

    def _end_for(self, folder: JobFolder, end: Ended) -> None:
        """End a job that has no runner; the caller holds its lock."""
        kill_leftovers(folder.path)
        key = folder.log_key()
        if key is not None:
            line = f"{time.time_ns() // 1_000_000} -1 w the job has ended: {end.reason}\n"
            # A last word in a log that takes none is no reason to have no end.
            with suppress(WindlassError):
                self._logs.append(key, line.encode())
        folder.write_end(end)

    async def stop(self, job: str) -> None:
        """End the job with everything it started; of an unknown id: refuse its later start."""
        folder = JobFolder(self._root, job)
        try:
            await self._stop(folder)
        except OSError as error:
            raise Transient(f"job {job} cannot be stopped: {error}") from error

    async def _stop(self, folder: JobFolder) -> None:
        folder.path.mkdir(mode=0o700, exist_ok=True)
        if folder.ended():
            return
        folder.stop.touch(mode=0o600)
        folder.wake()
        until = time.monotonic() + self._limits.grace + _UNHEARD
        with self._pokes.listen(folder.name) as news:
            while not await asyncio.to_thread(self._stopped, folder):
                if time.monotonic() > until:
                    await asyncio.to_thread(kill_runner, folder.path)
                news.clear()
                try:
                    await asyncio.wait_for(news.wait(), 0.05)
                except TimeoutError:
                    folder.wake()

    def _stopped(self, folder: JobFolder) -> bool:
        """Whether no runner has the job any more; it has an end then."""
        with folder.locked() as lock:
            if lock is None:
                return False
            if not folder.ended():
                end = Ended(at=time.time(), outcome=Outcome.STOPPED, reason="stopped on request")
                self._end_for(folder, end)
            return True

    async def list(self) -> tuple[str, ...]:
        """Ids of the jobs that are here, running or ended and not yet cleared."""
        return await asyncio.to_thread(lambda: tuple(sorted(self._list())))

    def _list(self) -> Iterator[str]:
        for entry in os.scandir(self._root):
            if entry.name.startswith(_CLEARED):
                _remove(Path(entry.path))
            elif not entry.name.startswith("="):
                if Path(entry.path, "order.json").exists():
                    yield entry.name
            elif (job := _ordered_id(Path(entry.path))) is not None:
                yield job

    async def clear(self, job: str) -> None:
        """Forget an ended job and remove its workspace; twice is once."""
        folder = JobFolder(self._root, job)
        # A runner that has journaled the end is about to let go of the lock.
        until = time.monotonic() + 5
        pause = 0.001
        while folder.path.exists() and folder.alive():
            if time.monotonic() > until or not folder.ended():
                raise Conflict(f"job {job} still runs", hint="stop it first")
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)
        if away := await asyncio.to_thread(_put_away, folder):
            await self._swept(away)

    async def _swept(self, away: Path) -> None:
        """Return when it is gone; who comes while others are removed shares the next removal."""
        self._away.append(away)
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())
        await asyncio.shield(self._sweeping)

    async def _sweep(self) -> None:
        while self._away:
            paths, self._away = self._away, []
            await asyncio.to_thread(_remove, *paths)


def _lost(reason: str) -> Ended:
    return Ended(at=time.time(), outcome=Outcome.WORKER_LOST, reason=reason)


def _ordered_id(folder: Path) -> str | None:
    """The id of a job whose folder has a hashed name."""
    try:
        return str(json.loads((folder / "order.json").read_bytes())["id"])
    except (OSError, ValueError, KeyError):
        return None


def _put_away(folder: JobFolder) -> Path | None:
    """Rename it first: half a job must never be found by a server that comes back."""
    away = folder.path.with_name(f"{_CLEARED}{folder.name}-{time.time_ns()}")
    try:
        return folder.path.rename(away)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Transient(f"{folder.path} cannot be removed: {error}") from error


def _remove(*paths: Path) -> None:
    """Remove folders in which steps may have made folders that nobody may write to."""
    # A third of the time that Python takes for it, and jobs end all the time.
    subprocess.run(
        ["/bin/rm", "-rf", "--", *map(str, paths)],
        close_fds=False,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    for path in filter(Path.exists, paths):
        for place, folders, _ in os.walk(path):
            for name in folders:
                inner = Path(place, name)
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(path, ignore_errors=True)
