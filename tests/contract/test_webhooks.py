"""Every forge's webhooks, real or fake, keep the contract."""

from __future__ import annotations

import os
import time

import pytest

from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.plain.forge import PlainForge
from windlass.forges.plain.program.signing import headers
from windlass.ports.forge import Request
from windlass.testing.contracts.webhooks import WebhooksContract
from windlass.testing.fakes.forge import FakeForge, FakeRepository
from windlass.testing.plain import Bench


class TestPlain(WebhooksContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return Bench(tmp_path)

    @pytest.fixture
    def webhooks(self):
        return PlainForge()

    @pytest.fixture
    def url(self, bench):
        return bench.url

    @pytest.fixture
    def dialect(self):
        return PlainDialect()

    @pytest.fixture
    def foreign(self):
        pytest.skip("a repository on disk has one hook of ours")

    @pytest.fixture
    def missing(self, bench):
        # Nobody listens at the contract's address, so a push is enough.
        return lambda: bench.push(f"{bench.commit({'a': '1'})}:refs/heads/main")

    @pytest.fixture
    def forbidden(self, bench):
        if os.geteuid() == 0:
            pytest.skip("root may do everything")
        bench.bare.chmod(0o500)
        yield bench.url
        bench.bare.chmod(0o700)


class TestFake(WebhooksContract):
    @pytest.fixture
    def webhooks(self):
        forge = FakeForge()
        forge.add("acme/shop", FakeRepository())
        forge.add("acme/vault", FakeRepository(guarded=True))
        return forge

    @pytest.fixture
    def url(self):
        return "acme/shop"

    @pytest.fixture
    def dialect(self):
        return PlainDialect()

    @pytest.fixture
    def foreign(self):
        pytest.skip("the fake remembers one hook")

    @pytest.fixture
    def missing(self, webhooks, url, hook):
        def lose():
            body, at = b'{"event": "ping"}', time.time()
            signed = headers(hook.secret, "msg_1", at, body)
            webhooks.repositories[url].lost.append(Request(headers=signed, body=body, at=at))

        return lose

    @pytest.fixture
    def forbidden(self):
        return "acme/vault"
