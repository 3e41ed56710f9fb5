"""
A comment that commands something is noted with its event, to be acted on once.
"""

from __future__ import annotations

from windlass.core.chat import parse
from windlass.core.event import Event, Kind
from windlass.engine import effects
from windlass.ports.forge import MARKER
from windlass.ports.records import Delivery, StoredEvent
from windlass.ports.store import Tx

# Events of one pull request that are looked through for the same one.
MOST = 500


def ask(tx: Tx, delivery: Delivery, stored: StoredEvent, now: float) -> None:
    """
    Ask for the commands of a comment, unless it is our own or was told before.

    An edited comment is no event; one that is told again, under another id even, is known by
    who wrote what, where and when. A replay only shows again what was, so it acts never.
    """
    if commands(stored.event) and not _repeated(tx, delivery, stored):
        effects.once(tx, "chat", 0, {"event": str(stored.number)}, now)


def commands(event: Event) -> bool:
    """Whether this is a comment with commands for us."""
    body = event.body or ""
    spoken = event.kind is Kind.COMMENT and event.action == "created" and MARKER not in body
    return bool(spoken and event.number and parse(body))


def _repeated(tx: Tx, delivery: Delivery, stored: StoredEvent) -> bool:
    if stored.origin or delivery.origin:
        return True
    earlier = tx.find(
        StoredEvent,
        repository=stored.repository,
        pull_request=stored.pull_request,
        order="-number",
        limit=MOST,
    )
    return any(
        _same(one.event, stored.event)
        if stored.event.at is not None
        else _digest(tx, one) == delivery.digest
        for one in earlier
        if one.kind == Kind.COMMENT and one.number != stored.number
    )


def _same(one: Event, other: Event) -> bool:
    return (one.sender_id, one.at, one.url, one.body) == (
        *(other.sender_id, other.at),
        *(other.url, other.body),
    )


def _digest(tx: Tx, stored: StoredEvent) -> str:
    """The digest of the body that told of it; a time that is not told is in there somewhere."""
    delivery = tx.get(Delivery, stored.delivery)
    return delivery.digest if delivery else ""
