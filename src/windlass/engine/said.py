"""
The log of a deploy job: nobody but Windlass speaks in it.

Its lines are for people. They are written beside the truth and not with it: a line
may come twice when the server dies in between, and one that cannot be written, in a
log that was closed before it died perhaps, holds nothing up.
"""

from __future__ import annotations

import asyncio
import contextlib

from windlass.core.errors import WindlassError
from windlass.engine.names import log_key
from windlass.engine.world import World
from windlass.ports.records import Deployment


async def say(world: World, deployment: Deployment, text: str) -> None:
    """Add what Windlass has to say to the deploy job's log."""
    key = log_key(deployment.run, deployment.job, deployment.attempt)
    at = int(world.clock.now() * 1000)
    lines = "".join(f"{at} 0 w {line}\n" for line in text.splitlines())
    with contextlib.suppress(WindlassError):
        await asyncio.to_thread(world.logs.append, key, lines.encode("utf-8", "replace"))


async def close(world: World, deployment: Deployment) -> None:
    """Nothing more will be said."""
    key = log_key(deployment.run, deployment.job, deployment.attempt)
    with contextlib.suppress(WindlassError):
        await asyncio.to_thread(world.logs.close, key)
