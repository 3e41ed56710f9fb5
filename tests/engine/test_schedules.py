"""A schedule that comes due is an event, once."""

from __future__ import annotations

import asyncio

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
    """Of the ticks since the last look the newest counts, and a second look finds nothing new."""

    async def whole():
        async with stage(tmp_path, {".windlass.yaml": CONFIGURATION}) as here:
            await here.world.mirrors.of(here.repository).fetch()
            twin = Schedules(here.world, Configurations(), Ids(here.clock.now))
            # Twice past three o'clock at night, and to half past an hour.
            here.clock.go_on(48 * HOUR + (0.5 * HOUR - here.clock.now()) % HOUR)
            await twin()
            await here.settle()
            here.clock.go_on(0.1 * HOUR)
            await twin()
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
