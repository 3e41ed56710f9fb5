"""A new webhook secret: the one before is trusted for a day, and not for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from harness import NAME, stage

from windlass.engine.hooks import OVERLAP, secrets_of
from windlass.engine.requests.repositories import RepositoryRequests
from windlass.ports.records import Repository


class Kept:
    """Secrets that go straight into the vault of the stage."""

    def __init__(self, vault):
        self.vault = vault

    async def put(self, name, scope, value):
        self.vault.put(name, scope, value)


def test_the_secret_before_is_trusted_for_a_day(tmp_path):
    """What the forge signed with it still counts; a day later it does not, nor one before it."""

    async def whole():
        async with stage(tmp_path, {}) as here:
            world = replace(here.world, secrets=Kept(here.world.vault))
            asked = RepositoryRequests(world, None)
            store, vault = here.world.store, here.world.vault

            async def trusted():
                repository = await store.read(lambda tx: tx.get(Repository, NAME))
                return secrets_of(vault, repository, here.clock.now())

            first = await trusted()
            assert len(first) == 1
            await asked.rotate_secret(NAME, by="ada")
            both = await trusted()
            assert both[1:] == first
            assert both[0] not in first
            here.clock.go_on(OVERLAP - 1)
            assert await trusted() == both
            here.clock.go_on(1)
            assert await trusted() == both[:1]
            await asked.rotate_secret(NAME, by="ada")
            assert (await trusted())[1:] == both[:1]

    asyncio.run(asyncio.wait_for(whole(), 60))
