"""
Stories with one service on a stage, played from Python.
"""

from __future__ import annotations

import asyncio

from harness import stage
from story import Story

from windlass.ports.records import StoredRun

BUILD = """\
services:
  api:
    build:
      steps: [{run: "mkdir dist; echo $CI_COMMIT_SHA > dist/app"}]
      artifacts: [dist/]
"""
STRANGER = {"number": 7, "head": "topic", "files": {"app.txt": "two"}, "by": "eve", "fork": True}


def play(place, configuration, work, **on):
    """Run a story on a stage with this configuration."""

    async def whole():
        files = {".windlass.yaml": configuration + BUILD, "app.txt": "one\n"}
        async with stage(place, files, **on) as here:
            await work(here, Story(here))

    asyncio.run(asyncio.wait_for(whole(), 60))


async def runs(here):
    """Every run there is."""
    return [one.run for one in await every(here, StoredRun)]


async def every(here, kind):
    """All records of a kind, oldest first."""
    key = kind.KEY[0]
    return await here.world.store.read(lambda tx: tx.find(kind, order=key))


def states(run):
    """Where its jobs are."""
    return {name: str(job.state) for name, job in run.jobs.items()}
