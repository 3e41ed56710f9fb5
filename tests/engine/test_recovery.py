"""
Recovery: what no webhook told of, and nothing that one did.
"""

from __future__ import annotations

import asyncio
import zlib
from types import SimpleNamespace

import pytest

from windlass.engine.ids import Ids
from windlass.engine.recover import Recovery, decode
from windlass.ports.records import Delivery, Head, Repository
from windlass.testing.fakes.forge import FakeForge, FakeRepository
from windlass.testing.fakes.memory import MemoryStore

URL = "/srv/shop.git"
SHOP = Repository(name="shop", forge="fake", url=URL, endpoint="e" * 24, default_branch="main")
OLD, NEW, NEWER = "a" * 40, "b" * 40, "c" * 40


def looked(at_first, at_the_forge, meanwhile):
    """What recovery takes in, when an event tells of `meanwhile` while it waits."""
    store, forge = MemoryStore(), FakeForge()
    forge.add(URL, FakeRepository(heads={"refs/heads/main": at_the_forge}))

    def head(sha):
        return store.transaction(
            lambda tx: tx.save(Head(repository="shop", ref="refs/heads/main", sha=sha))
        )

    async def sleep(_):
        await head(meanwhile)

    clock = SimpleNamespace(now=lambda: 1000.0, sleep=sleep)
    ports = SimpleNamespace(source=forge, webhooks=forge, pull_requests=None)
    world = SimpleNamespace(forges={"fake": ports}, store=store, clock=clock)

    async def work():
        await head(at_first)
        await Recovery(world, None, Ids(clock.now))(SHOP)
        return await store.read(lambda tx: tx.find(Delivery))

    found = [decode(zlib.decompress(one.body)) for one in asyncio.run(work())]
    return [(event.kind, event.before, event.sha) for event in found]


def test_a_head_that_no_event_told_of_is_missed():
    """It becomes a push of our own, from what was known to what was found."""
    assert looked(OLD, NEW, OLD) == [("push", OLD, NEW)]


@pytest.mark.parametrize("found", [OLD, NEW])
def test_what_an_event_told_of_meanwhile_is_newer(found):
    """A webhook that comes while we wait is not undone by the head that was found before it."""
    assert looked(OLD, found, NEW if found == NEW else NEWER) == []
