"""
A configuration before recorded events: what would start now, no longer, or otherwise.

Every event is judged by the code that judges a new one, with the changed files and the
pull requests of its time, and compared with what it really started. Nothing is written.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from windlass.core.configuration import Configuration
from windlass.core.errors import BadDelivery, NotFound, Permanent, UserError
from windlass.core.event import Kind as EventKind
from windlass.core.listener import Match, need_pull
from windlass.core.shadow import Difference, Kind, Started, compare, counted, starting
from windlass.engine import memory
from windlass.engine import situation as situations
from windlass.engine.configurations import Configurations
from windlass.engine.judge import ask, heard
from windlass.engine.wording import title
from windlass.engine.world import World
from windlass.git.mirror import Mirror
from windlass.ports.forge import Request
from windlass.ports.records import Delivery, Repository, StoredEvent, StoredVerdict
from windlass.ports.store import Below, Tx

DAY = 86_400.0
# How far back is looked when nobody says, in days.
DAYS = 14
# Events that are looked at, the newest, and for how long at most (seconds).
MOST = 10_000
WITHIN = 45.0
LATE = f"older ones were left out after {WITHIN:.0f} seconds"
# Read at one time; differences that are kept one by one, all are counted.
PART = 50
KEPT = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One difference, and the event at which it shows."""

    event: StoredEvent
    difference: Difference


@dataclass(slots=True, kw_only=True)
class Shadow:
    """
    What came of it. `since` is UTC seconds.

    `compared` events were judged, of which `unchanged` start what they did; `unknown` ones
    cannot be judged any more. `events` and `listeners` say how many and which, by kind of
    difference, `found` are the first `KEPT` of each kind, newest first. `cut` says why older
    events were left out.
    """

    repository: str
    since: float
    compared: int = 0
    unchanged: int = 0
    unknown: int = 0
    cut: str = ""
    events: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    listeners: dict[Kind, dict[str, int]] = field(
        default_factory=lambda: {kind: defaultdict(int) for kind in Kind}
    )
    found: dict[Kind, list[Found]] = field(default_factory=lambda: {kind: [] for kind in Kind})

    @property
    def differs(self) -> bool:
        """Whether any event would be answered otherwise."""
        return self.unchanged < self.compared

    def take(self, event: StoredEvent, differences: tuple[Difference, ...]) -> None:
        """One more event that was judged."""
        self.compared += 1
        self.unchanged += not differences
        for kind in {one.kind for one in differences}:
            self.events[kind] += 1
        for one in differences:
            self.listeners[one.kind][one.listener] += 1
            if len(self.found[one.kind]) < KEPT:
                self.found[one.kind].append(Found(event, one))


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An event as it is stored, its verdicts, and the body that told of it."""

    event: StoredEvent
    verdicts: tuple[StoredVerdict, ...]
    delivery: Delivery


class Replaying:
    """Puts recorded events before one configuration."""

    def __init__(
        self,
        world: World,
        configurations: Configurations,
        repository: Repository,
        candidate: Configuration,
    ) -> None:
        self._world = world
        self._configurations = configurations
        self._repository = repository
        self._candidate = candidate
        self._mirror: Mirror = world.mirrors.of(repository)
        self._started: dict[tuple[int, str], tuple[Configuration, Started]] = {}

    async def since(self, moment: float) -> Shadow:
        """All events from then on (UTC seconds), newest first."""
        done = Shadow(repository=self._repository.name, since=moment)
        until = self._world.clock.now() + WITHIN
        last = 2**62
        while True:
            part, last, at = await self._world.store.read(partial(self._part, below=last))
            for one in part:
                if one.event.at < moment:
                    return done
                if done.compared + done.unknown >= MOST:
                    done.cut = f"only the newest {MOST:,} events were looked at"
                    return done
                if self._world.clock.now() > until:
                    done.cut = LATE
                    return done
                await self._take(done, one)
            if not last or at < moment:
                return done
            if self._world.clock.now() > until:
                done.cut = LATE
                return done

    async def _take(self, done: Shadow, one: _Recorded) -> None:
        try:
            before, after = await self._before(one), await self._after(one)
        except (UserError, Permanent, BadDelivery, zlib.error):
            done.unknown += 1  # its commit is gone, perhaps
        else:
            done.take(one.event, compare(before, after))

    def _part(self, tx: Tx, *, below: int) -> tuple[list[_Recorded], int, float]:
        """Events with a number below this; number and time of the last, 0 when there is none."""
        name = self._repository.name
        events = tx.find(
            StoredEvent, repository=name, number=Below(below), order="-number", limit=PART
        )
        if not events:
            return [], 0, 0.0
        asked = [one for one in events if _counts(one)]
        if not asked:
            return [], events[-1].number, events[-1].at
        verdicts: dict[int, list[StoredVerdict]] = defaultdict(list)
        for verdict in tx.find(StoredVerdict, event=tuple(one.number for one in asked)):
            verdicts[verdict.event].append(verdict)
        identities = tuple({one.delivery for one in asked})
        deliveries = {one.id: one for one in tx.find(Delivery, id=identities)}
        found = [
            _Recorded(one, tuple(verdicts[one.number]), deliveries[one.delivery])
            for one in asked
            if one.delivery in deliveries
        ]
        return found, events[-1].number, events[-1].at

    async def _before(self, one: _Recorded) -> dict[str, Started]:
        """What really started: the listeners by their verdicts, their actions by their commit."""
        names = [said.listener for said in one.verdicts if said.matched and not said.shadow]
        if not names:
            return {}
        try:
            rules = await self._configurations.at(self._mirror, one.event.configuration)
        except NotFound:
            return dict.fromkeys(names, Started("what it did then", None))
        return {name: self._starting(rules.configuration, name) for name in names}

    async def _after(self, one: _Recorded) -> dict[str, Started]:
        """What the candidate would start, judged as dispatch judges."""
        stored, listeners = one.event, self._candidate.listeners
        pull = 0
        if need_pull(listeners, stored.event):
            pull = await self._world.store.read(lambda tx: memory.open_pull_then(tx, stored))
        request = Request(
            headers=one.delivery.headers, body=zlib.decompress(one.delivery.body), at=stored.at
        )
        active = all(said.condition != "repository" for said in one.verdicts)
        question = ask(listeners, stored.event, request, active=active, pull=pull)
        files = await self._files(stored) if question.wants_files else None
        return {
            name: self._starting(self._candidate, name)
            # On a thread: a configuration that takes its time takes nobody else's.
            for name, said in (await asyncio.to_thread(question.answer, files)).items()
            if isinstance(said, Match) and not listeners[name].shadow
        }

    async def _files(self, stored: StoredEvent) -> tuple[str, ...]:
        return await situations.changed(
            self._repository, stored.event, self._mirror, tip=stored.configuration
        )

    def _starting(self, configuration: Configuration, name: str) -> Started:
        key = (id(configuration), name)
        if key not in self._started:
            listener = configuration.listeners.get(name)
            said = (
                starting(listener, configuration) if listener else Started("what it did then", None)
            )
            # The configuration is kept with it, so that its id stays its own.
            self._started[key] = (configuration, said)
        return self._started[key][1]


def _counts(stored: StoredEvent) -> bool:
    """Whether listeners were asked about it, and it repeats nothing."""
    return heard(stored.event) and stored.event.kind is not EventKind.MANUAL and not stored.origin


def summary(done: Shadow, days: int = DAYS) -> str:
    """The whole in one line, for a status."""
    if not done.compared:
        return f"there is no event of the last {days} days to compare with"
    told = [
        f"{done.events[kind]} would {words} {counted(done.listeners[kind])}"
        for kind, words in _WORDS.items()
        if done.events[kind]
    ]
    if not told:
        return f"{_events(done.compared)} of the last {days} days would start what they did"
    first, _, rest = told[0].partition(" ")
    told[0] = f"{_events(int(first))} of the last {days} days {rest}"
    return "; ".join(told)


def details(done: Shadow, most: int) -> tuple[str, ...]:
    """The first differences one by one, and what was left out."""
    each = [one for kind in Kind for one in done.found[kind]]
    told = [
        f"{one.difference.listener}: {_told(one.difference)} on event {one.event.number}"
        f" ({title(one.event.event)})"
        for one in each[:most]
    ]
    count = sum(sum(names.values()) for names in done.listeners.values())
    if count > most:
        told.append(f"and {count - most:,} more: windlass listeners shadow shows them")
    if done.unknown:
        told.append(f"{_events(done.unknown)} cannot be judged any more")
    return (*told, *((done.cut,) if done.cut else ()))


def _told(one: Difference) -> str:
    match one.kind:
        case Kind.STARTS:
            return f"would now start {one.after}"
        case Kind.STOPS:
            return f"would no longer start {one.before}"
        case Kind.CHANGES:
            return f"would start {one.after} in place of {one.before}"


_WORDS: Mapping[Kind, str] = {
    Kind.STARTS: "now start",
    Kind.STOPS: "no longer start",
    Kind.CHANGES: "start something else by",
}


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
