"""
Schedules: at the minutes that a listener names, an event of our own.

A tick is a delivery whose key names repository, schedule and minute, so it comes
once however often it is looked for. Times are UTC. Ticks that passed while the
server was down are not made up for.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime

from croniter import croniter

from windlass.core.errors import WindlassError
from windlass.core.event import Event, Kind
from windlass.engine.configurations import Configurations
from windlass.engine.ids import Ids
from windlass.engine.recover import encode
from windlass.engine.world import World
from windlass.ports.records import Delivery, Repository

SOURCE = "schedule"


class Schedules:
    """Makes the events of schedules that have come due since the last look."""

    def __init__(self, world: World, configurations: Configurations, ids: Ids) -> None:
        self._world = world
        self._configurations = configurations
        self._ids = ids
        self._looked = world.clock.now()

    async def __call__(self) -> int:
        """Look at every repository's default branch; returns how many events were made."""
        since, now = self._looked, self._world.clock.now()
        repositories = await self._world.store.read(lambda tx: tx.find(Repository, active=True))
        count = 0
        for repository in repositories:
            try:
                count += await self._look(repository, since, now)
            except WindlassError:
                # Its mirror is not there yet, or its configuration is faulty: nothing is due.
                continue
        self._looked = now
        return count

    async def _look(self, repository: Repository, since: float, now: float) -> int:
        mirror = self._world.mirrors.of(repository)
        head = await mirror.objects.resolve(f"refs/heads/{repository.default_branch}")
        if head is None:
            return 0
        rules = (await self._configurations.at(mirror, head)).configuration.listeners
        crons = {
            trigger.cron
            for listener in rules.values()
            for trigger in listener.on
            if trigger.kind is Kind.SCHEDULE
        }
        due = [(cron, tick) for cron in sorted(crons) if (tick := last_tick(cron, now)) > since]
        for cron, tick in due:
            await self._take(repository, head, cron, tick)
        return len(due)

    async def _take(self, repository: Repository, head: str, cron: str, tick: float) -> None:
        event = Event(
            kind=Kind.SCHEDULE,
            action="due",
            repository=repository.name,
            branch=repository.default_branch,
            sha=head,
            schedule=cron,
            at=tick,
        )
        body = encode(event)
        delivery = Delivery(
            id=self._ids.new(),
            endpoint=repository.endpoint,
            delivery_key=f"{SOURCE}:{int(tick)}:{cron}",
            repository=repository.name,
            received_at=self._world.clock.now(),
            headers={},
            body=zlib.compress(body, 1),
            digest=hashlib.sha256(body).hexdigest(),
            source=SOURCE,
        )
        await self._world.store.transaction(lambda tx: tx.add(delivery))


def last_tick(cron: str, now: float) -> float:
    """
    The last time, not after `now`, that a schedule names; both UTC seconds.

    >>> last_tick("0 3 * * *", 86400.0 + 4 * 3600) == 86400.0 + 3 * 3600
    True
    """
    # The last second of the minute before `now` must not hide the minute itself.
    start = datetime.fromtimestamp(now, UTC)
    tick: float = croniter(cron, start).get_prev(float)
    exact = start.replace(second=0, microsecond=0)
    return exact.timestamp() if croniter.match(cron, exact) else tick
