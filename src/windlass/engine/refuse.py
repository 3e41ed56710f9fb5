"""
Requests that were not accepted: shown to people, but never a way to fill the disk.

They live in a ring of slots of their own and take no delivery's id. Like ones
(same endpoint, answer, reason and source) that come faster than they are written
become one entry with a count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from windlass.engine.receive import kept
from windlass.ports.records import Refusal
from windlass.ports.store import Store, Tx
from windlass.ports.target import Clock

SLOTS = 1000
PAUSE = 1.0  # seconds between two writes
WAITING = 64  # entries between two writes; more are only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What is known of a request that was refused; `source` is where it came from."""

    endpoint: str
    repository: str
    status: int
    reason: str
    source: str
    headers: Mapping[str, str]
    size: int


class Refusals:
    """Writes refusals down, at most once in `PAUSE` seconds."""

    def __init__(self, store: Store, clock: Clock, *, slots: int = SLOTS) -> None:
        """`slots` is how many are kept."""
        self._store = store
        self._clock = clock
        self._slots = slots
        self._waiting: dict[tuple[str, int, str, str], tuple[Refused, int]] = {}
        self._passed_over = 0
        self._writing: asyncio.Task[None] | None = None

    def note(self, refused: Refused) -> None:
        """Have it written soon; never waits."""
        key = (refused.endpoint, refused.status, refused.reason, refused.source)
        _, times = self._waiting.get(key, (refused, 0))
        if times or len(self._waiting) < WAITING:
            self._waiting[key] = (refused, times + 1)
        else:
            self._passed_over += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def flush(self) -> None:
        """Return when what was noted so far is stored, or could not be."""
        if self._waiting:
            await self._write_once()

    async def close(self) -> None:
        """Write what waits, and stop."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self.flush()

    async def _write(self) -> None:
        while self._waiting:
            await self._write_once()
            await self._clock.sleep(PAUSE)

    async def _write_once(self) -> None:
        waiting, self._waiting = self._waiting, {}
        over, self._passed_over = self._passed_over, 0
        now = self._clock.now()

        def work(tx: Tx) -> None:
            for refused, times in waiting.values():
                tx.save(self._row(refused, times, slot=tx.next("refusal") % self._slots, now=now))
            if over:
                rest = Refused(
                    endpoint="", repository="", status=0, source="", headers={}, size=0,
                    reason=f"{over} more from other places",
                )  # fmt: skip
                tx.save(self._row(rest, 1, slot=tx.next("refusal") % self._slots, now=now))

        try:
            await self._store.transaction(work)
        except Exception:  # noqa: BLE001 - it has been answered; noting it is worth one try
            return

    @staticmethod
    def _row(refused: Refused, times: int, *, slot: int, now: float) -> Refusal:
        more = f" ({times} times)" if times > 1 else ""
        return Refusal(
            slot=slot,
            at=now,
            endpoint=refused.endpoint[:64],
            repository=refused.repository,
            status=refused.status,
            reason=refused.reason[:500] + more,
            source=refused.source[:64],
            headers=kept(refused.headers),
            size=refused.size,
        )
