"""
Whether a signature is right: the one place in which forges compare secrets.

Bytes with bytes, in constant time; a header is whatever a stranger wrote, so it
may hold anything. No secret means no trust.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable

from windlass.core.errors import BadDelivery, Unsigned
from windlass.ports.forge import Request

LONGEST_HEADER = 4096


def same(one: bytes, other: bytes) -> bool:
    """Whether two secrets or signatures are equal, in a time that does not tell."""
    return hmac.compare_digest(one, other)


def matching(
    secrets: tuple[bytes, ...], made: Callable[[bytes], bytes], given: Iterable[bytes]
) -> int:
    """Which secret made one of the given signatures; `BadDelivery` when none did."""
    given = tuple(given)
    for index, secret in enumerate(secrets):
        if secret:
            expected = made(secret)
            if any(same(expected, one) for one in given):
                return index
    raise untrusted("the signature is wrong")


def header(request: Request, name: str) -> str:
    """A header that must be there, of a length that a person could have meant."""
    value = request.headers.get(name, "")
    if not value:
        raise Unsigned(f"there is no {name} header")
    if len(value) > LONGEST_HEADER:
        raise untrusted(f"the {name} header is too long")
    return value


def raw(text: str) -> bytes:
    """A header's text as the bytes to compare; what is not Latin-1 can match nothing."""
    return text.encode("latin-1", "replace")


def delivery_key(request: Request, name: str) -> str:
    """The forge's id of a delivery, or the digest of its body when it sends no usable one."""
    value = request.headers.get(name, "")
    if 0 < len(value) <= 200 and value.isascii() and value.isprintable():
        return value
    return "sha256:" + hashlib.sha256(request.body).hexdigest()


def hmac_sha256(secret: bytes, body: bytes) -> str:
    """The signature of a body, in hexadecimal digits."""
    return hmac.digest(secret, body, "sha256").hex()


def untrusted(why: str) -> BadDelivery:
    """The error for a webhook that we do not trust; answered 401."""
    return BadDelivery(why, trusted=False)
