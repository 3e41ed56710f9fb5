"""A Bitbucket Cloud with a repository, and the adapter that speaks to it."""

from __future__ import annotations

import time

import pytest

from windlass.forges.bitbucket_cloud.forge import BitbucketCloudForge
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.bitbucket_cloud import BitbucketCloudServer

API_TOKEN, ACCESS_TOKEN = "bot@example.com:an-api-token-of-the-bot", "an-access-token-of-the-shop"


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
    with BitbucketCloudServer(tmp_path) as server:
        yield server


@pytest.fixture
def bot(server):
    bot = server.person("bot")
    server.token(API_TOKEN, bot)
    return bot


@pytest.fixture
def robot(server):
    """What Bitbucket shows in place of a person for an access token."""
    robot = server.person("shop-token")
    server.token(ACCESS_TOKEN, robot, access=True)
    return robot


@pytest.fixture
def shop(server, bot):
    return server.repository("acme/shop", bot)


@pytest.fixture
def ada(server, shop):
    ada = server.person("ada")
    shop.effective[ada.uuid] = "write"
    return ada


@pytest.fixture
def url(server, shop):
    return f"{server.url}/acme/shop"


@pytest.fixture(params=[API_TOKEN, ACCESS_TOKEN], ids=["api", "access"])
def forge(bot, robot, request):
    return forge_with(request.param)


@pytest.fixture
def pull(server, shop, ada):
    return server.proposed(shop, "one", ada)


def forge_with(token):
    return BitbucketCloudForge(EachItsOwn(), lambda _url: token() if callable(token) else token)


@pytest.fixture
def made():
    """Make the adapter, with a token."""
    return forge_with
