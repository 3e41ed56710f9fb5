"""A repository that is disconnected: its webhook goes, and only ours."""

from __future__ import annotations

import asyncio

import pytest
from playing import play

from windlass.core.errors import Conflict
from windlass.engine.requests.listeners import ByHand
from windlass.engine.requests.repositories import PolicyChange
from windlass.ports.forge import Hook
from windlass.ports.records import Repository
from windlass.wiring.server import look_up

OURS = Hook(url="https://windlass.example/hooks/e1", secret=b"secret")
THEIRS = Hook(url="https://other.example/hooks/e1", secret=b"secret")


@pytest.mark.parametrize(
    ("there", "secret", "left"),
    [(OURS, True, None), (THEIRS, True, THEIRS), (OURS, False, OURS)],
    ids=["ours", "theirs", "without-a-secret"],
)
def test_our_webhook_goes_with_the_repository(tmp_path, there, secret, left):
    """Nobody else's is taken away, and a secret that is gone keeps nobody from disconnecting."""

    async def work(here, _story):
        # Else the engine may look at its webhook meanwhile, and put it right.
        here.work.cancel()
        await asyncio.gather(here.work, return_exceptions=True)
        fake = here.forge.repositories[here.url]
        fake.hook = there
        if not secret:
            here.world.vault.values.clear()
        await here.requests.remove_repository("shop", by="bob")
        kept = await here.world.store.read(lambda tx: tx.get(Repository, "shop"))
        assert (kept.active, fake.hook) == (False, left)

    play(tmp_path, "listeners: {}\n", work)


def test_nothing_puts_the_webhook_back(tmp_path):
    """Who asks for it is told how to connect it again; what is allowed may still be changed."""

    async def work(here, _story):
        here.work.cancel()
        await asyncio.gather(here.work, return_exceptions=True)
        asked = here.requests
        await asked.remove_repository("shop", by="bob")
        for wish in (
            asked.check_repository("shop"),
            asked.rotate_secret("shop", by="bob"),
            asked.webhook_secret("shop", by="bob"),
            asked.recover("shop"),
            asked.run_listener(ByHand(repository="shop", listener="x"), by="bob"),
        ):
            with pytest.raises(Conflict, match="shop is disconnected") as caught:
                await wish
            assert caught.value.hint == f"windlass repo add {here.url} connects it again"
        assert here.forge.repositories[here.url].hook is None
        change = PolicyChange(allow_forks=("acme",))
        assert (await asked.set_policy("shop", change, by="bob")).allow_forks == ("acme",)

    play(tmp_path, "listeners: {}\n", work)


def test_its_webhooks_lead_nowhere(tmp_path):
    """An endpoint of a disconnected repository is as unknown as one that never was."""

    async def work(here, _story):
        repository = await here.world.store.read(lambda tx: tx.get(Repository, "shop"))
        found = await look_up(here.world, repository.endpoint)
        assert found.repository == "shop"
        await here.requests.remove_repository("shop", by="bob")
        assert await look_up(here.world, repository.endpoint) is None

    play(tmp_path, "listeners: {}\n", work)
