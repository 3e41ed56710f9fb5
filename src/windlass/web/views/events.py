"""
Events with their verdicts: the list, and one with all there is to know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from windlass.core.errors import NotFound
from windlass.engine import replays
from windlass.ports.records import (
    ChatCommand,
    ConfigurationCheck,
    Delivery,
    Refusal,
    Repository,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)
from windlass.ports.store import Below, Tx, Wanted

# Where a delivery can be.
STATES = ("received", "done", "ignored", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event, how many of its listeners matched, and how many did so only in `shadow`."""

    stored: StoredEvent
    matched: int
    listeners: int
    shadow: int = 0
    runs: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What the event is about, in one line."""
        event = self.stored.event
        return event.title or (event.message or "").partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetail:
    """
    One event: where it came from, what every listener said, what it started or commanded.

    `replays` are the events that repeat it, `check` what the configuration of its pull request
    would do.
    """

    row: EventRow
    delivery: Delivery | None
    verdicts: tuple[StoredVerdict, ...]
    runs: tuple[StoredRun, ...]
    commands: tuple[ChatCommand, ...] = ()
    replays: tuple[int, ...] = ()
    check: ConfigurationCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One delivery: what it meant, whose it is, and which deliveries repeat it."""

    delivery: Delivery
    events: tuple[StoredEvent, ...]
    repository: Repository | None
    replays: tuple[Delivery, ...]


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
        matched=sum(one.matched and not one.shadow for one in verdicts),
        shadow=sum(one.matched and one.shadow for one in verdicts),
        listeners=len(verdicts),
        runs=tuple(sorted(verdict.run for verdict in verdicts if verdict.run)),
    )


def show_event(tx: Tx, number: int) -> EventDetail:
    """One event; `NotFound` when there is none."""
    stored = tx.get(StoredEvent, number)
    if stored is None:
        raise NotFound(f"there is no event {number}", hint="windlass events list")
    verdicts = tx.find(StoredVerdict, event=number)
    return EventDetail(
        row=_row(stored, verdicts),
        delivery=tx.get(Delivery, stored.delivery),
        verdicts=tuple(sorted(verdicts, key=lambda each: (not each.matched, each.listener))),
        runs=tuple(tx.find(StoredRun, order="number", event=number)),
        commands=tuple(tx.find(ChatCommand, order="position", event=number)),
        replays=_replays(tx, stored),
        check=tx.get(ConfigurationCheck, number),
    )


def _replays(tx: Tx, stored: StoredEvent) -> tuple[int, ...]:
    """The events that repeat this one."""
    delivery = tx.get(Delivery, stored.delivery)
    original = delivery.origin or delivery.id if delivery else stored.delivery
    again = tuple(one.id for one in tx.find(Delivery, origin=original, order="id"))
    if not again:
        return ()
    events = tx.find(StoredEvent, delivery=again, order="number")
    return tuple(one.number for one in events if one.origin == stored.number)


def list_refusals(tx: Tx, *, repository: str = "", limit: int = 50) -> tuple[Refusal, ...]:
    """Requests that were not accepted, newest first."""
    where: dict[str, Wanted] = {"repository": repository} if repository else {}
    return tuple(tx.find(Refusal, order="-at", limit=limit, **where))


def show_delivery(tx: Tx, identity: str) -> DeliveryView:
    """One delivery and what belongs to it; `NotFound` when there is none."""
    delivery = tx.get(Delivery, identity)
    if delivery is None:
        raise NotFound(f"there is no delivery {identity}", hint="windlass events deliveries")
    return DeliveryView(
        delivery=delivery,
        events=tuple(tx.find(StoredEvent, order="position", delivery=identity)),
        repository=tx.get(Repository, delivery.repository),
        replays=tuple(tx.find(Delivery, origin=identity, order="id")),
    )


def list_unhandled(tx: Tx, *, repository: str = "", limit: int = 50) -> tuple[Delivery, ...]:
    """Of the deliveries that failed last those that no later try has mended, newest first."""
    failed = list_deliveries(tx, repository=repository, state="failed", limit=4 * limit)
    return tuple(one for one in failed if not replays.mended(tx, one))[:limit]


def list_deliveries(
    tx: Tx, *, repository: str = "", state: str = "", limit: int = 50
) -> tuple[Delivery, ...]:
    """Deliveries, newest first; `state` is one state, or several with commas between."""
    where: dict[str, Wanted] = {"repository": repository} if repository else {}
    if state:
        where["state"] = tuple(state.split(","))
    # Ids sort by time, and unlike the time itself they are indexed.
    return tuple(tx.find(Delivery, order="-id", limit=limit, **where))
