"""
The log of a deploy job: nobody but Windlass speaks in it.

Its lines are for people. They are written beside the truth and not with it, so a
line may come twice when the server dies in between.
"""

from __future__ import annotations

import asyncio

from windlass.engine.names import log_key
from windlass.engine.world import World
from windlass.ports.records import Deployment


async def say(world: World, deployment: Deployment, text: str) -> None:
    """Add what Windlass has to say to the deploy job's log."""
    key = log_key(deployment.run, deployment.job, deployment.attempt)
    at = int(world.clock.now() * 1000)
    lines = "".join(f"{at} 0 w {line}\n" for line in text.splitlines())
    await asyncio.to_thread(world.logs.append, key, lines.encode("utf-8", "replace"))


async def close(world: World, deployment: Deployment) -> None:
    """Nothing more will be said."""
    key = log_key(deployment.run, deployment.job, deployment.attempt)
    await asyncio.to_thread(world.logs.close, key)
