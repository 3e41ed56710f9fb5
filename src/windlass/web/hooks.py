"""
The one route that forges speak to: `POST /hooks/ENDPOINT`.

The order is the point. Size, type and endpoint first; then the raw body against
its signature; only what is trusted is looked into; and 202 says that the disk has
it. Everything else is a plain answer with a reason, noted where people can see it,
and nothing that goes wrong in here shows its inside.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson
import structlog
from starlette.routing import BaseRoute, Route
from starlette.types import Receive as Read
from starlette.types import Scope, Send

from windlass.core.errors import (
    BadDelivery,
    BadToken,
    Conflict,
    Transient,
    UnknownKey,
    Unsigned,
)
from windlass.engine.receive import LARGE, Arrival, Receive
from windlass.engine.refuse import Refusals, Refused
from windlass.engine.wellformed import wellformed
from windlass.ports.forge import Request
from windlass.ports.target import Clock
from windlass.web.endpoints import Endpoint, Endpoints
from windlass.web.limits import Deadlines, Limits, Throttle

log = structlog.get_logger()

EVENT_HEADERS = ("x-github-event", "x-gitea-event", "x-forgejo-event", "x-gogs-event",
                 "x-event-key", "x-windlass-event")  # fmt: skip
PINGS = frozenset({"ping", "diagnostics:ping"})
RETRY_AFTER = 5.0
Headers = Mapping[str, str]


class Answer(Exception):
    """A refusal: what is said, and with which status. `kept` notes it for people."""

    def __init__(
        self, status: int, code: str, message: str, *, hint: str = "", wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.wait = wait


@dataclass(slots=True)
class Visit:
    """One request on its way in, since `began` (of `time.perf_counter`); what is known of it."""

    name: str
    source: str
    headers: Headers
    began: float = field(default_factory=time.perf_counter)
    repository: str = ""
    size: int = 0
    read: bool = False


@dataclass(slots=True, kw_only=True)
class Hooks:
    """
    The route's program, shared by all endpoints; `url` is ours, without a slash at its end.

    `unknown_key` is told the repository for which a token came whose key is not known.
    """

    receive: Receive
    endpoints: Endpoints
    refusals: Refusals
    clock: Clock
    url: str = ""
    limits: Limits = field(default_factory=Limits)
    unknown_key: Callable[[str], None] = lambda _: None
    _throttle: Throttle = field(init=False)
    _deadlines: Deadlines = field(default_factory=Deadlines, init=False)
    _held: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._throttle = Throttle(self.limits.refusals)

    async def __call__(self, scope: Scope, receive: Read, send: Send) -> None:
        """Answer one request, whatever happens."""
        visit = _visit(scope)
        try:
            status, identity = await self._in_time(scope["method"], visit, receive)
        except _Gone:
            return
        except Exception as error:  # noqa: BLE001 - the route's one place
            if isinstance(error, UnknownKey):
                self.unknown_key(visit.repository)
            await self._refuse(visit, _answer(error, visit), send)
            return
        finally:
            self._held -= visit.size
        url = f"{self.url}/api/v1/deliveries/{identity}"
        await _send(send, status, orjson.dumps({"delivery": identity, "url": url}))

    async def _in_time(self, method: str, visit: Visit, receive: Read) -> tuple[int, str]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a server calls us in a task
        self._deadlines.set(task, self.limits.slow)
        try:
            verified = await self._verified(method, visit, receive)
            self._deadlines.set(task, self.limits.store)
            visit.read = True
            return await self._store(visit, *verified)
        except asyncio.CancelledError as ended:
            if self._deadlines.missed(task):
                raise TimeoutError from ended
            raise
        finally:
            self._deadlines.end(task)

    async def _verified(
        self, method: str, visit: Visit, receive: Read
    ) -> tuple[Endpoint, Request, str]:
        """A request that may be trusted, and its key; any other ends in an exception."""
        if method != "POST":
            raise Answer(405, "method", "webhooks are sent by POST")
        at = self.clock.now()
        if wait := self._throttle.wait(visit.source, visit.name, at):
            raise Answer(429, "too-many", "too many refused requests from here", wait=wait)
        endpoint = await self.endpoints.of(visit.name)
        if endpoint is None:
            raise Answer(404, "not-found", "there is no such webhook address")
        visit.repository = endpoint.repository
        _check_type(visit.headers)
        raw = await self._body(visit, receive)
        request = Request(headers=visit.headers, body=raw, at=at)
        verified = endpoint.dialect.verify(request, endpoint.trusted(at))
        return endpoint, request, verified.delivery_key

    async def _store(
        self, visit: Visit, endpoint: Endpoint, request: Request, key: str
    ) -> tuple[int, str]:
        raw = request.body
        body = wellformed(raw) if len(raw) < LARGE else await asyncio.to_thread(wellformed, raw)
        ping = not PINGS.isdisjoint(map(visit.headers.get, EVENT_HEADERS))
        arrival = Arrival(
            endpoint=endpoint.name,
            repository=endpoint.repository,
            key=key,
            headers=visit.headers,
            body=body.content,
            digest=hashlib.sha256(raw).hexdigest(),
            at=request.at,
            note=body.note,
            ping=ping,
            began=visit.began,
        )
        return (200 if ping else 202), await self.receive(arrival)

    async def _body(self, visit: Visit, receive: Read) -> bytes:
        """The raw body; refused before it is read when it says that it is too large."""
        declared = visit.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.limits.body:
            raise _too_large(self.limits.body)
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            part: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            parts.append(part)
            visit.size += len(part)
            self._held += len(part)
            if visit.size > self.limits.body:
                raise _too_large(self.limits.body)
            if self._held > self.limits.held:
                raise Transient("too many bodies at once", retry_after=RETRY_AFTER)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _refuse(self, visit: Visit, answer: Answer, send: Send) -> None:
        if answer.status != 429:
            self._throttle.count(visit.source, visit.name, self.clock.now())
            self.refusals.note(
                Refused(
                    endpoint=visit.name,
                    repository=visit.repository,
                    status=answer.status,
                    reason=answer.message,
                    source=visit.source,
                    headers=visit.headers,
                    size=visit.size,
                )
            )
        extra = [(b"connection", b"close")] if answer.status in {408, 413, 415} else []
        if answer.wait is not None:
            extra.append((b"retry-after", str(math.ceil(answer.wait)).encode()))
        if answer.status == 405:
            extra.append((b"allow", b"POST"))
        words = {"code": answer.code, "message": answer.message, "hint": answer.hint}
        await _send(send, answer.status, orjson.dumps({"error": words}), extra)


class _Gone(Exception):
    """The sender hung up."""


def routes(hooks: Hooks) -> tuple[BaseRoute, ...]:
    """What `Parts.hooks` takes."""
    return (Route("/hooks/{endpoint}", hooks, methods=None, name="hooks"),)


def _visit(scope: Scope) -> Visit:
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    headers = dict(pairs)
    if len(headers) != len(pairs):  # a header that came twice is one, as RFC 9110 has it
        headers = {name: ", ".join(v for n, v in pairs if n == name) for name in headers}
    client = scope.get("client")
    return Visit(scope["path_params"]["endpoint"], client[0] if client else "", headers)


def _check_type(headers: Headers) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Answer(415, "media-type", "send the body as it is, without Content-Encoding")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise Answer(
            415,
            "media-type",
            "the body must be JSON",
            hint="set the webhook's content type to application/json",
        )


def _too_large(limit: int) -> Answer:
    return Answer(413, "too-large", f"the body is larger than {limit // 1024} KiB")


def _answer(error: Exception, visit: Visit) -> Answer:
    match error:
        case Answer():
            return error
        case UnknownKey():
            hint = "the issuer's keys are read again within a minute or two; send it again then"
            return Answer(401, "token", str(error), hint=hint)
        case BadToken():
            hint = "compare its claims with the issuer, audience and claims that were named here"
            return Answer(401, "token", str(error), hint=hint)
        case Unsigned():
            hint = "sign the request with the secret of the repository; see Signed posts"
            return Answer(401, "signature", str(error), hint=hint)
        case BadDelivery(trusted=False):
            hint = "check that the forge and the repository here have the same webhook secret"
            return Answer(401, "signature", str(error), hint=hint)
        case BadDelivery():
            return Answer(400, "malformed", str(error))
        case Conflict():
            return Answer(409, error.code, error.message, hint=error.hint)
        case TimeoutError() if not visit.read:
            return Answer(408, "slow", "the body did not arrive in time")
        case Transient() | TimeoutError():
            return _not_stored(getattr(error, "retry_after", None))
        case _:
            # Formatted here: a trace with local variables would show bodies and secrets.
            trace = "".join(traceback.format_exception(error))
            log.error("hook failed", action="receive", repository=visit.repository, trace=trace)
            return _not_stored(None)


def _not_stored(wait: float | None) -> Answer:
    again = RETRY_AFTER if wait is None else wait
    return Answer(503, "not-stored", "it could not be stored; send it again", wait=again)


async def _send(
    send: Send, status: int, body: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *(extra or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
