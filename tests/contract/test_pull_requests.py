"""Every keeper of pull requests, real or fake, keeps the contract."""

from __future__ import annotations

import asyncio

import pytest

from windlass.forges.plain.forge import PlainForge
from windlass.ports.forge import Hook
from windlass.testing.contracts.pull_requests import PullRequestsContract
from windlass.testing.fakes.pull_requests import FakePullRequests
from windlass.testing.plain import Bench


class TestPlain(PullRequestsContract):
    @pytest.fixture
    def bench(self, tmp_path, pulls):
        bench = Bench(tmp_path)
        asyncio.run(pulls.install(bench.url, Hook(url="http://127.0.0.1:9/", secret=b"x")))
        return bench

    @pytest.fixture
    def pulls(self):
        return PlainForge()

    @pytest.fixture
    def url(self, bench):
        return bench.url

    @pytest.fixture
    def propose(self, bench):
        return bench.propose

    @pytest.fixture
    def content(self, bench):
        return bench.content


class TestFake(PullRequestsContract):
    @pytest.fixture
    def pulls(self):
        return FakePullRequests()

    @pytest.fixture
    def url(self):
        return "acme/shop"

    @pytest.fixture
    def propose(self, pulls):
        def propose(topic, files, *, against=""):
            number = pulls.propose(topic, files)
            if against:
                pulls.main["README"] = against
            return number

        return propose

    @pytest.fixture
    def content(self, pulls):
        return lambda: dict(pulls.main)
