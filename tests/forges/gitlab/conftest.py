"""A GitLab, somebody who takes its webhooks, and a forge to ask it with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from windlass.forges.gitlab.forge import GitLabForge
from windlass.forges.http.client import Http
from windlass.ports.forge import Hook
from windlass.reach import Reach
from windlass.testing.plain import Receiver
from windlass.testing.servers.gitlab import TOKEN, GitLab
from windlass.testing.servers.gitlab_state import Project


class Now:
    """Real time."""

    def now(self):
        return time.time()


@pytest.fixture
def gitlab(tmp_path):
    with GitLab(tmp_path) as server:
        yield server


@pytest.fixture
def shop(gitlab):
    return gitlab.shop


@pytest.fixture
def url(gitlab, shop):
    return gitlab.web(shop)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hook(receiver):
    return Hook(url=receiver.url, secret=b"correct horse battery staple")


@dataclass
class Bench:
    """All of it together."""

    ask: Callable[..., Any]
    gitlab: GitLab
    shop: Project
    url: str
    hook: Hook
    receiver: Receiver

    def install(self, hook=None):
        return self.ask(lambda forge: forge.install(self.url, hook or self.hook))

    def check(self, hook=None):
        return self.ask(lambda forge: forge.check(self.url, hook or self.hook))

    def ping(self, hook=None):
        return self.ask(lambda forge: forge.ping(self.url, hook or self.hook))

    def missed(self, since=0.0):
        """Ask for what is missed; for GitLab a minute passes, and the webhook stays on."""
        assert self.ask(lambda forge: forge.missed(self.url, self.hook, since)) == ()
        self.shop.failures.clear()
        self.gitlab.patience = 5

    def push(self):
        return self.gitlab.push(self.shop, "refs/heads/main")

    def lose(self, count):
        """So many pushes that do not arrive; GitLab does not lose its patience."""
        self.receiver.answers += [503] * count
        for _ in range(count):
            self.push()
            self.shop.failures.clear()

    def theirs(self, address):
        """The number of another person's webhook."""
        number = max(self.shop.hooks, default=100) + 1
        self.shop.hooks[number] = {"id": number, "url": address, "push_events": True}
        return number


@pytest.fixture
def bench(ask, gitlab, hook, receiver):
    url = gitlab.web(gitlab.shop)
    return Bench(ask, gitlab, gitlab.shop, url, hook, receiver)


@pytest.fixture
def ask():
    """Let `play` use a forge with this token, within one event loop."""

    def run(play, token=TOKEN):
        async def main():
            http = Http(Now(), Reach(frozenset({"127.0.0.1"})), within=10.0)
            try:
                return await play(GitLabForge(http, lambda url: token))
            finally:
                await http.close()

        return asyncio.run(main())

    return run
