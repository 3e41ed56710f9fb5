"""
Where a repository is fetched from, and what that needs.

An address becomes a `Remote` here or not at all: a local path must have been
registered, a URL must use an allowed protocol, and a login leaves the URL, so
that no argument, no stored configuration and no error text has it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from windlass.core.errors import NotAllowed, UserError
from windlass.git.program import Git, git_folder
from windlass.ports.forge import Login
from windlass.reach import Reach

_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^\s]+")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:.]+")
_PORTS = {"https": 443, "http": 80, "ssh": 22}
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Remote:
    """An address that git may be given, with the settings and environment of such a call."""

    address: str
    protocol: str
    config: Mapping[str, str] = field(repr=False)
    host: str = ""
    port: int = 0

    @property
    def env(self) -> dict[str, str]:
        """The environment that lets git use this one protocol."""
        return {"GIT_ALLOW_PROTOCOL": self.protocol}

    async def pinned(self, reach: Reach) -> Remote:
        """The same, for the addresses that were looked at only. ssh is looked at and not pinned."""
        if not self.host:
            return self
        found = await reach.addresses(self.host, self.port)
        if self.protocol == "ssh" or self.host in found:
            return self
        pin = f"{self.host}:{self.port}:{','.join(found)}"
        return replace(self, config={**self.config, "http.curloptResolve": pin})


def remote(git: Git, url: str, login: Login | None = None) -> Remote:
    """The remote for a URL or a registered local path; UserError says why not."""
    if url.startswith(("/", "file:///")):
        return _local(git, url.removeprefix("file://"))
    if _CONTROL.search(url) or url.startswith("-"):
        raise _refused(git)
    if "://" not in url:
        return _scp(git, url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(git) from None
    port = port or _PORTS.get(parts.scheme, 0)
    plain = parts.scheme == "http" and git.reach.named(host, port)
    if not (plain or parts.scheme in git.protocols) or not _HOST.fullmatch(host):
        raise _refused(git)
    place = f"[{host}]" if ":" in host else host
    place += f":{parts.port}" if parts.port else ""
    if parts.scheme == "ssh":
        user = f"{parts.username}@" if parts.username else ""
        if user.startswith("-"):
            raise _refused(git)
        return Remote(f"ssh://{user}{place}{parts.path}", "ssh", {}, host, port)
    if login is None and parts.username:
        login = Login(unquote(parts.username), unquote(parts.password or ""))
    origin = f"{parts.scheme}://{place}"
    config = _header(origin, login)
    return Remote(f"{origin}{parts.path}", parts.scheme, config, host, port)


def _local(git: Git, text: str) -> Remote:
    path = Path(text)
    if not git.allowed(path):
        git_folder(path)
        raise NotAllowed(
            f"{path} is not registered, so it is not read",
            hint="connect it as a repository first",
            code="git-path-not-registered",
        )
    return Remote(str(git_folder(path)), "file", {})


def _scp(git: Git, url: str) -> Remote:
    if "ssh" not in git.protocols or not _SCP.fullmatch(url):
        raise _refused(git)
    host = url.rpartition("@")[2].partition(":")[0]
    return Remote(url, "ssh", {}, host, _PORTS["ssh"])


def _header(origin: str, login: Login | None) -> dict[str, str]:
    if login is None:
        return {}
    pair = base64.b64encode(f"{login.name}:{login.password}".encode()).decode()
    return {f"http.{origin}/.extraHeader": f"Authorization: Basic {pair}"}


def _refused(git: Git) -> UserError:
    return UserError(
        "the address of the repository is refused: it must be an absolute path or use one of: "
        + ", ".join(git.protocols),
        hint="for example https://code.example/acme/shop.git",
        code="git-address",
    )
