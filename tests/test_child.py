"""A program at work: what it says arrives, and its descriptors are closed once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from windlass.child import Child, Pipe

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs in the loop of the server, or in that of the command line."""
    found: Run = request.param
    return found


OPEN = Path("/proc/self/fd")


def _opened() -> set[Path]:
    return set(OPEN.iterdir())


async def _talk() -> None:
    child = await Child.start(("/bin/sh", "-c", "read a; echo $a; exit 3"), cwd="/", stdin=-1)
    assert child.stdin
    assert child.stdout
    assert child.stderr
    child.stdin.write(b"said\n")
    assert await child.stdout.read() == b"said\n"
    assert await child.stderr.read() == b""
    assert await child.wait() == 3
    await asyncio.sleep(0.01)


def test_what_it_says_arrives_and_nothing_stays_open(run: Run) -> None:
    """Both streams and the exit code are there, and no descriptor is left behind."""

    async def work() -> None:
        await _talk()  # what a loop opens for itself
        before = _opened()
        for _ in range(3):
            await _talk()
        assert _opened() == before

    run(work())


def test_a_number_that_was_given_out_again_is_not_closed(run: Run) -> None:
    """
    Whoever opens something while a pipe closes keeps it.

    uvloop closes the descriptor itself before it closes the file: a second close of the
    number hits what another thread has opened in between.
    """

    async def work() -> None:
        loop = asyncio.get_running_loop()
        end, other = os.pipe()
        pipe = Pipe(os.fdopen(end, "rb", buffering=0), loop)
        number = pipe.fileno()
        closes: list[bool] = []
        close = pipe.close

        def watched() -> None:
            gone = not (OPEN / str(number)).exists()
            if gone:
                # The other thread, in the worst of moments.
                os.dup2(other, number)
            close()
            closes.append(gone and not (OPEN / str(number)).exists())

        pipe.close = watched  # type: ignore[method-assign]
        transport, _ = await loop.connect_read_pipe(asyncio.Protocol, pipe)
        transport.close()
        await asyncio.sleep(0.01)
        assert closes == [False]

    run(work())
