"""
How far a job is, told often enough to watch and seldom enough to cost nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from windlass.core.run import StepRun


class Shown:
    """Tells how far a job is, at once and then at most every `PAUSE` seconds, the newest only."""

    PAUSE = 0.2

    def __init__(self, tell: Callable[[tuple[StepRun, ...]], Awaitable[None]]) -> None:
        self._tell = tell
        self._news: tuple[StepRun, ...] | None = None
        self._task: asyncio.Task[None] | None = None

    def say(self, steps: tuple[StepRun, ...]) -> None:
        """Replace what is to be told."""
        self._news = steps
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """What was not told yet is told by the job's end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._news is not None:
            news, self._news = self._news, None
            await self._tell(news)
            await asyncio.sleep(self.PAUSE)
