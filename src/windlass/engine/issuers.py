"""
OIDC issuers whose tokens an endpoint trusts: what is asked of a trust, and keys that stay fresh.

Tokens are checked without asking anybody, against keys that were read before. So the keys
are read again every hour, and soon after a token came whose key is not among them; but no
issuer is asked more than once a minute, whatever strangers send us. An issuer that does
not answer keeps the keys it had.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from windlass.core.errors import UserError, WindlassError
from windlass.engine.hooks import ANCHOR
from windlass.engine.world import Forge, World
from windlass.ports.forge import Anchors, Trust
from windlass.ports.records import Repository, TrustedIssuer
from windlass.ports.store import Tx

log = structlog.get_logger()

# Seconds between two readings, between tries of one that failed, and between any two at all.
EVERY, AGAIN, APART = 3600.0, 300.0, 60.0

# What every token has, whoever asked for it.
_EVERYBODYS = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
# Claims that say who asks. Others (a branch, the kind of event) anybody's workflow has as well.
_WHO = frozenset(
    {
        *("sub", "email", "azp", "client_id", "oid"),
        *("repository", "repository_id", "repository_owner", "repository_owner_id"),
        *("project_path", "project_id", "namespace_path", "namespace_id"),
        *("workspaceUuid", "repositoryUuid", "organization_id", "organization_slug"),
    }
)

Wished = tuple[Repository, TrustedIssuer]


def check(trust: Trust, name: str, forge: Forge) -> Anchors:
    """Who reads the keys for this trust at the forge `name`; `UserError` if it trusts too much."""
    if forge.anchors is None:
        raise UserError(
            f"the webhooks of {name} are signed, and bring no token of an OIDC issuer",
            hint="tokens are taken with --forge generic",
            code="oidc",
        )
    if not trust.issuer:
        raise UserError(
            "it is not said which issuer's tokens are trusted",
            hint="--oidc-issuer https://token.actions.githubusercontent.com, for example",
            code="oidc",
        )
    if not trust.audience:
        raise UserError(
            "it is not said for whom a token has to be, so one that was made for somebody else"
            " would be trusted here",
            hint="--oidc-audience with a word that the sender asks its token for",
            code="oidc",
        )
    if not trust.claims:
        raise UserError(
            f"it is not said what a token must claim, so any workflow of {trust.issuer} would be"
            " trusted",
            hint="say whose: --oidc-claim repository=OWNER/NAME (GitHub),"
            " --oidc-claim project_path=GROUP/NAME (GitLab)",
            code="oidc",
        )
    for claim, values in trust.claims.items():
        if not claim or not values or not all(values):
            raise UserError(f"the claim {claim!r} has no value", code="oidc")
        if claim in _EVERYBODYS:
            raise UserError(
                f"the claim {claim} does not say who asks, so it cannot be asked for",
                hint="name one that does, such as repository, project_path or sub",
                code="oidc",
            )
    if _WHO.isdisjoint(trust.claims):
        raise UserError(
            f"{' and '.join(sorted(trust.claims))} can be claimed by anybody at {trust.issuer}",
            hint="say also whose it is: --oidc-claim repository=OWNER/NAME (GitHub),"
            " --oidc-claim project_path=GROUP/NAME (GitLab), or sub=...",
            code="oidc",
        )
    return forge.anchors


async def anchor(world: World, trust: Trust, name: str) -> bytes:
    """What makes the forge `name` trust this issuer, with the keys that it has now."""
    reader = check(trust, name, world.forges[name])
    return reader.anchor(trust, await reader.keys(trust.issuer))


def trust_of(record: TrustedIssuer) -> Trust:
    """What a record says of tokens."""
    return Trust(issuer=record.issuer, audience=record.audience, claims=record.claims)


def record_of(repository: str, trust: Trust, now: float) -> TrustedIssuer:
    """The record of a trust whose keys have just been read."""
    return TrustedIssuer(
        repository=repository,
        issuer=trust.issuer,
        audience=trust.audience,
        claims=trust.claims,
        read_at=now,
        tried_at=now,
    )


class Issuers:
    """Reads the keys of trusted issuers when it is time."""

    def __init__(self, world: World, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called when an endpoint trusts other keys than before."""
        self._world = world
        self._changed = changed
        self._wished: set[str] = set()

    def unknown_key(self, repository: str) -> None:
        """A token came for this repository whose key is not known: look soon."""
        self._wished.add(repository)

    @property
    def wished(self) -> bool:
        """Whether somebody waits for a look."""
        return bool(self._wished)

    async def look(self) -> None:
        """Read the keys of every issuer that is due; one that fails is noted, and no error."""
        now = self._world.clock.now()
        trusted = await self._world.store.read(_trusted)
        self._wished &= {repository.name for repository, _ in trusted}
        issuers: dict[str, list[Wished]] = defaultdict(list)
        for one in trusted:
            issuers[one[1].issuer].append(one)
        due = {issuer: group for issuer, group in issuers.items() if self._due(group, now)}
        await asyncio.gather(*(self._read(issuer, group) for issuer, group in due.items()))

    def _due(self, group: Sequence[Wished], now: float) -> bool:
        if any(_within(now, one.tried_at, APART) for _, one in group):
            return False
        return any(
            repository.name in self._wished
            or not _within(now, one.tried_at, AGAIN if one.problem else EVERY)
            for repository, one in group
        )

    async def _read(self, issuer: str, group: Sequence[Wished]) -> None:
        """Ask one issuer, for all who trust it."""
        self._wished -= {repository.name for repository, _ in group}
        anchors = self._world.forges[group[0][0].forge].anchors
        assert anchors is not None  # noqa: S101 - `_trusted` and `check` see to it
        keys, problem = "", ""
        try:
            keys = await anchors.keys(issuer)
        except WindlassError as error:
            problem = str(error)
            log.warning("keys not read", action="issuer", issuer=issuer, why=problem)
        now = self._world.clock.now()

        def work(tx: Tx) -> list[TrustedIssuer]:
            """Only what is still trusted as it was when the issuer was asked."""
            found = [(one, tx.get(TrustedIssuer, one.repository)) for _, one in group]
            same = [one for old, one in found if one and trust_of(one) == trust_of(old)]
            for one in same:
                read_at = one.read_at if problem else now
                tx.save(replace(one, tried_at=now, read_at=read_at, problem=problem))
            return same

        still = await self._world.store.transaction(work)
        if keys:
            for one in still:
                await self._renew(one, anchors.anchor(trust_of(one), keys))

    async def _renew(self, asked: TrustedIssuer, anchor: bytes) -> None:
        """Let an endpoint trust these keys, unless something else is trusted since we asked."""
        name = asked.repository
        if self._world.vault.get(ANCHOR, name) == anchor:
            return
        await self._world.secrets.put(ANCHOR, name, anchor)
        now = await self._world.store.read(lambda tx: tx.get(TrustedIssuer, name))
        if now is None or trust_of(now) != trust_of(asked):
            # Whoever changed it may have been before us: nobody, until the next look.
            await self._world.secrets.put(ANCHOR, name, b"")
            self._wished.add(name)
        log.info("keys changed", action="issuer", repository=name)
        self._changed()


def _trusted(tx: Tx) -> list[Wished]:
    """The repositories that are connected and trust an issuer."""
    found = ((tx.get(Repository, one.repository), one) for one in tx.find(TrustedIssuer))
    return [(one, trust) for one, trust in found if one and one.active and trust.issuer]


def _within(now: float, then: float, seconds: float) -> bool:
    """Whether it is so short ago; a clock that was set back ends every wait."""
    return 0 <= now - then < seconds
