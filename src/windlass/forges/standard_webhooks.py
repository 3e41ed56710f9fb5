"""
Standard Webhooks: a signature over the id, the time and the body together.

The only scheme of ours that tells an old request from a new one. A dot in the
id could be read as the border between id and time, so it is refused.
"""

from __future__ import annotations

import binascii
import hmac

from windlass.forges.signatures import delivery_key, header, matching, raw, untrusted
from windlass.ports.forge import Request, Verified

SIGNATURE = "webhook-signature"
# Seconds, to both sides.
TOLERANCE = 300
# While a secret is replaced a sender signs with both; nobody has more than a few.
SIGNATURES = 16
PREFIX = b"whsec_"


def verified(request: Request, secrets: tuple[bytes, ...]) -> Verified:
    """Trust the id, the time and the raw body together, or raise `BadDelivery`."""
    identity = header(request, "webhook-id")
    timestamp = header(request, "webhook-timestamp")
    signatures = header(request, SIGNATURE).split(" ")[:SIGNATURES]
    if not (identity.isascii() and identity.isprintable()) or "." in identity:
        raise untrusted("the webhook-id holds characters that it may not hold")
    _check_time(timestamp, request.at)
    given = tuple(raw(one) for one in signatures if one.startswith("v1,"))
    message = f"{identity}.{timestamp}.".encode() + request.body
    secret = matching(secrets, lambda one: _sign(one, message), given)
    return Verified(delivery_key(request, "webhook-id"), secret)


def _check_time(timestamp: str, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13):
        raise untrusted("the webhook-timestamp is no time")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise untrusted(f"the webhook is more than {TOLERANCE} seconds old, or from the future")


def _sign(secret: bytes, message: bytes) -> bytes:
    digest = hmac.digest(_key(secret), message, "sha256")
    return b"v1," + binascii.b2a_base64(digest, newline=False)


def _key(secret: bytes) -> bytes:
    """The key that a secret stands for: `whsec_BASE64`, or the bytes themselves."""
    if not secret.startswith(PREFIX):
        return secret
    try:
        return binascii.a2b_base64(secret[len(PREFIX) :]) or secret
    except binascii.Error:
        return secret
