"""A host with a repository, its owner, a pull request, and a forge to ask."""

from __future__ import annotations

import asyncio

import pytest

from windlass.forges.gitea.forge import GiteaForge
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.gitea import Gitea
from windlass.testing.servers.gogs_words import Pull

SCOPES = ("write:repository", "write:issue", "read:user")


class Still:
    """A clock that stands."""

    def now(self):
        return 1000.0

    async def sleep(self, seconds):
        """Wait for nothing."""


@pytest.fixture
def gitea(tmp_path, request):
    """Gitea; Forgejo for tests that ask for both."""
    with Gitea(tmp_path, forgejo=getattr(request, "param", False)) as server:
        yield server


@pytest.fixture
def ada(gitea):
    return gitea.person("ada")


@pytest.fixture
def shop(gitea, ada):
    return gitea.repository("acme/shop", ada)


@pytest.fixture
def url(gitea, shop):
    return f"{gitea.url}/acme/shop"


@pytest.fixture
def pull(gitea, shop, ada):
    sha = shop.bare.commit("Add one", shop.bare.refs("refs/heads")["refs/heads/main"])
    gitea.push(shop, "refs/heads/one", sha, ada)
    return gitea.propose(shop, Pull(number=7, title="Add one", author=ada, head="one", sha=sha))


@pytest.fixture
def ask(gitea, ada):
    """Ask a new forge with this token; by default it is ada's and has every scope."""
    usual = gitea.token(ada, *SCOPES)

    def run(play, token=usual):
        async def main():
            http = Http(Still(), Reach(frozenset({"127.0.0.1"})))
            try:
                return await play(GiteaForge(http, lambda _url: token))
            finally:
                await http.close()

        return asyncio.run(main())

    return run
