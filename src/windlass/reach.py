"""
Where this server may speak to.

Addresses come from people and from repositories, and our network position is not
theirs: whoever could make us ask `http://169.254.169.254/` or a printer next door would
see through our eyes. So a host is resolved here, every address it has must be a public
one, and the caller connects to just these: a name cannot become another address between
the look and the call. What the operator names is let through, and may be spoken to
without TLS.

>>> Reach(frozenset({"git.corp", "127.0.0.1:3000"})).named("127.0.0.1", 3000)
True
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from windlass.core.errors import NotAllowed, Transient, UserError

_PORTS = {"https": 443, "http": 80}
# Seconds for the name server.
_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """`private` are hosts, or HOST:PORT, that the operator lets us reach wherever they are."""

    private: frozenset[str] = frozenset()

    def named(self, host: str, port: int) -> bool:
        """Whether the operator named it."""
        return not self.private.isdisjoint({host, f"{host}:{port}"})

    def url(self, text: str) -> SplitResult:
        """The parts of an address that may be asked at all; `UserError` says why not."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise UserError(f"{text[:200]!r} is no address", code="address") from None
        if parts.scheme not in _PORTS or not host:
            raise UserError(f"{text[:200]!r} is no web address", code="address")
        if parts.scheme == "http" and not self.named(host, port):
            raise NotAllowed(
                f"{host} would be spoken to without TLS",
                hint=f"use https://, or name it in the setting private_hosts: {host}:{port}",
                code="address-plain",
            )
        return parts

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """
        The addresses of a host, each of which may be spoken to.

        `NotAllowed` when one of them is not public and the operator has not named the host;
        `Transient` when the name cannot be resolved.
        """
        found = await _resolve(host, port)
        if not self.named(host, port) and (inner := _inner(found)):
            raise NotAllowed(
                f"{host} is {inner}, which is not a public address",
                hint=f"if it is yours, name it in the setting private_hosts: {host}:{port}",
                code="address-private",
            )
        return found


async def _resolve(host: str, port: int) -> tuple[str, ...]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_WITHIN):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (TimeoutError, OSError, UnicodeError) as error:
        raise Transient(f"{host} cannot be resolved: {str(error) or 'no answer'}") from None
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _inner(addresses: Iterable[str]) -> str:
    """The first of them that is not public, in any spelling; empty when all are."""
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        inside = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
        if not (inside or address).is_global or address.is_multicast:
            return text
    return ""
