"""
The webhook on the forge's side: there, sending to us, and proved to arrive.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from urllib.parse import urlsplit

from windlass.core.errors import UserError
from windlass.engine.world import World
from windlass.ports.forge import Hook, HookState
from windlass.ports.records import Delivery, Repository
from windlass.ports.store import Tx
from windlass.ports.target import Vault

# The trust in an OIDC issuer stands beside the webhook secrets, under a name no person can give.
ANCHOR = "webhook:oidc"
# Seconds for a ping to arrive, and between two looks.
ARRIVES, LOOK = 10.0, 0.1
NEWEST = 5  # deliveries that are looked at for a ping


# Seconds for which the secret before is trusted beside a new one. What a forge signed with it and
# could not deliver is sent again within a day; after that only a thief would still use it.
OVERLAP = 86_400.0
# In place of a time: the forge has not been given the new secret yet.
UNFINISHED = 1e12


def current(vault: Vault, repository: Repository) -> tuple[bytes, ...]:
    """The secret that webhooks are signed with, and the issuer's anchor; nothing when gone."""
    return _held(vault, repository, "webhook", ANCHOR)


def signing_secrets(vault: Vault, repository: Repository) -> tuple[bytes, ...]:
    """The secret that webhooks are signed with; nothing when it is gone."""
    return _held(vault, repository, "webhook")


def previous(vault: Vault, repository: Repository) -> tuple[bytes, ...]:
    """The secret before, which counts until the repository's `previous_until`."""
    return _held(vault, repository, "webhook-previous")


def secrets_of(vault: Vault, repository: Repository, now: float) -> tuple[bytes, ...]:
    """What webhooks are trusted by now: the secrets that may sign, and the issuer's anchor."""
    still = now < repository.previous_until
    return current(vault, repository) + (previous(vault, repository) if still else ())


def _held(vault: Vault, repository: Repository, *names: str) -> tuple[bytes, ...]:
    found = (vault.get(name, repository.name) for name in names)
    return tuple(value for value in found if value)


def hook_of(world: World, repository: Repository) -> Hook:
    """Where this repository's webhooks go, and what they are signed with."""
    secrets = signing_secrets(world.vault, repository)
    if not secrets:
        raise UserError(
            f"the webhook secret of {repository.name} is gone",
            hint=f"connect it again: windlass repo add {repository.url}",
        )
    url = f"{world.public_url}/hooks/{repository.endpoint}"
    return Hook(url=url, secret=secrets[0], repository=repository.name)


async def ensure(world: World, repository: Repository, *, anew: bool = False) -> HookState:
    """
    Check the webhook, put it right where it is not, and note what remains wrong.

    It is set up `anew` whatever is said of it, because no forge tells its secret.
    """
    if repository.polling:
        return HookState(present=True)
    forge = world.forges[repository.forge]
    webhooks = forge.webhooks
    hook = hook_of(world, repository)
    unfinished = repository.previous_until >= UNFINISHED
    if (anew or unfinished) and not forge.by_hand:
        state = await webhooks.install(repository.url, hook)
    else:
        state = await webhooks.check(repository.url, hook)
        if not state.by_hand and (state.problem or not state.present):
            state = await webhooks.install(repository.url, hook)
    if unfinished:
        await _finish(world, repository.name)
    if forge.by_hand and await _sent(world, repository):
        state = HookState(present=True)
    await note(world, repository.name, state.problem)
    return state


async def _finish(world: World, name: str) -> None:
    """The forge has the new secret: from now on the days of the one before are counted."""
    until = world.clock.now() + OVERLAP

    def work(tx: Tx) -> None:
        known = tx.get(Repository, name)
        if known is not None and known.previous_until >= UNFINISHED:
            tx.save(replace(known, previous_until=until))

    await world.store.transaction(work)


async def _sent(world: World, repository: Repository) -> bool:
    """Whether something ever came, which is all that can be known of a sender."""
    return await world.store.read(
        lambda tx: bool(tx.find(Delivery, endpoint=repository.endpoint, limit=1))
    )


async def arrives(world: World, repository: Repository) -> float | None:
    """
    Seconds that a ping took from the forge to our disk, None where the forge sends none.

    `UserError` when it does not come: then nothing else will either.
    """
    began = world.clock.now()
    hook = hook_of(world, repository)
    if not await world.forges[repository.forge].webhooks.ping(repository.url, hook):
        return None

    def work(tx: Tx) -> bool:
        # The newest: ids sort by time, and unlike the time itself they are indexed.
        newest = tx.find(Delivery, repository=repository.name, order="-id", limit=NEWEST)
        return any(
            one.endpoint == repository.endpoint and one.received_at > began - 1.0 for one in newest
        )

    while (took := world.clock.now() - began) < ARRIVES:
        if await world.store.read(work):
            return took
        await world.clock.sleep(LOOK)
    problem = (
        f"{repository.forge} was asked for a ping, and it did not arrive within {ARRIVES:g} s"
        f" at {hook.url}: windlass doctor looks for the reason"
    )
    await note(world, repository.name, problem)
    raise UserError(problem, code="ping")


async def note(world: World, name: str, problem: str) -> None:
    """Keep what is wrong with a repository's webhook, for people to see."""

    def work(tx: Tx) -> None:
        current = tx.get(Repository, name)
        if current is not None and current.problem != problem:
            tx.save(replace(current, problem=problem))

    await world.store.transaction(work)


def unreachable(public_url: str, url: str) -> bool:
    """Whether a forge out there cannot reach us: our address is of this machine or network."""
    return _inside(public_url) and not _inside(url) and "://" in url


def _inside(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host
