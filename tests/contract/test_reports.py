"""Every forge's reports, real or fake, keep the contract."""

from __future__ import annotations

import asyncio

import pytest

from windlass.core.errors import Transient
from windlass.forges.plain.forge import PlainForge
from windlass.ports.forge import Hook
from windlass.testing.contracts.reports import Place, ReportsContract, Seen
from windlass.testing.fakes.forge import FakeForge, FakeRepository
from windlass.testing.plain import Bench


class TestPlain(ReportsContract):
    @pytest.fixture
    def reports(self):
        return PlainForge()

    @pytest.fixture
    def place(self, tmp_path, reports):
        bench = Bench(tmp_path)
        asyncio.run(reports.install(bench.url, Hook(url="http://127.0.0.1:9/", secret=b"x")))
        number = bench.propose("one", {"a": "1"})
        return Place(url=bench.url, sha=bench.at(f"refs/pull/{number}/head"), number=number)

    @pytest.fixture
    def seen(self, reports, place):
        def look():
            pull = asyncio.run(reports.show(place.url, place.number))
            said = {status.context: status for status in pull.statuses}
            return Seen(statuses=said, comments=(pull.comment,) if pull.comment else ())

        return look


class TestFake(ReportsContract):
    @pytest.fixture
    def reports(self):
        return FakeForge()

    @pytest.fixture
    def place(self, reports):
        heads = {"refs/heads/main": "a" * 40, "refs/pull/3/head": "b" * 40}
        reports.add("acme/shop", FakeRepository(heads=heads, pulls={3}))
        return Place(url="acme/shop", sha="b" * 40, number=3)

    @pytest.fixture
    def seen(self, reports, place):
        return lambda: Seen(
            statuses=reports.statuses(place.url, place.sha),
            comments=tuple(filter(None, [reports.comment_on(place.url, place.number)])),
        )

    @pytest.fixture
    def busy(self, reports):
        return lambda pause: reports.failures.append(Transient("slow down", retry_after=pause))
