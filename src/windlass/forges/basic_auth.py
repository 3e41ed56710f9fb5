"""
Basic authentication, for forges that send a password where others sign.

It proves who sent a request, never what is in it. User and password are compared
as one, still encoded, so nothing that a stranger wrote is decoded.
"""

from __future__ import annotations

from base64 import b64encode

from windlass.forges.signatures import header, matching, raw
from windlass.ports.forge import Request

USER = "windlass"


def basic_auth(request: Request, secrets: tuple[bytes, ...]) -> int:
    """Which secret is the password that came with the user `windlass`; `BadDelivery` when none."""
    given = raw(header(request, "authorization"))
    return matching(secrets, lambda secret: authorization(secret).encode(), (given,))


def authorization(secret: bytes) -> str:
    """The header that proves this secret."""
    return "Basic " + b64encode(USER.encode() + b":" + secret).decode()
