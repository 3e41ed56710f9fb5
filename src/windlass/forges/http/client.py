"""
The one HTTP client of all forges: time limits, guarded addresses, patience, errors of ours.

    http = Http(clock, Reach())
    answer = await http.send("GET", "https://forge.example/api/v1/user", Credential(...))

A 2xx answer comes back as `Answer`. Everything else is an exception: `NotFound`, `Denied`
(401 and 403), `Conflict`, `Permanent`, or `Transient` with the pause that the forge asked
for. Nothing is retried here, for whoever asks has a row that says when to ask again. A
forge that asked for a pause, or is out of reach, is left alone until its time (see `pace`).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx2
import orjson

from windlass.core.errors import Transient
from windlass.forges.http.answers import Answer, Denied, judged
from windlass.forges.http.pace import Circuit, Pace
from windlass.ports.target import Clock
from windlass.reach import Reach

__all__ = ["Answer", "Circuit", "Credential", "Denied", "Http"]

# Seconds for one call, from the name server to the last byte.
WITHIN = 20.0
# Bytes; more is no answer of an API.
LARGEST = 16 << 20
# What the system calls a failure by number means nothing to a person.
ERRNO = re.compile(r"^\[Errno -?\d+\] ")
# Answers kept to ask "has it changed?"; for many forges such a question is free.
KEPT = 512

Pairs = Mapping[str, str]
# The token that people stored for a repository's address, or for its host; None: there is none.
Tokens = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Credential:
    """Headers that prove who asks, and the one origin (`https://host`) that may see them."""

    origin: str
    headers: Pairs = field(default_factory=dict, repr=False)


class Http:
    """Shared by all adapters. Close it at the end."""

    def __init__(self, clock: Clock, reach: Reach, *, within: float = WITHIN) -> None:
        self._clock = clock
        self._within = within
        self._reach = reach
        self._pace = Pace()
        self._client = httpx2.AsyncClient(
            transport=_Guarded(reach), trust_env=False, follow_redirects=False, timeout=within
        )
        self._kept: OrderedDict[tuple[str, str], tuple[str, Answer]] = OrderedDict()

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

    def circuits(self) -> tuple[Circuit, ...]:
        """The forges that are left alone just now, and why."""
        return self._pace.circuits(self._clock.now())

    async def send(  # noqa: PLR0913 - what a request has, each with a default
        self,
        method: str,
        url: str,
        credential: Credential,
        *,
        body: object = None,
        headers: Pairs | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """
        One call. `body` is sent as JSON. The credential goes to its own origin or nowhere.

        Raises `UserError`s (`NotFound`, `Denied`, `NotAllowed`), `Permanent` or `Transient`.
        """
        parts = self._reach.url(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        secret = credential.headers if origin == credential.origin else {}
        who = f"{origin} {hash(tuple(sorted(secret.items())))}"
        self._pace.ask(origin, who, self._clock.now())
        target = url if not params else str(httpx2.URL(url).copy_merge_params(dict(params)))
        request = {"accept": "application/json", **(headers or {}), **secret}
        known = self._kept.get((who, target)) if method == "GET" else None
        if known:
            request["if-none-match"] = known[0]
        if body is not None:
            request["content-type"] = "application/json"
        content = None if body is None else orjson.dumps(body)
        try:
            answer = await self._exchange(method, target, request, content)
        except Transient as error:
            self._pace.failed(origin, str(error), self._clock.now())
            raise
        self._pace.answered(origin, who, answer, self._clock.now())
        if answer.status == 304 and known:
            return known[1]
        judged(method, target, answer, secret.values(), self._clock.now())
        if method == "GET" and (etag := answer.headers.get("etag")):
            self._keep((who, target), (etag, answer))
        return answer

    async def _exchange(
        self, method: str, url: str, headers: Pairs, content: bytes | None
    ) -> Answer:
        host = httpx2.URL(url).host
        try:
            async with asyncio.timeout(self._within):
                stream = self._client.stream(method, url, headers=dict(headers), content=content)
                async with stream as response:
                    data = bytearray()
                    async for part in response.aiter_bytes():
                        data += part
                        if len(data) > LARGEST:
                            raise Transient(f"{host} answered with more than {LARGEST >> 20} MiB")
                    return Answer(response.status_code, response.headers, bytes(data))
        except TimeoutError:
            raise Transient(f"{host} did not answer within {self._within:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ssl.SSLError) as error:
            raise Transient(
                f"{host} cannot be asked: {ERRNO.sub('', str(error)) or type(error).__name__}"
            ) from None

    def _keep(self, key: tuple[str, str], value: tuple[str, Answer]) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


class _Guarded(httpx2.AsyncBaseTransport):
    """
    Connects to addresses that were looked at, and to no others.

    One pool for each host: a connection that was proved to be to one is not used for another
    that has the same address.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._pools: dict[tuple[str, str, int], httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask the address in place of the name; TLS still proves the name."""
        url = request.url
        host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        address = (await self._reach.addresses(host, port))[0]
        pool = self._pools.get((url.scheme, host, port))
        if pool is None:
            pool = self._pools[url.scheme, host, port] = httpx2.AsyncHTTPTransport(
                trust_env=False, limits=httpx2.Limits(max_connections=8)
            )
        request.url = url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": host}
        try:
            return await pool.handle_async_request(request)
        finally:
            request.url = url

    async def aclose(self) -> None:
        """Close every pool."""
        for pool in self._pools.values():
            await pool.aclose()
