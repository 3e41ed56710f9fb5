"""
Is everything in order around this server? Each answer passes, or says what to do.

The questions are those that people ask when nothing happens: can the code host reach us,
may we speak to it, is the hook there, did anything arrive, is there room on the disk.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import urlsplit

from windlass.core.errors import WindlassError
from windlass.engine import tokens
from windlass.engine.hooks import hook_of, unreachable
from windlass.engine.requests.repositories import PLAIN
from windlass.engine.world import World
from windlass.ports.records import Delivery, Refusal, Repository, TrustedIssuer
from windlass.ports.store import Above, Tx

# Bytes, and the share of the disk, below which it counts as full.
ROOM, SHARE = 1 << 30, 0.03
# Seconds that two clocks may differ: signed times are trusted for five minutes.
APART = 60.0
# Seconds of refused requests that are looked at.
LATELY = 86400.0
# Deliveries that are looked at, and what is said of one that a request brought.
LATEST = 50
WEBHOOK = "webhook"
# The write-ahead file grows past this only when something keeps it from being emptied.
WAL = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer. `check` names it, and is stable; `fix` is what to do, empty when all is well."""

    check: str
    subject: str
    said: str
    fix: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to do."""
        return not self.fix


async def examine(world: World) -> tuple[Finding, ...]:
    """Every finding: of the server first, then of each repository."""
    repositories = await world.store.read(lambda tx: tx.find(Repository, active=True, order="name"))
    server: list[Awaitable[list[Finding]]] = [
        _address(world, repositories),
        _clock(world, repositories),
        _disk(world),
        _database(world),
        _sandbox(world),
    ]
    asked = [*server, *(_repository(world, one) for one in repositories)]
    found = [one for part in await asyncio.gather(*asked) for one in part]
    return (*found[:1], *_left_alone(world, repositories), *found[1:])


async def _address(world: World, repositories: list[Repository]) -> list[Finding]:
    url = world.public_url
    cut_off = [one for one in repositories if unreachable(url, one.url) and not one.polling]
    if cut_off:
        names = ", ".join(one.name for one in cut_off[:3])
        fix = "set public_url to an address that they reach, or connect with --poll"
        said = (
            f"{url} is of this machine or network only; the code hosts of {names} cannot reach it"
        )
        return [Finding(check="address", subject=url, said=said, fix=fix)]
    try:
        looked = await world.outlook.look(f"{url}/healthz")
    except WindlassError as error:
        fix = "check public_url, its name server entry, and the proxy in front of the server"
        return [Finding(check="address", subject=url, said=f"not reached: {error}", fix=fix)]
    if looked.status != 200:
        fix = "somebody else answers there: check public_url and the proxy in front of the server"
        said = f"{url}/healthz is answered {looked.status}"
        return [Finding(check="address", subject=url, said=said, fix=fix)]
    found = [Finding(check="address", subject=url, said="it answers")]
    if urlsplit(url).scheme == "http" and not unreachable(url, "https://elsewhere.example"):
        fix = "put TLS in front of the server and set public_url to https://"
        said = "webhooks and tokens cross the network in clear text"
        found.append(Finding(check="tls", subject=url, said=said, fix=fix))
    return found


async def _clock(world: World, repositories: list[Repository]) -> list[Finding]:
    hosts = sorted({tokens.origin(one.url) for one in repositories if "://" in one.url})
    for host in hosts:
        try:
            looked = await world.outlook.look(host)
        except WindlassError:
            continue
        if looked.clock is None:
            continue
        apart = world.clock.now() - looked.clock
        if abs(apart) > APART:
            said = f"this machine's clock differs from {host} by {apart:+.0f} s"
            fix = "let the machine keep its time (chrony, systemd-timesyncd)"
            return [Finding(check="clock", subject=host, said=said, fix=fix)]
        return [Finding(check="clock", subject=host, said=f"it agrees within {abs(apart):.0f} s")]
    return []


async def _disk(world: World) -> list[Finding]:
    usage = await asyncio.to_thread(shutil.disk_usage, world.data)
    said = f"{usage.free >> 20} MiB of {usage.total >> 20} MiB are free"
    tight = usage.free < min(ROOM, usage.total * SHARE)
    fix = (
        f"make room where {world.data} is; when it is full, webhooks are answered 503"
        if tight
        else ""
    )
    return [Finding(check="disk", subject=str(world.data), said=said, fix=fix)]


async def _database(world: World) -> list[Finding]:
    path = world.data / "windlass.db"
    if wrong := await asyncio.to_thread(world.outlook.unsound):
        fix = "stop the server, keep a copy of the file, and restore the last backup"
        return [Finding(check="database", subject=str(path), said="; ".join(wrong)[:300], fix=fix)]
    wal = path.with_name(path.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > WAL:
        fix = "find the program that keeps the database open, and end it"
        return [
            Finding(check="database", subject=str(wal), said=f"it has {size >> 20} MiB", fix=fix)
        ]
    return [Finding(check="database", subject=str(path), said="it is sound")]


async def _sandbox(world: World) -> list[Finding]:
    """No fix of its own: nothing is wrong with a server that runs no strangers' code."""
    who = "every job" if world.isolation.everyone else "a stranger's job that was released"
    said = f"{who} runs in it"
    if world.isolation.missing:
        said = f"strangers' code is not run, released or not: {world.isolation.missing}"
    return [Finding(check="sandbox", subject="bubblewrap", said=said)]


def _left_alone(world: World, repositories: list[Repository]) -> list[Finding]:
    now = world.clock.now()
    hosts = {urlsplit(one.url).hostname or "" for one in repositories} - {""}
    return [
        Finding(
            check="code host",
            subject=one.origin,
            said=f"it is left alone for another {one.until - now:.0f} s: {one.reason}",
            fix="nothing, if it passes by itself; else see what the code host says of its state",
        )
        for one in world.outlook.circuits()
        if _is_of(urlsplit(one.origin).hostname or "", hosts)
    ]


def _is_of(host: str, hosts: set[str]) -> bool:
    """Whether it is one of them, or a part of one: the API of github.com is api.github.com."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


async def _repository(world: World, repository: Repository) -> list[Finding]:
    found = await _hook(world, repository)
    now = world.clock.now()

    def work(tx: Tx) -> tuple[list[Delivery], list[Refusal], TrustedIssuer | None]:
        came = tx.find(Delivery, repository=repository.name, order="-id", limit=LATEST)
        refused = tx.find(Refusal, repository=repository.name, at=Above(now - LATELY))
        return came, refused, tx.get(TrustedIssuer, repository.name)

    came, refused, trust = await world.store.read(work)
    if trust and trust.issuer:
        found.append(_issuer(trust, now))
    if refused:
        found.append(_refused(world, repository, refused, came))
    said = "none has come yet"
    if came:
        said = f"the last came {now - came[0].received_at:.0f} s ago ({came[0].state})"
    found.append(Finding(check="delivery", subject=repository.name, said=said))
    return found


def _refused(
    world: World, repository: Repository, refused: list[Refusal], came: list[Delivery]
) -> Finding:
    """Requests that were not taken; it is over when one was taken after the last of them."""
    name = repository.name
    often = Counter(f"{one.status} {one.reason}" for one in refused).most_common(1)[0]
    many = f"{len(refused)} requests were" if len(refused) > 1 else "1 request was"
    said = f"{many} refused in the last day, mostly: {often[0]}"
    last = max(one.at for one in refused)
    since = [one for one in came if one.source == WEBHOOK and one.received_at > last]
    if since:
        count = f"{len(since)} or more" if len(since) == LATEST else str(len(since))
        return Finding(check="refused", subject=name, said=f"{said}; since then {count} came")
    forge = world.forges.get(repository.forge)
    fix = f"windlass repo check {name} gives the code host the present secret"
    if forge and forge.by_hand:
        fix = (
            f"have the sender sign with what `windlass repo secret {name}` prints,"
            " or bring a token that claims what was named when it was connected"
        )
    elif repository.forge == PLAIN:
        fix = f"windlass repo check {name} gives the hook the present secret"
    return Finding(check="refused", subject=name, said=said, fix=fix)


def _issuer(trust: TrustedIssuer, now: float) -> Finding:
    """How old the keys are that tokens are checked against, and why they are no younger."""
    said = f"{trust.repository} trusts its tokens; its keys were read {_ago(now - trust.read_at)}"
    fix = ""
    if trust.problem:
        said += f", and not {_ago(now - trust.tried_at)}: {trust.problem}"
        fix = (
            "nothing, if it passes by itself: the keys that it had count until then; else see that"
            f" this machine reaches {trust.issuer}, and that it still calls itself so"
        )
    return Finding(check="issuer", subject=trust.issuer, said=said, fix=fix)


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"


async def _hook(world: World, repository: Repository) -> list[Finding]:
    name = repository.name
    forge = world.forges.get(repository.forge)
    if forge is None:
        fix = "use a version of Windlass that knows it, or disconnect the repository"
        said = f"this server knows no forge {repository.forge}"
        return [Finding(check="forge", subject=name, said=said, fix=fix)]
    if forge.by_hand:
        said = "who sends cannot be asked; `delivery` says when something came"
        return [Finding(check="hook", subject=name, said=said)]
    try:
        await forge.source.default_branch(repository.url)
    except WindlassError as error:
        hint = getattr(error, "hint", "") or "windlass repo token stores a token with more rights"
        return [Finding(check="access", subject=name, said=str(error), fix=hint)]
    if repository.polling:
        return [Finding(check="hook", subject=name, said="it is polled, and needs no webhook")]
    try:
        state = await forge.webhooks.check(repository.url, hook_of(world, repository))
    except WindlassError as error:
        hint = getattr(error, "hint", "") or f"windlass repo check {name}"
        return [Finding(check="hook", subject=name, said=str(error), fix=hint)]
    if state.problem or not state.present:
        said = state.problem or "the webhook is not there"
        fix = state.problem if state.by_hand else f"windlass repo check {name} puts it right"
        return [Finding(check="hook", subject=name, said=said, fix=fix)]
    return [Finding(check="hook", subject=name, said="the webhook is there and sends to us")]
