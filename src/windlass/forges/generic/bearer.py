"""
A request that brings a token of an OIDC issuer: `Authorization: Bearer JWT`.

The token says who asks, for whom, and until when. What is in the body it proves only by a
claim `body_sha256` (hexadecimal digits); a sender that can ask for such a claim should.
Without it a token that leaked may say anything until it expires, though but once where it
has a `jti`, which is the key of the delivery.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from copy import copy
from dataclasses import replace

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry

from windlass.core.errors import BadDelivery, BadToken, UnknownKey
from windlass.forges.generic import anchor
from windlass.forges.generic.anchor import ALGORITHMS, Anchor, SigningKey
from windlass.forges.signatures import delivery_key, raw, same
from windlass.ports.forge import Request, Verified

# Seconds by which two clocks may differ.
LEEWAY = 60
LONGEST = 16_384
# A list of claims, or of their values, that nobody means.
MOST = 100

_TOKEN = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)
_SCHEME = re.compile(r"\s*bearer\b", re.IGNORECASE)
_NAMES = frozenset().union(*ALGORITHMS.values())

Claims = Mapping[str, object]


# The library warns of the name `EdDSA`, which RFC 9864 advises against and many issuers use.
_EDWARDS = copy(JWSRegistry.algorithms["EdDSA"])
_EDWARDS.security_warning = None
# A header that is not known says nothing; `crit` is looked at below.
_REGISTRY = JWSRegistry(algorithms=sorted(_NAMES), strict_check_header=False)
_REGISTRY.max_header_length = 4096
_REGISTRY.algorithms = {**JWSRegistry.algorithms, "EdDSA": _EDWARDS}


def brought(request: Request) -> bool:
    """Whether a request brings a token, however bent."""
    return bool(_SCHEME.match(request.headers.get("authorization", "")))


def verified(request: Request, secrets: tuple[bytes, ...]) -> Verified:
    """Trust the token by the first anchor that does, or raise `BadDelivery`."""
    token = _token(request)
    why: BadDelivery = BadToken("nobody is trusted")
    for index, secret in enumerate(secrets):
        if anchor.is_anchor(secret):
            try:
                claims = _trusted(token, _anchor(secret), request.at)
                _bound(claims, request.body)
            except BadDelivery as error:
                why = error
            else:
                return Verified(_key(claims, request), index)
    raise why


def _token(request: Request) -> CompactSignature:
    value = request.headers.get("authorization", "")
    found = _TOKEN.fullmatch(value) if len(value) <= LONGEST else None
    if not found:
        raise BadToken("the authorization header is not one bearer token")
    try:
        token = jws.extract_compact(found[1].encode(), None, _REGISTRY)
    except (JoseError, ValueError, RecursionError):
        raise BadToken("the bearer token cannot be read") from None
    if not isinstance(token.headers(), dict) or {"crit", "b64"} & set(token.headers()):
        raise BadToken("the bearer token wants something that is not understood")
    return token


def _anchor(secret: bytes) -> Anchor:
    try:
        return anchor.read(secret)
    except ValueError as error:
        raise BadToken(f"a trusted issuer of this endpoint cannot be read: {error}") from error


def _trusted(token: CompactSignature, trust: Anchor, now: float) -> Claims:
    """The claims of a token, each of which holds."""
    key = _chosen(token, trust)
    try:
        good = jws.validate_compact(token, key.key, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        good = False
    if not good:
        raise BadToken("the token's signature is wrong")
    try:
        claims = orjson.loads(token.payload or b"")
    except orjson.JSONDecodeError:
        raise BadToken("the token holds no claims") from None
    if not isinstance(claims, dict):
        raise BadToken("the token holds no claims")
    _check(claims, trust, now)
    return claims


def _chosen(token: CompactSignature, trust: Anchor) -> SigningKey:
    """The key that the token names; the only one when it names none."""
    headers = token.headers()
    algorithm, kid = headers.get("alg"), headers.get("kid")
    if not isinstance(algorithm, str) or algorithm not in _NAMES:
        raise BadToken("the token is not signed by RS256, ES256 or EdDSA")
    named = [one for one in trust.keys if kid is None or one.kid == kid]
    if not named:
        raise UnknownKey("the token is signed by a key that its issuer does not have")
    fitting = [one for one in named if algorithm in one.algorithms]
    if len(fitting) != 1:
        raise BadToken("the token is signed in another way than its key is for")
    return fitting[0]


def _check(claims: Claims, trust: Anchor, now: float) -> None:
    if claims.get("iss") != trust.issuer:
        raise BadToken("the token is of another issuer")
    if trust.audience.isdisjoint(_texts(claims.get("aud"))):
        raise BadToken("the token is for another audience")
    until = _time(claims, "exp")
    if until is None or not now - LEEWAY < until:
        raise BadToken("the token has expired, or never would")
    for name in ("nbf", "iat"):
        since = _time(claims, name)
        if since is not None and not since <= now + LEEWAY:
            raise BadToken("the token is from the future")
    for name, usable in trust.claims.items():
        value = claims.get(name)
        # In Python, True is 1.
        if not any(type(value) is type(one) and value == one for one in usable):
            raise BadToken(f"the token's {name[:80]} is another")


def _time(claims: Claims, name: str) -> float | None:
    """A time in a claim, None when it is not there."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadToken(f"the token's {name} is no time")
    return float(value)


def _texts(value: object) -> frozenset[str]:
    every = value[:MOST] if isinstance(value, list) else [value]
    return frozenset(one for one in every if isinstance(one, str))


def _bound(claims: Claims, body: bytes) -> None:
    """The body has to be the one that the token was made for, if it was made for one."""
    if "body_sha256" not in claims:
        return
    said = claims["body_sha256"]
    text = raw(said) if isinstance(said, str) else b""
    if not same(text.lower(), hashlib.sha256(body).hexdigest().encode()):
        raise BadToken("the token is for another body")


def _key(claims: Claims, request: Request) -> str:
    """The token's id, or the digest of token and body: a new token is a new delivery."""
    identity = claims.get("jti")
    headers = {"id": identity} if isinstance(identity, str) else {}
    key = delivery_key(replace(request, headers=headers), "id")
    if key == identity:
        return key
    token = raw(request.headers["authorization"])
    return f"sha256:{hashlib.sha256(token + bytes(1) + request.body).hexdigest()}"
