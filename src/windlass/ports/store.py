"""
The store: `Store` and, inside one transaction, `Tx`, which is a `Snapshot` that can be changed.

A transaction is a plain function from `Tx` to a value. It runs on the writer's
thread, so it holds SQL and pure rules only, and may be run again when the
database asks for it: it must not change anything but what `Tx` is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from windlass.ports.records import Delivery, StoredEffect

R = TypeVar("R")
T = TypeVar("T")
Q = TypeVar("Q", Delivery, StoredEffect)

Scalar = str | int | float | bool | bytes | None


@dataclass(frozen=True, slots=True)
class Below:
    """A condition of `find`: less than this."""

    value: str | float


@dataclass(frozen=True, slots=True)
class Above:
    """A condition of `find`: more than this."""

    value: str | float


@dataclass(frozen=True, slots=True)
class Without:
    """A condition of `find`: none of these texts."""

    values: tuple[str, ...]


Wanted = Scalar | tuple[Scalar, ...] | Below | Above | Without


class Snapshot(Protocol):
    """What is stored, at one moment."""

    def get(self, kind: type[R], *key: Scalar) -> R | None:
        """The record with this key."""

    def find(self, kind: type[R], *, order: str = "", limit: int = 0, **where: Wanted) -> list[R]:
        """
        Records whose columns equal the given values; a tuple means any of them.

        `order` is a column, with a leading `-` for the largest first; `limit` 0 means all.
        """


class Tx(Snapshot, Protocol):
    """One transaction: all of it, or nothing."""

    def add(self, record: object) -> bool:
        """Insert; False, and nothing changed, when its key or a unique set exists."""

    def add_all(self, records: Sequence[object]) -> list[bool]:
        """Insert records of one class; for each, whether it was new (see `add`)."""

    def save(self, record: object) -> None:
        """
        Write over the record with this key, or insert it when it has no `version`.

        With a version: `Conflict` when the stored one differs; it is stored raised by one.
        """

    def next(self, counter: str) -> int:
        """The next number of this counter, from 1; a number of a failed transaction comes again."""


class UnderWay(Protocol):
    """What is being worked on, known to the next process when this one is killed."""

    def left(self) -> tuple[str, ...]:
        """What was begun and not ended when the process before us was gone."""

    def forget(self) -> None:
        """What was left is taken care of."""

    def begin(self, one: str) -> None:
        """From now on, if we are gone, this was under way."""

    def end(self, one: str) -> None:
        """It is under way no more."""


class Store(Protocol):
    """Where the truth is."""

    async def transaction(self, work: Callable[[Tx], T]) -> T:
        """Run `work`; returns after it is durable. `Transient` when it could not be stored."""

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot; `add`, `save` and `next` are refused (`Bug`)."""

    async def claim(self, kind: type[Q], now: float, limit: int) -> list[Q]:
        """
        Rows that are due (`state` received or pending, `due_at` not after `now`), oldest first.

        Each is ours alone until `release`, or until this process is gone.
        """

    async def release(self, kind: type[Q], ids: tuple[str, ...]) -> None:
        """Give claimed rows back, whatever their state is by now."""

    async def wake(self, seen: int) -> int:
        """Wait until something was committed after `seen`; returns the new count of commits."""
