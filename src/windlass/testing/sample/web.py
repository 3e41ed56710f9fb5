"""
The web on the sample: a fake engine, a store in memory, and a real port when wanted.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import uvicorn
from starlette.applications import Starlette

from windlass.testing.fakes.memory import MemoryStore
from windlass.testing.fakes.memory_logs import MemoryLogs
from windlass.testing.fakes.requests import FakeRequests
from windlass.testing.sample.listeners import written
from windlass.testing.sample.story import fill
from windlass.web.app import make_app
from windlass.web.auth import Keys
from windlass.web.parts import Parts

NOW = 1_800_000_000.0
TOKEN = "t" * 43
CAROLS = "c" * 43


@dataclass(slots=True)
class Still:
    """A clock that stands."""

    at: float = NOW

    def now(self) -> float:
        """UTC seconds."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """No time goes by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleWeb:
    """The parts, and what stands behind them."""

    parts: Parts
    store: MemoryStore
    logs: MemoryLogs
    asked: FakeRequests

    @property
    def app(self) -> Starlette:
        """A fresh application of these parts."""
        return make_app(self.parts)

    def closed(self) -> SampleWeb:
        """The same, where reading needs a token too."""
        return replace(self, parts=replace(self.parts, open_reading=False))


def sample_web(now: float = NOW, url: str = "http://testserver") -> SampleWeb:
    """The sample, told at `now`; `operator` and `carol` have a token each."""
    store, logs = MemoryStore(), MemoryLogs()
    fill(store, logs, now)
    asked = FakeRequests(store, now=now, written=written())
    parts = Parts(
        store=store,
        requests=asked,  # type: ignore[arg-type]  # a stand-in, by shape
        logs=logs,
        clock=Still(now),
        keys=Keys({"operator": TOKEN, "carol": CAROLS}),
        open_reading=True,
        url=url,
        version="1.2.3",
        started_at=now - 60,
    )
    return SampleWeb(parts=parts, store=store, logs=logs, asked=asked)


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The application on a free port of this machine; the value is its address."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    up = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, bound, up), daemon=True)
    thread.start()
    up.wait(10)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


def _serve(server: uvicorn.Server, bound: socket.socket, up: threading.Event) -> None:
    bound.listen(128)
    up.set()  # what connects from now on waits in the socket's queue
    server.run(sockets=[bound])
