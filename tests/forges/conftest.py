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
    """The events of the first so many webhooks, each of them verified; sent again is the same."""

    def wait(count):
        dialect, told, came = PlainDialect(), {}, count
        while len(told) < count:
            for request in receiver.wait(came):
                told.setdefault(dialect.verify(request, (SECRET,)).delivery_key, request)
            came += 1
        return [one for request in told.values() for one in dialect.read(request, "acme/shop")]

    return wait
