"""A schedule that comes due is an event, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from harness import stage

from windlass.core.event import Kind
from windlass.engine.configurations import Configurations
from windlass.engine.ids import Ids
from windlass.engine.schedules import Schedules, last_tick
from windlass.ports.records import StoredEvent, StoredRun

CONFIGURATION = """\
listeners:
  nightly: {on: {schedule: "0 3 * * *"}, do: [{pipeline: ci}]}
  hourly: {on: {schedule: "0 * * * *"}, do: [{pipeline: ci}]}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
"""
HOUR = 3600.0


def test_what_comes_due_is_one_event_and_one_run(tmp_path):
    """Of the ticks since the last look the newest counts, however many look at once."""

    async def whole():
        async with stage(tmp_path, {".windlass.yaml": CONFIGURATION}) as here:
            await here.world.mirrors.of(here.repository).fetch()
            ids = Ids(here.clock.now)
            timers = [Schedules(here.world, Configurations(), ids) for _ in range(4)]

            async def look():
                await asyncio.gather(*(one() for one in timers))

            # Twice past three o'clock at night, and to half past an hour.
            here.clock.go_on(48 * HOUR + (0.5 * HOUR - here.clock.now()) % HOUR)
            await look()
            await here.settle()
            here.clock.go_on(0.1 * HOUR)
            await look()
            await here.settle()
            events = await here.world.store.read(lambda tx: tx.find(StoredEvent))
            assert {one.kind for one in events} == {Kind.SCHEDULE}
            assert sorted(one.event.schedule for one in events) == ["0 * * * *", "0 3 * * *"]
            runs = await here.world.store.read(lambda tx: tx.find(StoredRun))
            assert sorted((run.listener, run.state) for run in runs) == [
                ("hourly", "succeeded"),
                ("nightly", "succeeded"),
            ]

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_the_minute_itself_is_due(tmp_path):
    """Not only the moment after it."""
    assert last_tick("*/5 * * * *", 600.0) == 600.0
    assert last_tick("*/5 * * * *", 659.0) == 600.0
    assert last_tick("*/5 * * * *", 899.9) == 600.0


LOST = """\
listeners:
  lost: {on: {schedule: "0 * * * *"}, do: [{pipeline: ci}]}
  kept: {on: {schedule: {cron: "0 * * * *", missed: run}}, do: [{pipeline: ci}]}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
"""


def test_what_was_missed_is_made_up_for_once_where_it_is_wanted(tmp_path, monkeypatch):
    """Ticks of a server that was down: one run of the latest, by `missed: run` alone."""
    # The stage's own server does not look.
    monkeypatch.setattr("windlass.engine.watch.SCHEDULES", 1e12)

    async def whole():
        async with stage(tmp_path, {".windlass.yaml": LOST}) as here:
            await here.world.mirrors.of(here.repository).fetch()

            def server():
                return Schedules(here.world, Configurations(), Ids(here.clock.now))

            here.clock.go_on((0.5 * HOUR - here.clock.now()) % HOUR)
            await server()()
            here.clock.go_on(5 * HOUR)
            one, other = server(), server()
            await asyncio.gather(one(), other())
            await server()()
            await here.settle()
            runs = await here.world.store.read(lambda tx: tx.find(StoredRun, order="number"))
            assert [run.listener for run in runs] == ["kept"]
            here.clock.go_on(HOUR)
            await asyncio.gather(one(), other())
            await here.settle()
            runs = await here.world.store.read(lambda tx: tx.find(StoredRun, order="number"))
            assert sorted(run.listener for run in runs) == ["kept", "kept", "lost"]
            events = await here.world.store.read(lambda tx: tx.find(StoredEvent, order="number"))
            assert [one.event.recovered for one in events] == [True, False]

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_a_quick_restart_misses_nothing(tmp_path, monkeypatch):
    """A tick that passed while a server started anew is on time."""
    # The stage's own server does not look.
    monkeypatch.setattr("windlass.engine.watch.SCHEDULES", 1e12)

    async def whole():
        async with stage(tmp_path, {".windlass.yaml": LOST}) as here:
            await here.world.mirrors.of(here.repository).fetch()
            here.clock.go_on((HOUR - 30 - here.clock.now()) % HOUR)
            await Schedules(here.world, Configurations(), Ids(here.clock.now))()
            here.clock.go_on(60)
            await Schedules(here.world, Configurations(), Ids(here.clock.now))()
            await here.settle()
            runs = await here.world.store.read(lambda tx: tx.find(StoredRun))
            assert sorted(run.listener for run in runs) == ["kept", "lost"]

    asyncio.run(asyncio.wait_for(whole(), 60))


def ticks(hours, minutes, zone, begin, end):
    """Every tick, found by looking at a clock once a minute."""
    place, seen, last, found = ZoneInfo(zone), set(), None, []
    for at in range(begin, end, 60):
        wall = int(datetime.fromtimestamp(at, place).replace(tzinfo=UTC).timestamp())
        walls = range(wall if last is None or wall <= last else last + 60, wall + 60, 60)
        last = wall if last is None else max(last, wall)
        new = [one for one in walls if one not in seen]
        seen.update(walls)
        if any(one // 3600 % 24 in hours and one // 60 % 60 in minutes for one in new):
            found.append(at)
    return found


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", (2026, 3, 28)),
        ("Europe/Berlin", (2026, 10, 24)),
        ("America/New_York", (2026, 3, 7)),
        ("America/New_York", (2026, 10, 31)),
        ("Australia/Lord_Howe", (2026, 4, 4)),
        ("Australia/Lord_Howe", (2026, 10, 3)),
        ("Asia/Kolkata", (2026, 3, 28)),
    ],
)
@pytest.mark.parametrize(
    ("cron", "hours", "minutes"),
    [
        ("30 2 * * *", {2}, {30}),
        ("*/20 1-3 * * *", {1, 2, 3}, {0, 20, 40}),
        ("0 3 * * *", {3}, {0}),
        ("15 * * * *", set(range(24)), {15}),
    ],
)
def test_a_tick_is_what_a_clock_shows_first(zone, day, cron, hours, minutes):
    """A skipped time comes right after the gap, one that is shown twice comes once."""
    begin = int(datetime(*day, tzinfo=UTC).timestamp())
    expected = ticks(hours, minutes, zone, begin, begin + 2 * 86400)
    assert expected
    for at in range(expected[0], begin + 2 * 86400, 300):
        assert last_tick(cron, float(at), zone) == max(one for one in expected if one <= at)


def test_a_day_that_never_comes_is_no_tick():
    """The thirtieth of February keeps nobody from working."""
    assert last_tick("0 3 30 2 *", 1e9) == float("-inf")
