"""
The webhook on the forge's side: there, and sending to us.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.errors import UserError
from windlass.engine.world import World
from windlass.ports.forge import Hook, HookState
from windlass.ports.records import Repository
from windlass.ports.store import Tx
from windlass.ports.target import Vault


def secrets_of(vault: Vault, repository: Repository) -> tuple[bytes, ...]:
    """The webhook secrets that are valid now, the current one first."""
    names = ("webhook", "webhook-previous")
    found = (vault.get(name, repository.name) for name in names)
    return tuple(value for value in found if value)


def hook_of(world: World, repository: Repository) -> Hook:
    """Where this repository's webhooks go, and what they are signed with."""
    secrets = secrets_of(world.vault, repository)
    if not secrets:
        raise UserError(
            f"the webhook secret of {repository.name} is gone",
            hint=f"connect it again: windlass repo add {repository.url}",
        )
    return Hook(url=f"{world.public_url}/hooks/{repository.endpoint}", secret=secrets[0])


async def ensure(world: World, repository: Repository) -> HookState:
    """Check the webhook, put it right where it is not, and note what remains wrong."""
    webhooks = world.forges[repository.forge].webhooks
    hook = hook_of(world, repository)
    state = await webhooks.check(repository.url, hook)
    if not state.by_hand and (state.problem or not state.present):
        state = await webhooks.install(repository.url, hook)
    await _note(world, repository.name, state)
    return state


async def _note(world: World, name: str, state: HookState) -> None:
    def work(tx: Tx) -> None:
        current = tx.get(Repository, name)
        if current is not None and current.problem != state.problem:
            tx.save(replace(current, problem=state.problem))

    await world.store.transaction(work)
