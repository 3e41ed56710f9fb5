"""
One call at a time, shared by all who wait for the next one.

Who asks while a call is under way may not share it: it may have looked before
the news they heard of. They share the one after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Wanted = frozenset[str]


class Coalesced:
    """Calls `perform` with all that the waiting callers want, again while there are any."""

    def __init__(
        self,
        perform: Callable[[Wanted], Awaitable[None]],
        afterwards: Callable[[], Awaitable[None]],
    ) -> None:
        """`afterwards` runs once the callers have their answer."""
        self._perform = perform
        self._afterwards = afterwards
        self._waiting: list[tuple[Wanted, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, wanted: Wanted) -> None:
        """Return when a call that began after this one has ended; its error is raised here."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await future

    async def close(self) -> None:
        """Cancel what is under way."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._serve(batch)
                await self._afterwards()
        finally:
            for _, future in self._waiting:
                future.cancel()
            self._waiting = []

    async def _serve(self, batch: list[tuple[Wanted, asyncio.Future[None]]]) -> None:
        together = frozenset[str]().union(*(wanted for wanted, _ in batch))
        kinds = {wanted for wanted, _ in batch}
        try:
            answer = await self._try(together)
            for wanted, future in batch:
                # One caller's fault is not another's: after a failure each asks alone.
                alone = answer is None or len(kinds) == 1
                one = answer if alone else await self._try(wanted)
                if future.done():
                    continue
                if one:
                    future.set_exception(one)
                else:
                    future.set_result(None)
        finally:
            for _, future in batch:
                future.cancel()

    async def _try(self, wanted: Wanted) -> Exception | None:
        try:
            await self._perform(wanted)
        except Exception as error:  # noqa: BLE001 (raised again in each caller)
            return error
        return None
