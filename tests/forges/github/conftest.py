"""A GitHub on loopback, and one adapter that asks it."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from windlass.forges.github.forge import GitHubForge
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.github import PERMISSIONS, TOKEN, GitHub


class Ticking:
    """A clock that is set by hand, an hour into today."""

    def __init__(self):
        self.time = float(int(time.time()))

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def github(tmp_path, clock):
    with GitHub(tmp_path) as server:
        server.now = clock.now
        yield server


@pytest.fixture
def ask(clock):
    """Run questions to one adapter, one after the other, as one process would."""

    def run(play, token=TOKEN, app=None):
        async def main():
            http = Http(clock, Reach(frozenset({"127.0.0.1"})))
            try:
                return await play(GitHubForge(http, lambda _: token, lambda _: app, clock))
            finally:
                await http.close()

        return asyncio.run(main())

    return run


@pytest.fixture
def pulled(github):
    """An open pull request: its address, number and commit."""
    number = github.propose("one", {"a": "1"})
    sha = github.shop.pulls[number]["head"]["sha"]
    return SimpleNamespace(url=github.address, number=number, sha=sha)


@pytest.fixture
def app(github):
    return github.register("windlass-acme", PERMISSIONS, "acme/shop")
