"""
Where a repository is: its address as people paste it, and the API that speaks for it.

>>> place("https://github.com/acme/shop.git").api
'https://api.github.com/repos/acme/shop'
>>> place("https://git.corp/acme/shop/").api
'https://git.corp/api/v3/repos/acme/shop'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from windlass.core.errors import UserError

_NAME = re.compile(r"(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
_FORM = "https://github.com/OWNER/NAME, or the same on the host of a GitHub Enterprise Server"


@dataclass(frozen=True, slots=True)
class Place:
    """`web` is the host with its scheme, `base` the root of its API; neither ends in a slash."""

    url: str
    web: str
    base: str
    owner: str
    name: str

    @property
    def path(self) -> str:
        """The repository below the root of the API."""
        return f"/repos/{self.owner}/{self.name}"

    @property
    def api(self) -> str:
        """The repository in the API."""
        return self.base + self.path


def place(url: str) -> Place:
    """The parts of an address; a `UserError` when it cannot be one of GitHub."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(url, "no address") from None
    if parts.username is not None:
        # Not shown again: it may hold a token.
        raise UserError("the address holds a name or a password", hint=f"give it as {_FORM}")
    if parts.scheme not in {"https", "http"} or not host:
        raise _wrong(url, "no web address")
    owner, _, name = parts.path.strip("/").partition("/")
    name = name.removesuffix(".git")
    if parts.query or parts.fragment or not (_NAME.fullmatch(owner) and _NAME.fullmatch(name)):
        raise _wrong(url, "not the address of a repository on GitHub")
    web = origin(f"{parts.scheme}://{host}" + (f":{port}" if port else ""))
    return Place(url=url, web=web, base=base(web), owner=owner, name=name)


def origin(address: str) -> str:
    """Scheme, host and port, in one spelling: what a token belongs to."""
    parts = urlsplit(address)
    host = (
        (parts.hostname or "").removeprefix("www.") if _hosted(parts.hostname) else parts.hostname
    )
    default = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in {None, default} else f":{parts.port}"
    shown = f"[{host}]" if ":" in (host or "") else host
    return f"{parts.scheme}://{shown}{port}"


def base(web: str) -> str:
    """
    The root of the API of a host.

    >>> base("https://acme.ghe.com")
    'https://api.acme.ghe.com'
    """
    host = urlsplit(web).hostname or ""
    if host == "github.com":
        return "https://api.github.com"
    return f"https://api.{host}" if host.endswith(".ghe.com") else f"{web}/api/v3"


def _hosted(host: str | None) -> bool:
    return host in {"github.com", "www.github.com"}


def _wrong(url: str, what: str) -> UserError:
    return UserError(f"{url[:200]!r} is {what}", hint=f"give it as {_FORM}")
