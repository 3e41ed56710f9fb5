"""
What becomes of listeners that are run by hand, or tried, without an engine.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.errors import InputError, NotFound
from windlass.core.event import Event, Kind
from windlass.core.parameters import given
from windlass.core.shadow import Difference
from windlass.core.shadow import Kind as Change
from windlass.engine import byhand
from windlass.engine.requests.listeners import ByHand, Listing
from windlass.engine.requests.shadow import one_repository
from windlass.engine.shadow import Shadow
from windlass.ports.records import Delivery, StoredEvent, StoredVerdict
from windlass.ports.store import Tx
from windlass.testing.fakes.memory import MemoryStore

# The run of the sample that it pretends to have started.
RUN = 1


def asked_by_hand(store: MemoryStore, listing: Listing, wanted: ByHand, by: str) -> Delivery:
    """A delivery that has become an event already, on which the listener has started `RUN`."""
    named = {one.name: one for one in listing.listeners}
    if wanted.listener not in named:
        raise NotFound(f"there is no listener {wanted.listener}")
    inputs, wrong = given(named[wanted.listener].inputs, wanted.inputs, listing.environments)
    if wrong:
        raise InputError(wrong)
    event = Event(
        kind=Kind.MANUAL,
        action="asked",
        repository=wanted.repository,
        sender=by,
        title=wanted.listener,
        listener=wanted.listener,
        inputs=inputs,
    )

    def work(tx: Tx) -> Delivery:
        key = wanted.key or str(tx.next("asked"))
        wish = byhand.delivery(listing.repository, event, key, f"asked-{key}", 0.0)
        wish = replace(wish, state="done", reason="1 run")
        if tx.add(wish):
            _became(tx, wish, event)
        return wish

    return store.fill(work)


def _became(tx: Tx, wish: Delivery, event: Event) -> None:
    number = tx.next("event")
    stored = StoredEvent(
        number=number,
        delivery=wish.id,
        position=0,
        repository=event.repository,
        kind=event.kind,
        action=event.action,
        sha="",
        branch="",
        pull_request=0,
        at=wish.received_at,
        event=event,
        matched=1,
    )
    tx.add(stored)
    tx.add(StoredVerdict(event=number, listener=event.listener or "", matched=True, run=RUN))


async def shadowed(store: MemoryStore, repository: str, since: float) -> Shadow:
    """All events of it would start one listener, `new`."""
    found = await store.read(lambda tx: one_repository(tx, repository))
    events = await store.read(
        lambda tx: tx.find(StoredEvent, repository=found.name, order="-number")
    )
    done = Shadow(repository=found.name, since=since)
    for event in events:
        done.take(event, (Difference(Change.STARTS, "new", after="pipeline ci"),))
    return done
