"""
Tokens for forges: stored sealed, for one repository's address or for a whole host.

The more exact one counts. No job can read them: their scopes are addresses, and no
repository is named like one.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from windlass.core.errors import UserError
from windlass.ports.target import Vault

TOKEN = "forge-token"  # noqa: S105 - the name of a secret, not its value
APP = "github-app"

_SHORTEST = 8


def plain_url(url: str) -> str:
    """An address without login, query, trailing slash or `.git`, so that each has one form."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise UserError(f"{url[:200]!r} is no address", code="address") from None
    host = f"[{host}]" if ":" in host else host
    path = re.sub(r"/+\Z", "", parts.path).removesuffix(".git")
    return urlunsplit((parts.scheme.lower(), host + port, path, "", ""))


def origin(url: str) -> str:
    """Scheme and host of an address."""
    parts = urlsplit(plain_url(url))
    return f"{parts.scheme}://{parts.netloc}"


def scope(url: str) -> str:
    """What a token of this address, or of this host, is stored under."""
    return f"forge:{plain_url(url)}"


def stored(vault: Vault, name: str, url: str) -> str | None:
    """The value for a repository's address: its own, or its host's."""
    for place in (scope(url), scope(origin(url))):
        if value := vault.get(name, place):
            return value.decode("utf-8", "replace").strip()
    return None


def check(token: str) -> str:
    """The token as it was meant; `UserError` when no forge has such a token."""
    token = token.strip()
    if len(token) < _SHORTEST or not token.isprintable() or " " in token or not token.isascii():
        raise UserError(
            "this is no token: it is too short, or has spaces or odd characters in it",
            hint="copy it again, on one line",
            code="token",
        )
    return token
