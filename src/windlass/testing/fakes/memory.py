"""
A store in memory: for tests, samples and the pages of this documentation.

It keeps its promises in one process only: nothing survives it. Threads and event
loops may share one, as a server under test and the test itself do.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import msgspec

from windlass.core.errors import Bug, Conflict
from windlass.ports.records import Counter, Delivery, StoredEffect
from windlass.ports.store import Above, Below, Scalar, Tx, Wanted, Without

R = TypeVar("R")
T = TypeVar("T")
Q = TypeVar("Q", Delivery, StoredEffect)
Key = tuple[Scalar, ...]
Tables = dict[type, dict[Key, object]]
_FIX = str.maketrans({"\0": "\ufffd", **{chr(code): "\ufffd" for code in range(0xD800, 0xE000)}})


def _key(record: object) -> Key:
    return tuple(getattr(record, name) for name in record.KEY)  # type: ignore[attr-defined]


def _as_stored(record: R) -> R:
    """A copy, as a database would give it back: nothing shared, no text that none takes."""
    plain = msgspec.to_builtins(record, builtin_types=(bytes,), enc_hook=_plain)
    return msgspec.convert(_clean(plain), type(record))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


def _clean(value: object) -> object:
    match value:
        case str():
            return value.translate(_FIX)
        case dict():
            return {_clean(key): _clean(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_clean(inner) for inner in value]
        case _:
            return value


def _fits(value: object, wanted: Wanted) -> bool:
    match wanted:
        case Below():
            return value < wanted.value  # type: ignore[operator]
        case Above():
            return value > wanted.value  # type: ignore[operator]
        case Without():
            return value not in wanted.values
        case tuple():
            return value in wanted
        case _:
            return value == wanted


@dataclass(slots=True)
class MemoryTx:
    """A transaction on a copy; `read_only` refuses writes."""

    tables: Tables
    read_only: bool
    changed: bool = False
    over: bool = False

    def get(self, kind: type[R], *key: Scalar) -> R | None:
        """The record with this key."""
        self._check()
        return self.tables.get(kind, {}).get(key)  # type: ignore[return-value]

    def find(self, kind: type[R], *, order: str = "", limit: int = 0, **where: Wanted) -> list[R]:
        """Records whose columns are as wanted."""
        self._check()
        known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
        if unknown := {*where, *filter(None, [order.removeprefix("-")])} - known:
            raise Bug(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
        found = [
            record
            for record in self.tables.get(kind, {}).values()
            if all(_fits(getattr(record, name), wanted) for name, wanted in where.items())
        ]
        if order:
            name = order.removeprefix("-")
            found.sort(key=lambda record: getattr(record, name), reverse=order.startswith("-"))
        return found[: limit or None]  # type: ignore[return-value]

    def add(self, record: object) -> bool:
        """Insert, unless its key or a unique set exists."""
        self._check(writing=True)
        unique = (record.KEY, *record.UNIQUE)  # type: ignore[attr-defined]
        for other in self.tables.get(type(record), {}).values():
            for names in unique:
                if all(getattr(other, name) == getattr(record, name) for name in names):
                    return False
        self._put(record)
        return True

    def add_all(self, records: Sequence[object]) -> list[bool]:
        """Insert several; for each, whether it was new."""
        return [self.add(record) for record in records]

    def save(self, record: object) -> None:
        """Write over what is there; `Conflict` when it has moved on."""
        version: int | None = getattr(record, "version", None)
        if version is None:
            self._put(record)
            return
        stored = self.tables.get(type(record), {}).get(_key(record))
        if getattr(stored, "version", None) != version:
            raise Conflict(f"{type(record).__name__} {_key(record)} has changed meanwhile.")
        self._put(replace(record, version=version + 1))  # type: ignore[type-var]

    def next(self, counter: str) -> int:
        """The next number of this counter."""
        known = self.get(Counter, counter)
        value = 1 if known is None else known.value + 1
        self._put(Counter(name=counter, value=value))
        return value

    def _check(self, *, writing: bool = False) -> None:
        if self.over:
            raise Bug("this transaction is over")
        if writing and self.read_only:
            raise Bug("a read must not write")

    def _put(self, record: object) -> None:
        self._check(writing=True)
        self.changed = True
        record = _as_stored(record)
        self.tables.setdefault(type(record), {})[_key(record)] = record


def _done(work: Callable[[Tx], T], tx: MemoryTx) -> T:
    """Run the work; its transaction is over then."""
    try:
        value = work(tx)
    finally:
        tx.over = True
    if inspect.iscoroutine(value):
        value.close()
        raise Bug("a transaction must be a plain function, not async")
    return value


Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


@dataclass(slots=True)
class MemoryStore:
    """The port `Store`, in memory."""

    _tables: Tables = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _commits: int = 0
    _waiters: list[Waiter] = field(default_factory=list)
    _claimed: set[tuple[type, str]] = field(default_factory=set)

    def fill(self, work: Callable[[Tx], T]) -> T:
        """A transaction without an event loop: for tests that set a scene."""
        with self._lock:
            copy = {kind: dict(rows) for kind, rows in self._tables.items()}
            tx = MemoryTx(copy, read_only=False)
            result = _done(work, tx)
            if tx.changed:
                self._tables = copy
                self._commits += 1
            waiters, self._waiters = self._waiters, []
        for loop, waiter in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, waiter)
        return result

    async def transaction(self, work: Callable[[Tx], T]) -> T:
        """Run `work`: all of it, or nothing."""
        return self.fill(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on what is there now."""
        with self._lock:
            tables = self._tables
        return _done(work, MemoryTx(tables, read_only=True))

    async def claim(self, kind: type[Q], now: float, limit: int) -> list[Q]:
        """Rows that are due, ours alone until released."""
        tx = MemoryTx(self._tables, read_only=True)
        due: list[Q] = [
            row
            for row in tx.find(kind, order="due_at", state=("received", "pending"))
            if row.due_at <= now and (kind, row.id) not in self._claimed
        ][:limit]
        self._claimed |= {(kind, row.id) for row in due}
        return due

    async def release(self, kind: type[Q], ids: tuple[str, ...]) -> None:
        """Give claimed rows back."""
        self._claimed -= {(kind, name) for name in ids}

    async def wake(self, seen: int) -> int:
        """Wait until something was committed after `seen`."""
        while True:
            loop = asyncio.get_running_loop()
            with self._lock:
                if self._commits > seen:
                    return self._commits
                waiter: asyncio.Future[None] = loop.create_future()
                self._waiters.append((loop, waiter))
            await waiter


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
