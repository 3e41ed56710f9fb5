"""
A manual listener that somebody asks for: a delivery of our own, dispatched like any other.

So it is durable before anybody is answered, every listener gives its verdict, and what
the run deploys is admitted like everything else.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace

from windlass.core.errors import Bug, Conflict
from windlass.core.event import Event
from windlass.engine.audit import audit
from windlass.engine.found import decode, encode
from windlass.ports.records import Delivery, Repository
from windlass.ports.store import Tx

SOURCE = "asked"


def delivery(repository: Repository, event: Event, key: str, identity: str, now: float) -> Delivery:
    """The row of a wish; `key` tells wishes apart, so that the same one twice is one."""
    body = encode(event)
    return Delivery(
        id=identity,
        endpoint=repository.endpoint,
        delivery_key=f"{SOURCE}:{key}",
        repository=repository.name,
        received_at=now,
        headers={},
        body=zlib.compress(body, 1),
        digest=hashlib.sha256(body).hexdigest(),
        source=SOURCE,
        due_at=now,
    )


def store(tx: Tx, wish: Delivery, *, named: bool) -> Delivery:
    """
    Store a wish; the one that there is when it was asked before with this key.

    `named` says that its commit was asked for, and not what a branch holds by now.
    Raises `Conflict` when the key belongs to another wish.
    """
    event = _event(wish)
    if tx.add(wish):
        subject = f"{wish.repository}: {event.listener}"
        audit(tx, event.sender or "", "run listener", subject, wish.received_at, wish.id)
        return wish
    found = tx.find(Delivery, endpoint=wish.endpoint, delivery_key=wish.delivery_key, limit=1)
    if not found:
        raise Bug(f"delivery id {wish.id} was given out twice")
    before = _event(found[0])
    if (event if named else replace(event, sha=before.sha)) != before:
        raise Conflict(
            "something else was asked for with this key before",
            hint=f"it is delivery {found[0].id}; a new wish needs a key of its own",
            code="key-taken",
        )
    return found[0]


def _event(wish: Delivery) -> Event:
    return decode(zlib.decompress(wish.body))
