"""
Which repository an endpoint belongs to, and what its webhooks are checked with.

Repositories are few and change seldom, so what was looked up is kept until
somebody says that it changed; secrets are decrypted once. Unknown endpoints are
remembered too, but only so many of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from windlass.ports.forge import Dialect

SHAPE = re.compile(r"[A-Za-z0-9_-]{8,64}")
UNKNOWN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    One webhook address; `secrets` may sign.

    Those of `previous` may until `previous_until` (UTC seconds).
    """

    name: str
    repository: str
    dialect: Dialect
    secrets: tuple[bytes, ...] = field(repr=False)
    previous: tuple[bytes, ...] = field(default=(), repr=False)
    previous_until: float = 0.0

    def trusted(self, now: float) -> tuple[bytes, ...]:
        """The secrets that may sign now, the current one first."""
        return self.secrets + (self.previous if now < self.previous_until else ())


LookUp = Callable[[str], Awaitable[Endpoint | None]]


class Endpoints:
    """Endpoints by name, looked up once."""

    def __init__(self, look_up: LookUp) -> None:
        """`look_up` asks the store; it is called again after `forget`."""
        self._look_up = look_up
        self._known: dict[str, Endpoint] = {}
        self._unknown: set[str] = set()
        self._changes = 0

    async def of(self, name: str) -> Endpoint | None:
        """The endpoint of this name, if there is one."""
        if (known := self._known.get(name)) is not None:
            return known
        if name in self._unknown or not SHAPE.fullmatch(name):
            return None
        changes = self._changes
        found = await self._look_up(name)
        if changes == self._changes:  # what was found before a change may be stale
            self._keep(name, found)
        return found

    def forget(self) -> None:
        """A repository or one of its secrets has changed: look everything up anew."""
        self._changes += 1
        self._known.clear()
        self._unknown.clear()

    def _keep(self, name: str, found: Endpoint | None) -> None:
        if found is not None:
            self._known[name] = found
            return
        if len(self._unknown) >= UNKNOWN:
            self._unknown.clear()
        self._unknown.add(name)
