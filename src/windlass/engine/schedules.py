"""
Schedules: at the minutes that a listener names, an event of our own.

A tick is a delivery whose key names repository, schedule and moment, so it comes
once however often, and by however many servers, it is looked for. The last look is
stored. A tick that passed while no server looked is missed: it starts only the
listeners that want it, once, and in place of all that were missed with it.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from windlass.core.errors import WindlassError
from windlass.core.event import Event, Kind
from windlass.core.listener import Trigger
from windlass.engine.configurations import Configurations
from windlass.engine.found import encode
from windlass.engine.ids import Ids
from windlass.engine.world import World
from windlass.ports.records import Counter, Delivery, Repository
from windlass.ports.store import Snapshot, Tx

SOURCE = "schedule"
LOOK = "schedules looked at"
# Seconds that a tick may be old before it counts as missed: a server may start again meanwhile.
GRACE = 120.0
# Clocks go back by less than this, in any zone.
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class _Due:
    schedule: str
    tick: float
    missed: bool


class Schedules:
    """Makes the events of schedules that have come due since the last look."""

    def __init__(self, world: World, configurations: Configurations, ids: Ids) -> None:
        self._world = world
        self._configurations = configurations
        self._ids = ids
        self._begun = world.clock.now()

    async def __call__(self) -> int:
        """Look at every repository's default branch; returns how many events were made."""
        now = self._world.clock.now()
        since, repositories = await self._world.store.read(
            lambda tx: (_last_look(tx), tx.find(Repository, active=True))
        )
        since = self._begun if since is None else since
        count = 0
        for repository in repositories:
            try:
                count += await self._look(repository, since, now)
            except WindlassError:
                # Its mirror is not there yet, or its configuration is faulty: nothing is due.
                continue
        # Only now: a server that ends before this is followed by one that looks again.
        await self._world.store.transaction(lambda tx: _looked(tx, now))
        return count

    async def _look(self, repository: Repository, since: float, now: float) -> int:
        mirror = self._world.mirrors.of(repository)
        head = await mirror.objects.resolve(f"refs/heads/{repository.default_branch}")
        if head is None:
            return 0
        rules = (await self._configurations.at(mirror, head)).configuration.listeners
        triggers = [
            trigger
            for listener in rules.values()
            for trigger in listener.on
            if trigger.kind is Kind.SCHEDULE
        ]
        due = self._due(triggers, since, now)
        for one in due:
            await self._take(repository, head, one)
        return len(due)

    def _due(self, triggers: list[Trigger], since: float, now: float) -> list[_Due]:
        """The latest tick of each schedule since the last look, if somebody is to hear of it."""
        late = {one.schedule for one in triggers if one.catch_up}
        found = []
        for schedule, one in sorted({one.schedule: one for one in triggers}.items()):
            tick = last_tick(one.cron, now, one.zone)
            missed = tick < min(self._begun, now - GRACE)
            if tick > since and (not missed or schedule in late):
                found.append(_Due(schedule, tick, missed))
        return found

    async def _take(self, repository: Repository, head: str, due: _Due) -> None:
        event = Event(
            kind=Kind.SCHEDULE,
            action="due",
            repository=repository.name,
            branch=repository.default_branch,
            sha=head,
            schedule=due.schedule,
            at=due.tick,
            recovered=due.missed,
        )
        body = encode(event)
        delivery = Delivery(
            id=self._ids.new(),
            endpoint=repository.endpoint,
            delivery_key=f"{SOURCE}:{int(due.tick)}:{due.schedule}",
            repository=repository.name,
            received_at=self._world.clock.now(),
            headers={},
            body=zlib.compress(body, 1),
            digest=hashlib.sha256(body).hexdigest(),
            source=SOURCE,
        )
        await self._world.store.transaction(lambda tx: tx.add(delivery))


def _last_look(tx: Snapshot) -> float | None:
    found = tx.get(Counter, LOOK)
    return None if found is None else float(found.value)


def _looked(tx: Tx, now: float) -> None:
    """Remember a look, in whole seconds; another server may have looked later already."""
    last = _last_look(tx)
    if last is None or last < int(now):
        tx.save(Counter(name=LOOK, value=int(now)))


def last_tick(cron: str, now: float, zone: str = "") -> float:
    """
    The last time, not after `now`, that a schedule names; UTC seconds, minus infinity if never.

    A time that clocks skip comes when they have skipped it, one that they show twice
    comes the first time.

    >>> last_tick("0 3 * * *", 86400.0 + 4 * 3600) == 86400.0 + 3 * 3600
    True
    >>> last_tick("0 3 * * *", 86400.0 + 4 * 3600, "Europe/Berlin") == 86400.0 + 2 * 3600
    True
    """
    place = ZoneInfo(zone) if zone else UTC
    # What clocks have shown at most: they may have gone back since.
    shown = max(_wall(now, place), _wall(now - _DAY, place) + timedelta(seconds=_DAY))
    start = shown.replace(second=0, microsecond=0) + timedelta(minutes=1)
    ticks = croniter(cron, start.replace(tzinfo=UTC))
    try:
        while (tick := _instant(ticks.get_prev(datetime), place)) > now:
            pass
    except CroniterBadDateError:
        return float("-inf")
    return tick


def _wall(at: float, place: ZoneInfo | timezone) -> datetime:
    """What a clock there shows."""
    return datetime.fromtimestamp(at, place).replace(tzinfo=None)


def _instant(wall: datetime, place: ZoneInfo | timezone) -> float:
    """When a clock there shows this first, or, when it skips it, the end of the gap."""
    there = wall.replace(tzinfo=place, fold=0)
    early, late = there.replace(fold=1).timestamp(), there.timestamp()
    if early >= late:
        return late
    # Skipped: somewhere between the two the clock goes forward.
    before = datetime.fromtimestamp(early, place).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, place).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late
