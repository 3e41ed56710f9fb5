"""A bare repository with a hook, and someone who takes its webhooks."""

from __future__ import annotations

import asyncio

import pytest

from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.plain.forge import PlainForge
from windlass.ports.forge import Hook
from windlass.testing.plain import Bench, Receiver

SECRET = b"correct horse battery staple"


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def forge():
    return PlainForge()


@pytest.fixture
def hook(receiver):
    return Hook(url=receiver.url, secret=SECRET)


@pytest.fixture
def installed(bench, forge, hook):
    """The bench, with our hook."""
    asyncio.run(forge.install(bench.url, hook))
    return bench


@pytest.fixture
def events(receiver):
    """The events of the first so many webhooks, each of them verified."""

    def wait(count):
        dialect, found = PlainDialect(), []
        for request in receiver.wait(count):
            dialect.verify(request, (SECRET,))
            found += dialect.read(request, "acme/shop")
        return found

    return wait
