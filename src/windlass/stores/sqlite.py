"""
`SqliteStore`: the store in one SQLite file.

One thread writes, in groups; a few threads read, each on a snapshot of what is
committed; the event loop touches no file. Whoever opens it holds the data folder
(`stores.folder.hold`), for claims live in this process.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

from windlass.core.errors import Bug, Transient
from windlass.ports.records import Delivery, StoredEffect
from windlass.ports.store import Tx
from windlass.stores import database
from windlass.stores.checkpoint import Checkpoints
from windlass.stores.claims import Claims
from windlass.stores.commits import Commits
from windlass.stores.failures import Lost, translate
from windlass.stores.transaction import SqliteTx
from windlass.stores.writer import Asked, Writer

T = TypeVar("T")
Q = TypeVar("Q", Delivery, StoredEffect)
READERS = 3


class SqliteStore:
    """`ports.store.Store` on one file; make it with `open`, end it with `close`."""

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        """Start the threads; use `open`, which also looks after the file."""
        self.path = path
        self._claims = Claims()
        self._commits = Commits()
        connect = partial(database.connect, path, writable=True, synchronous=synchronous)
        self._checkpoints = Checkpoints(connect)
        self._writer = Writer(connect, self._committed)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, synchronous: str = "FULL") -> Self:
        """
        The store in this file, made or brought up to date first; blocks while it does.

        `Conflict` when a newer or another program made the file, `Permanent` when it is
        damaged. `synchronous` other than FULL may lose what was acknowledged: tests only.
        """
        database.prepare(path)
        return cls(path, synchronous=synchronous)

    async def transaction(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on the writer's thread; returns when the disk has it."""
        asked: Asked[T] = Asked(work, asyncio.get_running_loop().create_future())
        self._writer.ask(asked)
        return await asked.future

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot of what is committed."""
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._readers, self._look, work)
        except RuntimeError as closed:
            raise Transient("the store is closed", retry_after=5.0) from closed
        return await answer

    async def claim(self, kind: type[Q], now: float, limit: int) -> list[Q]:
        """Rows that are due and nobody's; ours until `release`."""

        def unwanted(rows: list[Q]) -> None:
            self._claims.give_back(kind, [row.id for row in rows])

        future: asyncio.Future[list[Q]] = asyncio.get_running_loop().create_future()
        work = self._claims.take(kind, now, limit)
        self._writer.ask(Asked(work, future, alone=True, unwanted=unwanted))
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                unwanted(future.result())  # it came in the very moment of the cancellation
            raise

    async def release(self, kind: type[Q], ids: tuple[str, ...]) -> None:
        """Give claimed rows back."""
        self._claims.give_back(kind, ids)

    async def wake(self, seen: int) -> int:
        """Wait until something was committed after `seen`."""
        return await self._commits.after(seen)

    async def close(self) -> None:
        """Finish what was asked for, then let go of the file; twice is once."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _close(self) -> None:
        with self._closing:
            self._closed = True
            self._readers.shutdown(wait=True)
            while True:
                try:
                    self._idle.get_nowait().close()
                except Empty:
                    break
            self._checkpoints.close()
            self._writer.close()
            self._commits.end()

    def _committed(self) -> None:
        self._commits.count()
        self._checkpoints.due()

    def _look(self, work: Callable[[Tx], T]) -> T:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._connect()
        tx = SqliteTx(connection, writable=False)
        try:
            connection.execute("BEGIN")
            value = work(tx)
        except sqlite3.Error as error:
            raise translate(error) from error
        except Lost as lost:
            raise translate(lost.error) from lost
        except StopIteration as end:
            raise Bug("a transaction ran past the end of an iterator") from end
        finally:
            tx.keep()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.put(connection)
        return value

    def _connect(self) -> sqlite3.Connection:
        try:
            return database.connect(self.path, writable=False)
        except sqlite3.Error as error:
            raise translate(error) from error
