"""
Where a project is: its address as people paste it, and what could be GitLab's API there.

A GitLab of one's own may live under a path (`https://host/gitlab`), and groups nest, so an
address alone does not tell where the path ends and the groups begin. `bases` are the places
where the API may be, the shortest path first: `https://host/api/v4`, and so on.

>>> found = address("https://git.example.org/gitlab/acme/tools/shop.git/")
>>> [(base, path) for base, path in found.bases()][1]
('https://git.example.org/gitlab/api/v4', 'acme/tools/shop')
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from windlass.core.errors import UserError

API = "/api/v4"
# GitLab's own service; it has no path before its groups, so nothing need be tried.
CLOUD = "gitlab.com"

_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Address:
    """`origin` is `scheme://host[:port]`, `parts` what follows, without `.git`."""

    origin: str
    parts: tuple[str, ...]

    def bases(self) -> Iterator[tuple[str, str]]:
        """Address of the API and path of the project, for every place where it may be."""
        # A project has at least one group, or its owner, before it.
        last = 0 if urlsplit(self.origin).hostname == CLOUD else len(self.parts) - 2
        for at in range(last + 1):
            prefix = "".join(f"/{part}" for part in self.parts[:at])
            yield f"{self.origin}{prefix}{API}", "/".join(self.parts[at:])


def address(url: str) -> Address:
    """The parts of a project's web or clone address; `UserError` when it cannot be one."""
    try:
        split = urlsplit(url.strip())
        host, _ = split.hostname, split.port
    except ValueError:
        host = None
    if not host or split.scheme not in {"http", "https"}:
        raise _wrong("it is no web address")
    if "@" in split.netloc:
        raise _wrong("it holds a name or a password, which belong into `windlass repo token`")
    if split.query or split.fragment:
        raise _wrong("it has something behind its path")
    parts = tuple(split.path.strip("/").removesuffix(".git").split("/"))
    if "-" in parts:
        raise _wrong("it is a page of a project, not the project")
    if len(parts) < 2 or not all(_PART.fullmatch(part) and set(part) != {"."} for part in parts):
        raise _wrong("it names no group and project")
    return Address(f"{split.scheme}://{split.netloc.lower()}", parts)


def _wrong(why: str) -> UserError:
    return UserError(
        f"this cannot be the address of a GitLab project: {why}",
        hint="give it as its page shows it: https://HOST/GROUP/PROJECT",
        code="address",
    )
