"""
Receive: a verified webhook becomes one stored row.

The row is durable before anyone is answered. The same delivery again is the same
row, whoever asks and however often; the same id with another body is refused and
written into the audit. Of the headers only those on a list are kept, for some
forges have put secrets into others.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from windlass.core.errors import Bug, Conflict, Transient
from windlass.engine.ids import Ids
from windlass.ports.records import Audit, Delivery
from windlass.ports.store import Store, Tx
from windlass.ports.target import Clock

KEPT = frozenset(
    {
        "content-type",
        "user-agent",
        "x-github-event",
        "x-github-delivery",
        "x-github-hook-id",
        "x-github-hook-installation-target-id",
        "x-github-hook-installation-target-type",
        "x-github-enterprise-host",
        "x-github-enterprise-version",
        "x-gitlab-event",
        "x-gitlab-event-uuid",
        "x-gitlab-webhook-uuid",
        "x-gitlab-instance",
        "idempotency-key",
        "webhook-id",
        "webhook-timestamp",
        "x-gitea-event",
        "x-gitea-event-type",
        "x-gitea-delivery",
        "x-forgejo-event",
        "x-forgejo-event-type",
        "x-forgejo-delivery",
        "x-gogs-event",
        "x-gogs-event-type",
        "x-gogs-delivery",
        "x-event-key",
        "x-event-time",
        "x-hook-uuid",
        "x-request-uuid",
        "x-request-id",
        "x-attempt-number",
        "x-vss-activityid",
        "x-vss-subscriptionid",
        "x-windlass-event",
        "x-windlass-delivery",
        "ce-id",
        "ce-type",
        "ce-source",
        "ce-specversion",
        "ce-time",
    }
)
LONGEST_VALUE = 512
LONGEST_KEY = 200
LARGE = 256 * 1024  # bytes; what would hold up everybody else is done on a thread
BUSY = 16  # arrivals at one time, above which the rest of the server holds back


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One that waits to be stored, since when its request is under way, and who waits for it."""

    delivery: Delivery
    began: float | None
    future: asyncio.Future[Delivery]

    def timed(self, now: float) -> Delivery:
        """The delivery with the time that its request has taken."""
        if self.began is None:
            return self.delivery
        return replace(self.delivery, took=round((now - self.began) * 1000, 3))


Group = list[_Waiting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """
    A verified request. `headers` in lower case, `at` UTC seconds.

    `body` is what is stored and `digest` the SHA-256 (hex) of what came; they belong
    together unless `note` says what had to be replaced. A ping is stored as done. `began` is
    when its request began, by `time.perf_counter`; None where there was no request.
    """

    endpoint: str
    repository: str
    key: str
    headers: Mapping[str, str]
    body: bytes
    digest: str
    at: float
    note: str = ""
    ping: bool = False
    source: str = "webhook"
    began: float | None = None


class Receive:
    """Stores arrivals."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """`ids` are the ids of deliveries."""
        self._store = store
        self._clock = clock
        self._ids = ids
        self._waiting: Group = []
        self._storing: asyncio.Task[None] | None = None
        self._under_way = 0
        self._calm = asyncio.Event()
        self._calm.set()

    async def __call__(self, arrival: Arrival) -> str:
        """
        The id of the delivery that holds this arrival; returns after the disk has it.

        `Conflict` when its key is taken by another body, `Transient` when it could not be stored.
        """
        self._under_way += 1
        if self._under_way > BUSY:
            self._calm.clear()
        try:
            return await self._stored(arrival)
        finally:
            self._under_way -= 1
            if self._under_way <= BUSY:
                self._calm.set()

    async def quiet(self, most: float) -> None:
        """
        Wait until no burst of arrivals is under way, at most `most` seconds.

        Who has work of his own to do asks this first, so that forges are answered first.
        """
        if not self._calm.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._calm.wait(), most)

    async def _stored(self, arrival: Arrival) -> str:
        if len(arrival.body) < LARGE:
            packed = zlib.compress(arrival.body, 1)
        else:
            packed = await asyncio.to_thread(zlib.compress, arrival.body, 1)
        delivery = self._delivery(arrival, packed)
        future: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(delivery, arrival.began, future))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_waiting())
        stored = await future
        if stored.digest != delivery.digest:
            raise Conflict(
                f"delivery {stored.delivery_key} came before with another body",
                hint=f"the first one is {stored.id}; nothing of this one was kept",
                code="delivery-differs",
            )
        return stored.id

    async def _store_waiting(self) -> None:
        """Store all that came while the last transaction was under way, until nothing comes."""
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                stored = await self._store.transaction(partial(self._add, group))
            except BaseException as failure:  # nobody of the group may wait for ever
                for one in group:
                    if not one.future.done():
                        one.future.set_exception(_copy(failure))
                if not isinstance(failure, Exception):
                    raise
            else:
                for one, delivery in zip(group, stored, strict=True):
                    if not one.future.done():
                        one.future.set_result(delivery)

    def _add(self, group: Group, tx: Tx) -> list[Delivery]:
        now = time.perf_counter()  # all that is left is the commit
        timed = [one.timed(now) for one in group]
        added = tx.add_all(timed)
        return [
            delivery if new else self._known(tx, delivery)
            for delivery, new in zip(timed, added, strict=True)
        ]

    def _delivery(self, arrival: Arrival, packed: bytes) -> Delivery:
        key = arrival.key
        if len(key) > LONGEST_KEY:
            key = "sha256:" + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return Delivery(
            id=self._ids.new(),
            endpoint=arrival.endpoint,
            delivery_key=key,
            repository=arrival.repository,
            received_at=arrival.at,
            headers=kept(arrival.headers),
            body=packed,
            digest=arrival.digest,
            source=arrival.source,
            state="done" if arrival.ping else "received",
            reason="ping" if arrival.ping else arrival.note,
            due_at=arrival.at,
        )

    def _known(self, tx: Tx, delivery: Delivery) -> Delivery:
        """The delivery that has this key already; another body is put on record."""
        found = tx.find(Delivery, endpoint=delivery.endpoint, delivery_key=delivery.delivery_key)
        if not found:
            raise Bug(f"delivery id {delivery.id} was given out twice")
        if found[0].digest != delivery.digest:
            audit = Audit(
                number=tx.next("audit"),
                at=self._clock.now(),
                actor="",
                what="delivery-differs",
                subject=f"{delivery.repository}: {found[0].id}",
                detail=f"{delivery.delivery_key} came again with body {delivery.digest}",
            )
            tx.add(audit)
        return found[0]


def _copy(failure: BaseException) -> BaseException:
    """The failure for one of several who wait, each with a trace of its own."""
    match failure:
        case Transient():
            return Transient(str(failure), retry_after=failure.retry_after)
        case asyncio.CancelledError():
            return Transient("the server stops")
        case _:
            return Bug(f"deliveries could not be stored: {failure}")


def kept(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that may be stored, each cut to a sane length."""
    return {
        name: value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE]
        for name, value in headers.items()
        if name in KEPT
    }
