"""
Replay: deliveries once more, one by one, a range of events, or all that failed.

Who asks makes a token; the same wish with the same token is one replay. What is
replayed is always the first original, so a replay of a replay is one of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from windlass.core.errors import Conflict, NotFound, UserError
from windlass.core.event import Kind
from windlass.engine import byhand, replays
from windlass.engine.audit import audit
from windlass.engine.requests.asked import Asked
from windlass.engine.wishes import BY_HAND
from windlass.ports.records import Delivery, StoredEvent
from windlass.ports.store import Above, Tx, Wanted

# In one wish; what is more has to be asked for again.
MOST = 500
# Looked through at one time.
PART = 100
TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """
    What somebody wants once more: named events and deliveries, or all that fit the rest.

    `first` and `last` are numbers of events, 0 where it has no end; `since` is UTC seconds.
    `failed` are deliveries that could not be handled, which have no event.
    """

    token: str
    events: tuple[int, ...] = ()
    deliveries: tuple[str, ...] = ()
    first: int = 0
    last: int = 0
    since: float = 0.0
    failed: bool = False
    repository: str = ""
    deploys: bool = False

    @property
    def named(self) -> bool:
        """Whether it says one by one what it wants."""
        return bool(self.events or self.deliveries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A delivery to replay, and the events that it became first, by their numbers."""

    original: Delivery
    events: tuple[int, ...] = ()

    @property
    def event(self) -> int:
        """The first of them; 0 when it never became one."""
        return self.events[0] if self.events else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """An original and its replay; `fresh` says that it was not asked for before."""

    chosen: Chosen
    delivery: Delivery
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a wish is about, oldest first; events `left_out` of its range came by no webhook."""

    chosen: tuple[Chosen, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """All replays of a wish, oldest first, and how many events of its range were `left_out`."""

    replayed: tuple[Replayed, ...]
    left_out: int = 0


class ReplayRequests(Asked):
    """What may be asked of what came in."""

    async def to_replay(self, wanted: Replay) -> Choice:
        """What `replay` would repeat; nothing is done."""
        return await self._world.store.read(lambda tx: choose(tx, wanted))

    async def replay(self, wanted: Replay, *, by: str) -> Done:
        """Repeat it, oldest first, at most `MOST` at once; each replay is a delivery of its own."""
        if not TOKEN.fullmatch(wanted.token):
            raise UserError("the token of a replay is 8 to 64 letters, digits, `-` and `_`")
        found = await self.to_replay(wanted)
        now = self._now()
        made = [(one, self._again(one, wanted, now)) for one in found.chosen]

        def work(tx: Tx) -> Done:
            done = tuple(_add(tx, one, delivery, by) for one, delivery in made)
            return Done(replayed=done, left_out=found.left_out)

        return await self._world.store.transaction(work)

    def _again(self, one: Chosen, wanted: Replay, now: float) -> Delivery:
        return replays.again(
            one.original, wanted.token, self._ids.new(), now, deploys=wanted.deploys
        )


def _add(tx: Tx, one: Chosen, delivery: Delivery, by: str) -> Replayed:
    if not tx.add(delivery):
        same = tx.find(
            Delivery, endpoint=delivery.endpoint, delivery_key=delivery.delivery_key, limit=1
        )
        return Replayed(chosen=one, delivery=same[0], fresh=False)
    subject = f"event {one.event}" if one.event else f"delivery {one.original.id}"
    how = "with" if delivery.deploys else "without"
    audit(tx, by, "replay", subject, delivery.received_at, f"{how} deployments: {delivery.id}")
    return Replayed(chosen=one, delivery=delivery, fresh=True)


def choose(tx: Tx, wanted: Replay) -> Choice:
    """The originals that a wish is about, each once, oldest first. Raises `UserError`."""
    bulk = wanted.first or wanted.last or wanted.since or wanted.failed
    if wanted.named and (bulk or wanted.repository):
        raise UserError("name events, or say which range of them, not both")
    if not wanted.named and not bulk:
        raise UserError(
            "say what to replay", hint="an event's number, --from and --to, --since or --failed"
        )
    if wanted.failed and (wanted.first or wanted.last):
        raise UserError(
            "deliveries that failed have no event's number", hint="narrow them with --since"
        )
    left_out = 0
    if wanted.named:
        originals = list(_named(tx, wanted))
    elif wanted.failed:
        originals = list(_failed(tx, wanted))
    else:
        originals, left_out = _ranged(tx, wanted)
    each = sorted({one.id: one for one in originals}.values(), key=lambda one: one.id)[:MOST]
    first = _first_events(tx, tuple(one.id for one in each))
    chosen = tuple(Chosen(original=one, events=first.get(one.id, ())) for one in each)
    return Choice(chosen=chosen, left_out=left_out)


def _named(tx: Tx, wanted: Replay) -> Iterator[Delivery]:
    identities = list(wanted.deliveries)
    for number in wanted.events:
        event = tx.get(StoredEvent, number)
        if event is None:
            raise NotFound(f"there is no event {number}", hint="windlass events list")
        identities.append(event.delivery)
    for identity in identities:
        found = tx.get(Delivery, identity)
        if found is None:
            raise NotFound(f"there is no delivery {identity}", hint="windlass events deliveries")
        original = replays.root(tx, found)
        if original.source in {BY_HAND, byhand.SOURCE}:
            raise Conflict(
                "what a person asked for came by no webhook, and cannot be replayed",
                hint="windlass runs rerun RUN does it again",
            )
        if original.state == "received":
            raise Conflict(
                f"delivery {original.id} still waits for its first end",
                hint=f"its next try comes by itself{_why(original)}",
            )
        yield original


def _why(delivery: Delivery) -> str:
    return f"; the last one ended so: {delivery.reason}" if delivery.reason else ""


def _failed(tx: Tx, wanted: Replay) -> Iterator[Delivery]:
    """Originals whose last try failed, and those that this very wish repeats already."""
    where = _where(wanted, "received_at")
    where["state"] = "failed"
    seen: set[str] = set()
    last = ""
    while part := tx.find(Delivery, order="id", limit=PART, **{**where, "id": Above(last)}):
        last = part[-1].id
        for original in (replays.root(tx, one) for one in part):
            tries = tx.find(Delivery, origin=original.id, order="id")
            asked = {each.delivery_key for each in tries}
            mine = replays.key(original.id, wanted.token) in asked
            if original.id not in seen and (mine or (tries or [original])[-1].state == "failed"):
                seen.add(original.id)
                yield original
        if len(seen) >= MOST:
            return


def _ranged(tx: Tx, wanted: Replay) -> tuple[list[Delivery], int]:
    """
    Deliveries of events in a range, as many as go at once, without those that are repeats.

    And how many manual events are among them: no webhook brought one, so none is replayed.
    """
    found: dict[str, Delivery] = {}
    manual = 0
    for event in _within(tx, wanted):
        if len(found) >= MOST:
            break
        if event.kind == Kind.MANUAL:
            manual += 1
        elif not event.origin and event.delivery not in found:
            delivery = tx.get(Delivery, event.delivery)
            if delivery is not None:
                found[delivery.id] = replays.root(tx, delivery)
    return list(found.values()), manual


def _within(tx: Tx, wanted: Replay) -> Iterator[StoredEvent]:
    """The events of a range, oldest first."""
    where = _where(wanted, "at")
    last = max(wanted.first, 1) - 1
    while part := tx.find(
        StoredEvent, order="number", limit=PART, **{**where, "number": Above(last)}
    ):
        for event in part:
            if wanted.last and event.number > wanted.last:
                return
            last = event.number
            yield event


def _where(wanted: Replay, moment: str) -> dict[str, Wanted]:
    where: dict[str, Wanted] = {"repository": wanted.repository} if wanted.repository else {}
    if wanted.since:
        where[moment] = Above(wanted.since)
    return where


def _first_events(tx: Tx, deliveries: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    if not deliveries:
        return {}
    first: dict[str, tuple[int, ...]] = {}
    for event in tx.find(StoredEvent, delivery=deliveries, order="number"):
        first[event.delivery] = (*first.get(event.delivery, ()), event.number)
    return first
