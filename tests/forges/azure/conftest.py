"""An Azure DevOps of the tests with one repository, and somebody who asks it."""

from __future__ import annotations

import asyncio
import time

import pytest

from windlass.forges.azure.forge import AzureForge
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.azure import AzureServer

TOKEN = "azure-token-of-windlass"


class Wall:
    """The clock on the wall."""

    def now(self):
        return time.time()


@pytest.fixture
def server(tmp_path):
    with AzureServer(tmp_path) as server:
        yield server


@pytest.fixture
def shop(server):
    return server.add("shop", "shop")


@pytest.fixture
def url(server, shop):
    return f"{server.url}/acme/shop/_git/shop"


def asker():
    """Run one question of one forge; what it remembers stays over questions."""
    forge = AzureForge(None, lambda _url: TOKEN)

    def run(name, *given, tokens=None):
        async def main():
            forge._tokens = tokens or (lambda _url: TOKEN)
            forge._http = Http(Wall(), Reach(frozenset({"127.0.0.1"})))
            try:
                return await getattr(forge, name)(*given)
            finally:
                await forge._http.close()

        return asyncio.run(main())

    return run


@pytest.fixture
def ask():
    """Ask the forge."""
    return asker()


@pytest.fixture
def proposed(server, shop):
    """A pull request of the branch `one`, by Ada."""
    shop.point({"refs/heads/one": shop.commit("One")})
    return server.propose(shop, "one")
