"""
What the web needs to work, handed in once.

Nothing in `web` reads a setting or makes an adapter: `wiring` builds `Parts`
and `app.make_app` does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from windlass.ports.executor import Logs
from windlass.ports.store import Store
from windlass.ports.target import Clock
from windlass.web.auth import Keys

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute

    from windlass.engine.requests.everything import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """
    The running program, as far as the web sees it.

    `open_reading` lets anyone read who reaches the address: right on a loopback
    address, wrong elsewhere. `hosts` are the names under which we may be addressed
    (empty: any), the guard against DNS rebinding. `url` is how people reach us.
    `hooks` are the routes that take webhooks; they guard themselves. `body_seconds` is
    how long the body of any other request may take to arrive.
    """

    store: Store
    requests: Requests
    logs: Logs
    clock: Clock
    keys: Keys
    open_reading: bool
    hosts: frozenset[str] = frozenset()
    url: str = ""
    version: str = ""
    started_at: float = 0.0
    hooks: tuple[BaseRoute, ...] = ()
    body_seconds: float = 10.0
    registry: CollectorRegistry | None = None


def loopback_hosts(url: str = "") -> frozenset[str]:
    """The names for `Parts.hosts` when bound to a loopback address; `url` adds its own."""
    own = urlsplit(url).hostname
    return frozenset({"localhost", "127.0.0.1", "::1"} | ({own} if own else set()))


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts that `make_app` was given."""
    parts = connection.app.state.parts
    if not isinstance(parts, Parts):  # pragma: no cover
        raise TypeError("make_app sets app.state.parts")
    return parts
