"""
What every kind of request shares: the world, who asked, and a line in the audit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from windlass.core.errors import NotFound
from windlass.core.event import Event, Kind
from windlass.engine.configurations import Configurations
from windlass.engine.world import Forge, World
from windlass.ports.records import Audit, Delivery, Repository, StoredEvent, StoredRun
from windlass.ports.store import Tx

# What a request of a person is stored under, in place of a webhook's endpoint.
BY_HAND = "manual"


class Asked:
    """The ground that requests stand on."""

    def __init__(
        self,
        world: World,
        configurations: Configurations,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called when a repository or one of its secrets has changed."""
        self._world = world
        self._configurations = configurations
        self._changed = changed

    async def _repository(self, name: str) -> Repository:
        found = await self._world.store.read(lambda tx: tx.get(Repository, name))
        if found is None:
            raise NotFound(
                f"there is no repository {name}", hint="windlass repo list shows what is connected"
            )
        return found

    def _forge(self, repository: Repository) -> Forge:
        return self._world.forges[repository.forge]

    def _now(self) -> float:
        return self._world.clock.now()


def audit(tx: Tx, by: str, what: str, subject: str, at: float, detail: str = "") -> None:
    """Who did what, in the transaction that does it."""
    tx.add(
        Audit(number=tx.next("audit"), at=at, actor=by, what=what, subject=subject, detail=detail)
    )


def manual_event(tx: Tx, event: Event, configuration: str, at: float) -> StoredEvent:
    """A person's wish as an event of its own, so that its run can be explained like any other."""
    delivery = Delivery(
        id=f"manual-{secrets.token_hex(8)}",
        endpoint=BY_HAND,
        delivery_key=secrets.token_hex(16),
        repository=event.repository,
        received_at=at,
        headers={},
        body=b"",
        digest="",
        source=BY_HAND,
        state="done",
    )
    tx.add(delivery)
    stored = StoredEvent(
        number=tx.next("event"),
        delivery=delivery.id,
        position=0,
        repository=event.repository,
        kind=Kind.MANUAL,
        action="asked",
        sha=event.sha or "",
        branch=event.branch or "",
        pull_request=event.number or 0,
        at=at,
        event=event,
        configuration=configuration,
        matched=1,
    )
    tx.add(stored)
    return stored


def reload(tx: Tx, number: int) -> StoredRun:
    """A run as it is now; NotFound when there is none."""
    found = tx.get(StoredRun, number)
    if found is None:
        raise NotFound(f"there is no run {number}", hint="windlass runs list shows the last ones")
    return found
