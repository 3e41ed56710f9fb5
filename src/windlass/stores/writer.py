"""
The one thread that writes.

Works are taken in the order they were asked for. All that wait at the moment
share one BEGIN and one COMMIT, so one flush of the disk serves many: the fuller
the queue, the larger the group, and an idle store never waits for company. Each
work can be taken back alone; a failed COMMIT fails every one of the group, and
nobody hears of success before the disk has it.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from windlass.core.errors import Bug, Transient, WindlassError
from windlass.stores.failures import Lost, translate
from windlass.stores.transaction import SqliteTx

T = TypeVar("T")
LARGEST_GROUP = 512


@dataclass(slots=True, eq=False)
class Asked(Generic[T]):
    """One work, and who waits for it; `alone` runs between groups, on what is committed."""

    work: Callable[[SqliteTx], T]
    future: asyncio.Future[T]
    alone: bool = False
    unwanted: Callable[[T], None] | None = None
    value: T | None = None
    failure: BaseException | None = None

    def tell(self) -> None:
        """Hand the result over; on the loop of the one who waits."""
        if self.future.done():
            self.take_back()
        elif isinstance(self.failure, StopIteration):  # which no future can carry
            self.future.set_exception(Bug("a transaction ran past the end of an iterator"))
        elif self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(self.value)  # type: ignore[arg-type]

    def take_back(self) -> None:
        """Nobody waits for the result any more."""
        if self.unwanted is not None and self.value is not None:
            self.unwanted(self.value)


class Writer:
    """A queue of works and the thread that runs them on its own connection."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], committed: Callable[[], None]
    ) -> None:
        """Start; `committed` is called on the writer's thread after each COMMIT that wrote."""
        self._connect = connect
        self._committed = committed
        self._queue: SimpleQueue[Asked[object] | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def ask(self, asked: Asked[T]) -> None:
        """Queue a work; `Transient` when the store is closed."""
        with self._gate:
            if self._closed:
                raise Transient("the store is closed", retry_after=5.0)
            self._queue.put(asked)  # type: ignore[arg-type]

    def close(self) -> None:
        """Finish what was asked for, then end; blocks until the thread is gone."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        open_ = True
        while open_:
            group, open_ = self._take()
            try:
                connection = connection or self._connect()
            except Exception as failure:  # noqa: BLE001 - nobody may wait for ever
                for asked in group:
                    asked.failure = _in_our_words(failure)
            else:
                self._serve(connection, group)
            _tell(group)
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _take(self) -> tuple[list[Asked[object]], bool]:
        """All that waits, at least one; False when nothing comes after it."""
        group: list[Asked[object]] = []
        asked = self._queue.get()
        with suppress(Empty):
            while asked is not None:
                group.append(asked)
                if len(group) == LARGEST_GROUP:
                    return group, True
                asked = self._queue.get_nowait()
            return group, False
        return group, True

    def _serve(self, connection: sqlite3.Connection, group: list[Asked[object]]) -> None:
        writes = [asked for asked in group if not asked.alone]
        if writes:
            before = connection.total_changes
            if _write(connection, writes) and connection.total_changes != before:
                self._committed()
        for asked in group:
            if asked.alone:
                _look(connection, asked)


def _write(connection: sqlite3.Connection, group: list[Asked[object]]) -> bool:
    """Run the group; False when all of it failed, and nothing of it is stored."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for asked in group:
            _attempt(SqliteTx(connection, writable=True, grouped=True), asked)
        connection.execute("COMMIT")
    except Exception as failure:  # noqa: BLE001 - nobody may wait for ever
        _roll_back(connection)
        for asked in group:
            asked.failure = _in_our_words(failure)
        return False
    return True


def _look(connection: sqlite3.Connection, asked: Asked[object]) -> None:
    """Run a work that only reads, between two groups, on one snapshot."""
    if asked.future.cancelled():
        return
    try:
        connection.execute("BEGIN")
        _attempt(SqliteTx(connection, writable=False), asked)
    except Exception as failure:  # noqa: BLE001 - nobody may wait for ever
        asked.failure = _in_our_words(failure)
    _roll_back(connection)


def _attempt(tx: SqliteTx, asked: Asked[object]) -> None:
    """Run one work; its own failure is its own, `Lost` is everybody's."""
    try:
        value = asked.work(tx)
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise Bug("a transaction must be a plain function, not async")  # noqa: TRY301
    except BaseException as failure:  # handed to the one who asked
        if tx.lost is not None:
            raise tx.lost from failure
        tx.undo()
        asked.failure = failure
        return
    if tx.lost is not None:  # the work has swallowed it
        raise tx.lost
    tx.keep()
    asked.value = value


def _in_our_words(failure: Exception) -> Exception:
    match failure:
        case Lost():
            return translate(failure.error)
        case sqlite3.Error():
            return translate(failure)
        case WindlassError():
            return failure
        case _:
            return Bug(f"the store failed: {type(failure).__name__}: {failure}")


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _tell(group: list[Asked[object]]) -> None:
    """Wake each loop once for all of its own."""
    loops: dict[asyncio.AbstractEventLoop, list[Asked[object]]] = {}
    for asked in group:
        loops.setdefault(asked.future.get_loop(), []).append(asked)
    for loop, theirs in loops.items():
        try:
            loop.call_soon_threadsafe(_tell_all, theirs)
        except RuntimeError:  # the loop is closed: nobody waits any more
            for asked in theirs:
                asked.take_back()


def _tell_all(group: list[Asked[object]]) -> None:
    for asked in group:
        asked.tell()
