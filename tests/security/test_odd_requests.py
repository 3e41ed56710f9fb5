"""Requests that no browser of ours would send: none is answered with 500, none is waited for."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from windlass.testing.sample.web import TOKEN, sample_web

ODD_PAGES = (
    f"/runs/{2**63}",
    f"/events/{2**63}",
    f"/live/runs/{2**63}",
    f"/runs/{'9' * 5000}",
    f"/api/v1/runs/{'9' * 4300}",
    f"/runs/{'9' * 4000}",
    f"/runs/3/log?job=ci/lint&attempt={'9' * 5000}",
)


@pytest.fixture
def sample():
    return sample_web()


@pytest.mark.parametrize("path", ODD_PAGES, ids=[path[:30] for path in ODD_PAGES])
def test_a_number_beyond_all_is_not_found(sample, path):
    """However many digits it has."""
    client = TestClient(sample.app, raise_server_exceptions=False)
    assert client.get(path).status_code in {200, 404, 414}


@pytest.mark.parametrize("attempt", ["0", "000001" + "0" * 5000, "0000019", "99999999", "x"])
def test_an_odd_attempt_shows_the_last(sample, attempt):
    """The page is that of the attempt that was."""
    client = TestClient(sample.app, raise_server_exceptions=False)
    answer = client.get(f"/runs/3?job=ci/lint&attempt={attempt}")
    assert answer.status_code == 200
    assert "attempt=1" in answer.text
    assert set(re.findall(r"attempt=(\w+)", answer.text.split("<main")[1])) == {"1"}


def test_an_endless_event_id_begins_where_it_was_asked_to(sample):
    """`Last-Event-ID` is a stranger's text."""
    client = TestClient(sample.app, raise_server_exceptions=False)
    headers = {"Last-Event-ID": "9" * 5000}
    answer = client.get("/api/v1/runs/3/jobs/ci/lint/log?follow=1", headers=headers)
    assert answer.status_code == 200
    assert "event: end" in answer.text


def test_a_body_that_does_not_come_is_not_waited_for(sample):
    """After its time the answer is 408, and the connection is closed."""
    app = replace(sample, parts=replace(sample.parts, body_seconds=0.01)).app
    sent = []

    async def whole():
        pieces = asyncio.Queue()
        await pieces.put({"type": "http.request", "body": b"token=", "more_body": True})

        async def send(message):
            sent.append(message)

        headers = [
            (b"host", b"testserver"),
            (b"origin", b"http://testserver"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/login",
            "raw_path": b"/login",
            "query_string": b"",
            "headers": headers,
            "scheme": "http",
            "server": ("testserver", 80),
        }
        async with asyncio.timeout(20):
            await app(scope, pieces.get, send)

    asyncio.run(whole())
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_body_that_came_leaves_time_to_answer(sample):
    """The time is for the body alone."""
    app = replace(sample, parts=replace(sample.parts, body_seconds=20.0)).app
    client = TestClient(app)
    answer = client.post("/login", data={"token": TOKEN}, headers={"Origin": "http://testserver"})
    assert answer.status_code == 200
