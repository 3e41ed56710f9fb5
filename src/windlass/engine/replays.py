"""
A delivery once more: the row of a replay, and what it goes back to.

A replay is a delivery of its own with the body and the headers of the first original,
read as that one was. It starts anew and overwrites nothing: what it repeats was told
before, so it does not move heads, and it counts in the order of its original.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.errors import Conflict
from windlass.core.pipeline import JobKind
from windlass.core.run import JobRun, State
from windlass.ports.records import Delivery, StoredEvent
from windlass.ports.store import Below, Tx

SOURCE = "replay"
UNDEPLOYED = "replayed without deployments"


def key(original: str, token: str) -> str:
    """The delivery key of a replay: the same wish twice is one."""
    return f"{SOURCE}:{original}:{token}"


def again(original: Delivery, token: str, identity: str, now: float, *, deploys: bool) -> Delivery:
    """The row that repeats an original at `now`, under an id of its own."""
    return replace(
        original,
        id=identity,
        delivery_key=key(original.id, token),
        received_at=now,
        source=SOURCE,
        state="received",
        reason="",
        attempts=0,
        due_at=now,
        origin=original.id,
        deploys=deploys,
        took=0.0,
    )


def root(tx: Tx, delivery: Delivery) -> Delivery:
    """The first original: of a replay what it repeats, otherwise the delivery itself."""
    if not delivery.origin:
        return delivery
    found = tx.get(Delivery, delivery.origin)
    if found is None:
        raise Conflict(f"the delivery {delivery.origin} that it repeats is gone")
    return found


def happened(tx: Tx, stored: StoredEvent) -> float:
    """When what an event tells of came first (UTC seconds): of a replay, its original."""
    delivery = tx.get(Delivery, stored.delivery)
    if delivery is None or not delivery.origin:
        return stored.at
    first = tx.get(Delivery, delivery.origin)
    return first.received_at if first else stored.at


def mended(tx: Tx, failed: Delivery) -> bool:
    """Whether a try after this one, or the first, has not failed, or may still not."""
    original = failed.origin or failed.id
    tries = tx.find(Delivery, origin=original, order="id")
    return any(one.state != "failed" for one in tries if one.id > failed.id or not failed.origin)


def repeated(tx: Tx, delivery: Delivery, position: int) -> int:
    """The number of the first event that a replay's event repeats; 0 when it is the first."""
    if not delivery.origin:
        return 0
    same = (delivery.origin, *(one.id for one in tx.find(Delivery, origin=delivery.origin)))
    first = tx.find(StoredEvent, delivery=same, position=position, order="number", limit=1)
    return first[0].number if first else 0


def order(tx: Tx, number: int) -> int:
    """The event in whose place this one counts when the later of two wins."""
    stored = tx.get(StoredEvent, number)
    if stored is None:
        return number
    if stored.origin:
        return stored.origin
    came = happened(tx, stored)
    if came >= stored.at:
        return number
    # Its original never became an event: it counts as the last one before that came.
    before = tx.find(
        StoredEvent, repository=stored.repository, at=Below(came), order="-number", limit=1
    )
    return before[0].number if before else 0


def undeployed(job: JobRun) -> JobRun:
    """The job of a run that shall deploy nothing; what follows a deploy is skipped with it."""
    if job.job.kind is not JobKind.DEPLOY or job.state is not State.PENDING:
        return job
    return replace(job, state=State.SKIPPED, reason=UNDEPLOYED)
