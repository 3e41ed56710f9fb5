"""
Which rows are being worked on.

One server holds the data folder, so a claim needs no row: it lives here, and a
restart voids them all at once.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Collection
from typing import TypeVar, cast

from windlass.core.errors import Bug
from windlass.ports.records import Delivery, StoredEffect
from windlass.ports.store import Above, Below, Tx, Without

Q = TypeVar("Q", Delivery, StoredEffect)

_Way = Callable[[Tx, float, int], list[Delivery] | list[StoredEffect]]


# Deliveries of one repository that are claimed at the same time; it takes them one by one.
EACH = 8


class Claims:
    """Ids of claimed rows; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[type, set[str]] = {Delivery: set(), StoredEffect: set()}
        self._ways: dict[type, _Way] = {Delivery: self._in_turn, StoredEffect: self._oldest}
        self._turn = ""
        self._each: Counter[str] = Counter()
        self._whose: dict[str, str] = {}

    def take(self, kind: type[Q], now: float, limit: int) -> Callable[[Tx], list[Q]]:
        """A work that claims what is due; it must run on the writer's thread."""
        if kind not in self._ways:
            raise Bug(f"{kind.__name__} cannot be claimed")
        just_after = math.nextafter(now, math.inf)

        def work(tx: Tx) -> list[Q]:
            return cast("list[Q]", self._ways[kind](tx, just_after, limit))

        return work

    def _oldest(self, tx: Tx, just_after: float, limit: int) -> list[StoredEffect]:
        held = self._held[StoredEffect]
        with self._lock:
            without = Without(tuple(held))
        fresh = tx.find(
            StoredEffect,
            state="pending",
            due_at=Below(just_after),
            id=without,
            order="due_at",
            limit=limit,
        )
        with self._lock:
            held.update(row.id for row in fresh)
        return fresh

    def _in_turn(self, tx: Tx, just_after: float, limit: int) -> list[Delivery]:
        """
        Deliveries of every repository in turn, a few of each, its oldest first.

        Whoever sends fifty thousand holds up himself.
        """
        found: list[Delivery] = []
        seen: set[str] = set()
        while len(found) < limit:
            one = self._next(tx)
            if one is None or one in seen:
                break
            seen.add(one)
            found += self._of(tx, one, just_after, limit - len(found))
        return found

    def _next(self, tx: Tx) -> str | None:
        """The repository whose turn it is, among those with a delivery that waits."""
        for after in (self._turn, ""):
            rows = tx.find(
                Delivery, state="received", repository=Above(after), order="repository", limit=1
            )
            if rows:
                self._turn = rows[0].repository
                return self._turn
        return None

    def _of(self, tx: Tx, repository: str, just_after: float, limit: int) -> list[Delivery]:
        held = self._held[Delivery]
        with self._lock:
            spare = min(limit, EACH - self._each[repository])
            without = Without(tuple(one for one in held if self._whose[one] == repository))
        if spare <= 0:
            return []
        fresh = tx.find(
            Delivery,
            state="received",
            repository=repository,
            due_at=Below(just_after),
            id=without,
            order="due_at",
            limit=spare,
        )
        with self._lock:
            held.update(row.id for row in fresh)
            self._each[repository] += len(fresh)
            self._whose.update((row.id, repository) for row in fresh)
        return fresh

    def give_back(self, kind: type[Q], ids: Collection[str]) -> None:
        """Let others have them."""
        with self._lock:
            self._held[kind].difference_update(ids)
            for one in ids:
                if repository := self._whose.pop(one, ""):
                    self._each[repository] -= 1
                    if not self._each[repository]:
                        del self._each[repository]
