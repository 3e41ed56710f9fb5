"""A new webhook secret: the forge has it, and the one before is trusted for a day after that."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from harness import NAME, stage

from windlass.core.errors import Transient
from windlass.engine.hooks import OVERLAP, ensure, secrets_of
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


@asynccontextmanager
async def alone(tmp_path):
    """A stage whose engine stands still: its own look at the hook would come between."""
    async with stage(tmp_path, {}) as here:
        here.work.cancel()
        await asyncio.gather(here.work, return_exceptions=True)
        world = replace(here.world, secrets=Kept(here.world.vault))
        yield here, world, RepositoryRequests(world, None)


def test_the_forge_has_the_new_secret_or_both_count(tmp_path):
    """What the forge could not be told of is finished later, and nothing is refused till then."""

    async def whole():
        async with alone(tmp_path) as (here, world, asked):
            person = here.forge.repositories[here.url]

            async def repository():
                return await world.store.read(lambda tx: tx.get(Repository, NAME))

            async def trusted():
                return secrets_of(world.vault, await repository(), here.clock.now())

            await ensure(world, await repository(), anew=True)
            first = person.hook.secret
            here.forge.failures.append(Transient("away"))
            with pytest.raises(Transient):
                await asked.rotate_secret(NAME, by="ada")
            fresh, old = await trusted()
            assert (person.hook.secret, old) == (first, first)
            here.clock.go_on(2 * OVERLAP)
            assert await trusted() == (fresh, old)
            # A second try makes no third secret: the forge has never heard of the second.
            await asked.rotate_secret(NAME, by="ada")
            assert await trusted() == (fresh, old)
            assert person.hook.secret == fresh
            here.clock.go_on(OVERLAP)
            assert await trusted() == (fresh,)

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_a_look_at_the_hook_finishes_a_rotation(tmp_path):
    """The timer does, when the forge is back; and whoever has it checked sets the secret anew."""

    async def whole():
        async with alone(tmp_path) as (here, world, asked):
            person = here.forge.repositories[here.url]

            async def repository():
                return await world.store.read(lambda tx: tx.get(Repository, NAME))

            await ensure(world, await repository(), anew=True)
            here.forge.failures.append(Transient("away"))
            with pytest.raises(Transient):
                await asked.rotate_secret(NAME, by="ada")
            await ensure(world, await repository())
            fresh = world.vault.get("webhook", NAME)
            assert person.hook.secret == fresh
            assert (await repository()).previous_until == here.clock.now() + OVERLAP
            person.hook = replace(person.hook, secret=b"entered by somebody")
            await asked.check_repository(NAME)
            assert person.hook.secret == fresh

    asyncio.run(asyncio.wait_for(whole(), 60))
