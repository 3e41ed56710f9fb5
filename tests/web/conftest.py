"""
A whole web on the sample, without a network: a fake engine, a store in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from windlass.testing.fakes.memory import MemoryStore
from windlass.testing.fakes.memory_logs import MemoryLogs
from windlass.testing.fakes.requests import FakeRequests
from windlass.testing.sample.story import fill
from windlass.web.app import make_app
from windlass.web.auth import Keys
from windlass.web.parts import Parts

NOW = 1_800_000_000.0
TOKEN = "t" * 43


@dataclass
class Still:
    """A clock that stands."""

    at: float = NOW

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        return None


@dataclass
class Web:
    """A client, and what stands behind it."""

    parts: Parts
    store: MemoryStore
    logs: MemoryLogs
    asked: FakeRequests
    client: TestClient
    bearer: dict[str, str]

    def sign_in(self, name: str = "alice") -> str:
        """Sign in through the page; returns the token its forms carry."""
        answer = self.client.post(
            "/login",
            data={"token": TOKEN, "name": name, "next": "/runs"},
            headers={"Origin": "http://testserver"},
            follow_redirects=False,
        )
        assert answer.status_code == 303
        cookie = answer.cookies["windlass_session"]
        session = self.parts.keys.session(cookie)
        assert session is not None
        return session.csrf


def make_web(**changes: object) -> Web:
    """A web on the sample; `changes` are fields of `Parts`."""
    store, logs = MemoryStore(), MemoryLogs()
    fill(store, logs, NOW)
    asked = FakeRequests(store, now=NOW)
    values = {
        "store": store,
        "requests": asked,
        "logs": logs,
        "clock": Still(),
        "keys": Keys({"operator": TOKEN, "carol": "c" * 43}),
        "open_reading": True,
        "url": "http://testserver",
        "version": "1.2.3",
        "started_at": NOW - 60,
        **changes,
    }
    parts = Parts(**values)
    client = TestClient(make_app(parts), raise_server_exceptions=False)
    bearer = {"Authorization": f"Bearer {TOKEN}", "Windlass-Actor": "alice"}
    return Web(parts, store, logs, asked, client, bearer)


@pytest.fixture
def web() -> Iterator[Web]:
    """Open for reading, as on a loopback address."""
    yield make_web()


@pytest.fixture
def closed() -> Iterator[Web]:
    """Reading needs a token too, as on any other address."""
    yield make_web(open_reading=False)
