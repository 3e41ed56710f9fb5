"""A Bitbucket Data Center with a repository, and the adapter that speaks to it."""

from __future__ import annotations

import time

import pytest

from windlass.forges.bitbucket_dc.forge import BitbucketDataCenterForge
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.bitbucket_dc import BitbucketDataCenterServer

TOKEN = "an-http-access-token-of-the-bot"


class Clock:
    def now(self):
        return time.time()


class EachItsOwn:
    """A client that holds no connection between two calls, so that each may run in a new loop."""

    async def send(self, *what, **more):
        http = Http(Clock(), Reach(frozenset({"127.0.0.1"})), within=10.0)
        try:
            return await http.send(*what, **more)
        finally:
            await http.close()


@pytest.fixture
def server(tmp_path):
    with BitbucketDataCenterServer(tmp_path) as server:
        yield server


@pytest.fixture
def bot(server):
    bot = server.person("bot")
    server.token(TOKEN, bot)
    return bot


@pytest.fixture
def shop(server, bot):
    return server.repository("ACME", "shop", bot)


@pytest.fixture
def url(server, shop):
    return server.address(shop)


@pytest.fixture
def forge(bot):
    return forge_with()


@pytest.fixture
def pull(server, shop):
    return server.proposed(shop, "one", server.person("ada"))


def forge_with(token=TOKEN):
    return BitbucketDataCenterForge(EachItsOwn(), lambda _url: token)


@pytest.fixture
def made():
    """Make the adapter, with a token."""
    return forge_with
