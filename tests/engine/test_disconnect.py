"""A repository that is disconnected: its webhook goes, and only ours."""

from __future__ import annotations

import asyncio

import pytest
from playing import play

from windlass.ports.forge import Hook
from windlass.ports.records import Repository

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
