"""
An address as people paste it, and where the API speaks of it.

Nobody can tell a path prefix of the host from its name alone: owner and name are the last
two parts, and what stands before them is where the forge lives.

>>> found = place("https://git.example/code/acme/shop.git/", "Gitea")
>>> found.base, found.path
('https://git.example/code/api/v1', '/repos/acme/shop')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from windlass.core.errors import UserError

# What these forges let an owner or a repository be called.
_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]+")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`root` is where the forge lives, `path` the repository in its API, `url` what was given."""

    url: str
    origin: str
    root: str
    path: str

    @property
    def base(self) -> str:
        """Where the API begins."""
        return f"{self.root}/api/v1"


def place(url: str, forge: str) -> Place:
    """The parts of a repository's web or clone address; a `UserError` says what is wrong."""
    hint = f"give the address that {forge} shows for cloning by HTTPS: https://HOST/OWNER/NAME"
    try:
        parts = urlsplit(url.strip())
        origin = _origin(parts)
    except ValueError:
        raise UserError(f"{url[:200]!r} is no address", hint=hint, code="address") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UserError(f"{url[:200]!r} is no web address", hint=hint, code="address")
    if parts.username is not None:
        raise UserError(
            f"the address of {parts.hostname} holds a password or token",
            hint="leave it out, and store the token: windlass repo token",
            code="address",
        )
    *prefix, owner, name = ("", "", *parts.path.rstrip("/").removesuffix(".git").split("/")[1:])
    names = [*filter(None, prefix), owner, name]
    if parts.query or parts.fragment or not all(map(_NAME.fullmatch, names)):
        raise UserError(f"{url[:200]!r} is no repository of {forge}", hint=hint, code="address")
    root = "/".join([origin, *names[:-2]])
    return Place(url=url, origin=origin, root=root, path=f"/repos/{owner}/{name}")


def _origin(parts: SplitResult) -> str:
    """Scheme, host and port, each as its kind is written; `ValueError` for a port that is none."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = parts.port in {None, _PORTS.get(parts.scheme)}
    return f"{parts.scheme}://{host}" + ("" if usual else f":{parts.port}")
