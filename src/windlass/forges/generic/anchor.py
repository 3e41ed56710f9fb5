"""
Whom an endpoint trusts besides those who have its secret: an OIDC issuer, and which of its tokens.

Such a trust anchor stands among the secrets of an endpoint as `oidc:` and an object:

    oidc:{"issuer": "https://token.actions.githubusercontent.com",
          "audience": "https://windlass.example/hooks/7",
          "claims": {"repository": "acme/shop", "ref": "refs/heads/main"},
          "jwks": {"keys": [...]}}

`audience` may be a list, and so may the value of a claim: one of them has to be the
token's. At least one claim is wanted, for a public issuer gives tokens to everybody.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

PREFIX = b"oidc:"
# Keys of an issuer that are looked at; nobody signs with more at a time.
KEYS = 100
SMALLEST_RSA = 2048
# Kind and curve of a key -> the one thing it is used for here, by its names.
ALGORITHMS: Mapping[tuple[str, str], frozenset[str]] = {
    ("RSA", ""): frozenset({"RS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

Public = RSAKey | ECKey | OKPKey
# A claim's value, or those that will do.
Claim = str | int | bool


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of an issuer, its id there, and the algorithms it may sign with."""

    kid: str
    algorithms: frozenset[str]
    key: Public


@dataclass(frozen=True, slots=True)
class Anchor:
    """An issuer, and what its tokens must say."""

    issuer: str
    audience: frozenset[str]
    claims: Mapping[str, tuple[Claim, ...]]
    keys: tuple[SigningKey, ...]


def is_anchor(secret: bytes) -> bool:
    """Whether a secret of an endpoint is a trust anchor, and so no key to sign with."""
    return secret.startswith(PREFIX)


def read(secret: bytes) -> Anchor:
    """The anchor that a secret is; `ValueError` says why it is none."""
    try:
        said = orjson.loads(secret.removeprefix(PREFIX))
    except orjson.JSONDecodeError:
        raise ValueError("it is not JSON") from None
    said = said if isinstance(said, dict) else {}
    issuer, claims = said.get("issuer"), said.get("claims")
    audience = _choices(said.get("audience"))
    if not isinstance(issuer, str) or not issuer:
        raise ValueError("it names no issuer")
    if not audience or not all(isinstance(one, str) and one for one in audience):
        raise ValueError("it names no audience")
    if not isinstance(claims, dict) or not claims or not all(map(_choices, claims.values())):
        raise ValueError("it names no claims, or one without a value")
    wanted = {name: _choices(value) for name, value in claims.items()}
    texts = frozenset(one for one in audience if isinstance(one, str))
    return Anchor(issuer, texts, wanted, tuple(signing_keys(said.get("jwks"))))


def written(
    *, issuer: str, audience: str, claims: Mapping[str, Claim | Sequence[Claim]], jwks: str
) -> bytes:
    """The secret for an anchor; `jwks` as `keys.jwks` brings it."""
    said = {
        "issuer": issuer,
        "audience": audience,
        "claims": dict(claims),
        "jwks": orjson.Fragment(jwks),
    }
    return PREFIX + orjson.dumps(said)


def signing_keys(jwks: object) -> Iterator[SigningKey]:
    """The keys of a set that may sign a token; the others are left out."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    for one in (listed if isinstance(listed, list) else [])[:KEYS]:
        if isinstance(one, dict) and (found := _signing_key(one)):
            yield found


def public(jwk: Mapping[str, object]) -> dict[str, object]:
    """A key without its private parts."""
    return {name: value for name, value in jwk.items() if name not in _PRIVATE}


def _signing_key(said: dict[str, object]) -> SigningKey | None:
    kind, curve, kid = said.get("kty"), said.get("crv", ""), said.get("kid", "")
    if not (isinstance(kind, str) and isinstance(curve, str) and isinstance(kid, str)):
        return None
    allowed = ALGORITHMS.get((kind, curve), frozenset())
    if "alg" in said:
        allowed &= {str(said["alg"])}
    operations = said.get("key_ops", ["verify"])
    signs = isinstance(operations, list) and "verify" in operations
    if not allowed or not signs or said.get("use", "sig") != "sig":
        return None
    if kind == "RSA" and _size(said.get("n")) < SMALLEST_RSA:
        return None
    try:
        key = JWKRegistry.import_key(_texts(public(said)))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return SigningKey(kid, allowed, key) if isinstance(key, Public) else None


def _size(modulus: object) -> int:
    """The bits of a number in base64url; 0 for what is none."""
    text = modulus if isinstance(modulus, str) and modulus.isascii() else ""
    try:
        raw = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==")
    except binascii.Error:
        return 0
    return int.from_bytes(raw, "big").bit_length()


def _choices(value: object) -> tuple[Claim, ...]:
    """A value, or each of a list of them; none for anything else."""
    every = value if isinstance(value, list) else [value]
    usable = [one for one in every if isinstance(one, str | int | bool) and one != ""]
    return tuple(usable) if len(usable) == len(every) else ()


def _texts(said: Mapping[str, object]) -> dict[str, str | list[str]]:
    """What a key is made of; certificates and lists are none of it."""
    return {name: value for name, value in said.items() if isinstance(value, str)}
