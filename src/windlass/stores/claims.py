"""
Which rows are being worked on.

One server holds the data folder, so a claim needs no row: it lives here, and a
restart voids them all at once.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection
from typing import TypeVar

from windlass.core.errors import Bug
from windlass.ports.records import Delivery, StoredEffect
from windlass.ports.store import Below, Tx

Q = TypeVar("Q", Delivery, StoredEffect)

# The state of a row that waits for its turn.
WAITING = {Delivery: "received", StoredEffect: "pending"}


class Claims:
    """Ids of claimed rows; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[type, set[str]] = {kind: set() for kind in WAITING}

    def take(self, kind: type[Q], now: float, limit: int) -> Callable[[Tx], list[Q]]:
        """A work that claims what is due; it must run on the writer's thread."""
        if kind not in WAITING:
            raise Bug(f"{kind.__name__} cannot be claimed")
        just_after = math.nextafter(now, math.inf)

        def work(tx: Tx) -> list[Q]:
            held = self._held[kind]
            with self._lock:
                spare = limit + len(held)
            rows = tx.find(
                kind, state=WAITING[kind], due_at=Below(just_after), order="due_at", limit=spare
            )
            with self._lock:
                fresh = [row for row in rows if row.id not in held][:limit]
                held.update(row.id for row in fresh)
            return fresh

        return work

    def give_back(self, kind: type[Q], ids: Collection[str]) -> None:
        """Let others have them."""
        with self._lock:
            self._held[kind].difference_update(ids)
