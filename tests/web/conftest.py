"""
A whole web on the sample, without a network: a fake engine, a store in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from windlass.testing.sample.web import TOKEN, SampleWeb, sample_web


@dataclass
class Web:
    """A client, and what stands behind it."""

    sample: SampleWeb
    client: TestClient
    bearer: dict[str, str]

    @property
    def asked(self) -> list[tuple[str, ...]]:
        """What the engine was asked."""
        return self.sample.asked.asked

    def sign_in(self, name: str = "alice") -> str:
        """Sign in through the page; returns the token its forms carry."""
        answer = self.client.post(
            "/login",
            data={"token": TOKEN, "name": name, "next": "/runs"},
            headers={"Origin": "http://testserver"},
            follow_redirects=False,
        )
        assert answer.status_code == 303
        session = self.sample.parts.keys.session(answer.cookies["windlass_session"])
        assert session is not None
        return session.csrf

    def send(self, path: str, **fields: str):
        """Send a form as a page of ours would."""
        headers = {"Origin": "http://testserver"}
        return self.client.post(path, data=fields, headers=headers, follow_redirects=False)


def over(sample: SampleWeb) -> Web:
    """A web over these parts."""
    client = TestClient(sample.app, raise_server_exceptions=False)
    return Web(sample, client, {"Authorization": f"Bearer {TOKEN}", "Windlass-Actor": "alice"})


@pytest.fixture
def web() -> Web:
    """Open for reading, as on a loopback address."""
    return over(sample_web())


@pytest.fixture
def closed() -> Web:
    """Reading needs a token too, as on any other address."""
    return over(sample_web().closed())
