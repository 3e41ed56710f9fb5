"""A password that somebody put into a repository's address is told to nobody."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from windlass.core.errors import Conflict, UserError
from windlass.engine.requests.repositories import RepositoryRequests
from windlass.forges.plain.repository import opened
from windlass.ports.records import Repository
from windlass.testing.fakes.memory import MemoryStore

URL = "https://bob:hunter2@forge.example/acme/shop.git"


class World:
    """As much of the world as the look-up needs."""

    def __init__(self):
        self.store = MemoryStore()
        self.clock = SimpleNamespace(now=lambda: 1.0)


def test_who_adds_it_again_is_not_told_the_password():
    """The refusal names the repository, and its address without what is before the @."""
    world = World()
    taken = Repository(
        name="acme/shop",
        forge="plain",
        url=URL,
        endpoint="e",
        default_branch="main",
        created_at=1.0,
    )
    asked = RepositoryRequests(world, None)

    async def again():
        await world.store.transaction(lambda tx: tx.add(taken))
        await asked._free("other", URL)

    with pytest.raises(Conflict) as caught:
        asyncio.run(again())
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert "forge.example" in str(caught.value)


def test_plain_git_does_not_take_an_address_for_a_folder():
    """It says what it takes, and repeats nothing of what it was given."""
    with pytest.raises(UserError, match="path of a bare repository") as caught:
        opened(URL)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert "--forge" in caught.value.hint
