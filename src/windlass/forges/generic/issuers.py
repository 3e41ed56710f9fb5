"""
OIDC issuers, as the engine asks for them: their keys, and the anchor made of these.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.forges.generic import anchor, keys
from windlass.forges.http.client import Http
from windlass.ports.forge import Trust


@dataclass(frozen=True, slots=True)
class Issuers:
    """`Anchors` of whoever brings a token."""

    http: Http

    async def keys(self, issuer: str) -> str:
        """Found by discovery, through the guarded client."""
        return await keys.jwks(self.http, issuer)

    def anchor(self, trust: Trust, keys: str) -> bytes:
        """The secret that stands for this trust."""
        return anchor.written(
            issuer=trust.issuer,
            audience=trust.audience,
            claims={name: list(values) for name, values in trust.claims.items()},
            jwks=keys,
        )
