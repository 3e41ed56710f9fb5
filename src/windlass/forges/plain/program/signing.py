"""
Standard Webhooks: how a webhook is signed, the same for sender and receiver.

>>> key(b"whsec_c2VjcmV0")
b'secret'
"""

from __future__ import annotations

import binascii
import hashlib
import hmac

PREFIX = b"whsec_"


def key(secret: bytes) -> bytes:
    """The key that a secret stands for: `whsec_BASE64`, or the bytes themselves."""
    if not secret.startswith(PREFIX):
        return secret
    try:
        decoded = binascii.a2b_base64(secret[len(PREFIX) :])
    except binascii.Error:
        return secret
    # An empty key would trust everybody.
    return decoded or secret


def sign(secret: bytes, identity: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature` for this message."""
    message = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.new(key(secret), message, hashlib.sha256).digest()
    return "v1," + binascii.b2a_base64(digest, newline=False).decode()


def headers(secret: bytes, identity: str, at: float, body: bytes) -> dict[str, str]:
    """What a signed webhook carries beside its body; `at` in UTC seconds."""
    timestamp = str(int(at))
    return {
        "content-type": "application/json",
        "user-agent": "windlass-hook/1",
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secret, identity, timestamp, body),
    }
