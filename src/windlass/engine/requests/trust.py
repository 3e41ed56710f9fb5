"""
The OIDC issuer whose tokens a connected repository trusts: look at it, change it, take it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from windlass.core.errors import UserError
from windlass.engine import issuers
from windlass.engine.audit import audit
from windlass.engine.hooks import ANCHOR
from windlass.engine.requests.asked import Asked, unknown
from windlass.ports.forge import Trust
from windlass.ports.records import Repository, TrustedIssuer
from windlass.ports.store import Tx

NOBODY = Trust(issuer="", audience="", claims={})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustChange:
    """What shall be trusted from now on; None: as before. An empty issuer: nobody any more."""

    issuer: str | None = None
    audience: str | None = None
    claims: Mapping[str, tuple[str, ...]] | None = None

    def on(self, before: Trust) -> Trust:
        """The trust with this change; `UserError` when it takes away and asks for more."""
        if self.issuer == "":
            if self.audience or self.claims:
                raise UserError("an audience and claims say nothing without an issuer", code="oidc")
            return NOBODY
        return Trust(
            issuer=before.issuer if self.issuer is None else self.issuer,
            audience=before.audience if self.audience is None else self.audience,
            claims=before.claims if self.claims is None else self.claims,
        )


def trust_in(tx: Tx, name: str) -> Trust:
    """What a repository trusts, `NOBODY` if no issuer; `NotFound` when it is not there."""
    if tx.get(Repository, name) is None:
        raise unknown(name)
    found = tx.get(TrustedIssuer, name)
    return issuers.trust_of(found) if found else NOBODY


class TrustRequests(Asked):
    """What may be asked of whom a repository trusts."""

    async def trust(self, name: str) -> Trust:
        """The issuer, `NOBODY` if there is none; `NotFound` when there is no such repository."""
        return await self._world.store.read(lambda tx: trust_in(tx, name))

    async def set_trust(self, name: str, wanted: TrustChange, *, by: str) -> Trust:
        """
        Change whose tokens are taken in place of a signature, from now on.

        The issuer's keys are read before anything is changed. `UserError` if it trusts too much.
        """
        repository = await self._connected(name)
        before = await self.trust(name)
        after = wanted.on(before)
        if after == before:
            return before
        anchor = b""
        if after.issuer:
            anchor = await issuers.anchor(self._world, after, repository.forge)
        else:
            # First of all, so that nobody is trusted any more whatever comes now.
            await self._world.secrets.put(ANCHOR, name, anchor)
        now = self._now()

        def work(tx: Tx) -> None:
            tx.save(issuers.record_of(name, after, now))
            audit(tx, by, "set trust", name, now, f"{_told(before)} -> {_told(after)}")

        await self._world.store.transaction(work)
        await self._world.secrets.put(ANCHOR, name, anchor)
        self._changed()
        return after


def _told(trust: Trust) -> str:
    if not trust.issuer:
        return "nobody"
    claims = (f"{name}={'|'.join(values)}" for name, values in trust.claims.items())
    return f"{trust.issuer} for {trust.audience}: {', '.join(claims)}"
