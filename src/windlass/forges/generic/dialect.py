"""
A signed POST of anything: whoever has the secret may say that something happened.

The body is one JSON object, and its words are the sender's own: only `type` is
looked at, as the title. No branch, commit or person is taken from it, because
nothing but the secret vouches for them.

A sender without a secret may bring a token of an OIDC issuer that the operator trusts,
see `anchor`; where there is such an issuer, a token that is brought alone decides.
"""

from __future__ import annotations

from windlass.core.event import Event, Ignored, Kind
from windlass.forges.generic import anchor, bearer
from windlass.forges.standard_webhooks import verified
from windlass.forges.strict_json import read
from windlass.ports.forge import Request, Verified


class GenericDialect:
    """The `Dialect` of whoever signs by Standard Webhooks, or brings a token."""

    def verify(self, request: Request, secrets: tuple[bytes, ...]) -> Verified:
        """Trust the id, the time and the body together, or a token; or raise `BadDelivery`."""
        if bearer.brought(request) and any(map(anchor.is_anchor, secrets)):
            return bearer.verified(request, secrets)
        # An anchor is public, so it signs nothing; the places of the others stay.
        keys = tuple(b"" if anchor.is_anchor(one) else one for one in secrets)
        return verified(request, keys)

    def read(self, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
        """One event, whatever the object holds; raises nothing but `BadDelivery`."""
        said = read(request.body).fields.get("type")
        title = said[:200] if isinstance(said, str) and said.isprintable() else None
        return (Event(kind=Kind.GENERIC, action="received", repository=repository, title=title),)
