"""
The keys of an OIDC issuer, found as OpenID Connect Discovery says.

    https://openid.net/specs/openid-connect-discovery-1_0.html

The IO half of a trust anchor: whoever keeps the anchor asks here now and then, for an
issuer changes its keys when it likes.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson

from windlass.core.errors import UserError
from windlass.forges.generic.anchor import KEYS, signing_keys
from windlass.forges.http.api import Json, fields, items, text
from windlass.forges.http.client import Credential, Http

PATH = "/.well-known/openid-configuration"
# What of a key is kept: what it is, what it is for, and its public numbers. Certificates are not.
PARTS = ("kty", "crv", "kid", "alg", "use", "key_ops", "n", "e", "x", "y")
NOBODY = Credential("")


async def jwks(http: Http, issuer: str) -> str:
    """
    The public signing keys of an issuer, a JSON Web Key Set.

    Raises `UserError` for what is no issuer, or one without a key that we can use; and
    what `Http.send` raises.
    """
    parts = urlsplit(_address(issuer))
    said = fields((await http.send("GET", issuer.rstrip("/") + PATH, NOBODY)).json())
    if text(said, "issuer") != issuer:
        raise UserError(
            f"{issuer} calls itself {text(said, 'issuer')[:200]!r}",
            hint="name the issuer exactly as it does itself",
        )
    where = text(said, "jwks_uri")
    if not where.startswith("https://") and _origin(where) != (parts.scheme, parts.netloc):
        raise UserError(f"{issuer} keeps its keys at {where[:200]!r}, which is not https")
    answer = fields((await http.send("GET", where, NOBODY)).json())
    listed = [one for one in items(answer.get("keys") or [])[:KEYS] if isinstance(one, dict)]
    usable = [_slim(one) for one in listed if any(signing_keys({"keys": [one]}))]
    if not usable:
        raise UserError(f"{issuer} has no key for RS256, ES256 or EdDSA")
    return orjson.dumps({"keys": usable}).decode()


def _slim(key: Json) -> Json:
    return {name: key[name] for name in PARTS if name in key}


def _address(issuer: str) -> str:
    try:
        parts = urlsplit(issuer)
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
        usable = plain and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"{issuer[:200]!r} is no issuer", hint="give its https:// address")
    return issuer


def _origin(url: str) -> tuple[str, str]:
    try:
        return urlsplit(url)[:2]
    except ValueError:
        return ("", "")
