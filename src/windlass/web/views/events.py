"""
Events with their verdicts: the list, and one with all there is to know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from windlass.core.errors import NotFound
from windlass.ports.records import (
    ChatCommand,
    Delivery,
    Refusal,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)
from windlass.ports.store import Below, Tx, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event, and how many of its listeners matched."""

    stored: StoredEvent
    matched: int
    listeners: int
    runs: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What the event is about, in one line."""
        event = self.stored.event
        return event.title or (event.message or "").partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetail:
    """One event: where it came from, what every listener said, what it started or commanded."""

    row: EventRow
    delivery: Delivery | None
    verdicts: tuple[StoredVerdict, ...]
    runs: tuple[StoredRun, ...]
    commands: tuple[ChatCommand, ...] = ()


def list_events(
    tx: Tx, *, repository: str = "", before: int | None = None, limit: int = 50
) -> tuple[EventRow, ...]:
    """Events, newest first."""
    where: dict[str, Wanted] = {}
    if repository:
        where["repository"] = repository
    if before is not None:
        where["number"] = Below(before)
    return with_verdicts(tx, tx.find(StoredEvent, order="-number", limit=limit, **where))


def with_verdicts(tx: Tx, events: Sequence[StoredEvent]) -> tuple[EventRow, ...]:
    """The same events with their verdicts counted, in one look."""
    numbers = tuple(event.number for event in events)
    verdicts: dict[int, list[StoredVerdict]] = defaultdict(list)
    if numbers:
        for verdict in tx.find(StoredVerdict, event=numbers):
            verdicts[verdict.event].append(verdict)
    return tuple(_row(event, verdicts[event.number]) for event in events)


def _row(event: StoredEvent, verdicts: Sequence[StoredVerdict]) -> EventRow:
    return EventRow(
        stored=event,
        matched=sum(verdict.matched for verdict in verdicts),
        listeners=len(verdicts),
        runs=tuple(sorted(verdict.run for verdict in verdicts if verdict.run)),
    )


def show_event(tx: Tx, number: int) -> EventDetail:
    """One event; `NotFound` when there is none."""
    stored = tx.get(StoredEvent, number)
    if stored is None:
        raise NotFound(f"There is no event {number}.", hint="windlass events list")
    verdicts = tx.find(StoredVerdict, event=number)
    return EventDetail(
        row=_row(stored, verdicts),
        delivery=tx.get(Delivery, stored.delivery),
        verdicts=tuple(sorted(verdicts, key=lambda each: (not each.matched, each.listener))),
        runs=tuple(tx.find(StoredRun, order="number", event=number)),
        commands=tuple(tx.find(ChatCommand, order="position", event=number)),
    )


def list_refusals(tx: Tx, *, limit: int = 50) -> tuple[Refusal, ...]:
    """Requests that were not accepted, newest first."""
    return tuple(tx.find(Refusal, order="-at", limit=limit))


def show_delivery(tx: Tx, identity: str) -> tuple[Delivery, tuple[StoredEvent, ...]]:
    """One delivery and its events; `NotFound` when there is none."""
    delivery = tx.get(Delivery, identity)
    if delivery is None:
        raise NotFound(f"There is no delivery {identity}.")
    return delivery, tuple(tx.find(StoredEvent, order="position", delivery=identity))


def list_deliveries(tx: Tx, *, repository: str = "", limit: int = 50) -> tuple[Delivery, ...]:
    """Deliveries, newest first."""
    where: dict[str, Wanted] = {"repository": repository} if repository else {}
    # Ids sort by time, and unlike the time itself they are indexed.
    return tuple(tx.find(Delivery, order="-id", limit=limit, **where))
