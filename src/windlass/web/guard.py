"""
What every request passes before any route sees it, and every answer after.

Host name, size, who it is, and whether that is enough: checked here once, so
that no route can forget. A route that takes a form checks the form's own token
besides (`forms.py`). Webhooks guard themselves, by signature and size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass.web.auth import Session
from windlass.web.errors import Problem, plain
from windlass.web.parts import Parts

BODY_LIMIT = 256 * 1024
PATH_LIMIT = 4096
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = ("/static/", "/login", "/healthz", "/readyz", "/hooks/")
HOOKS = "/hooks/"
API = "/api/"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types windlass"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

# As they go over the wire: every answer passes here, also one of ten thousand webhooks.
_FIXED = tuple((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items())
DRESS = (*_FIXED, (b"cache-control", b"no-store"))
STATIC_DRESS = (*_FIXED, (b"cache-control", b"no-cache"))

Refuse = Callable[[Scope, Problem], ASGIApp]


def cookie_name(parts: Parts) -> str:
    """The session cookie's name; over https a prefix binds it to this host."""
    return "__Host-windlass" if parts.url.startswith("https:") else "windlass_session"


def session_of(scope: Scope) -> Session | None:
    """Who asks, as the guard found out."""
    found = scope.get("state", {}).get("session")
    return found if isinstance(found, Session) else None


def same_origin(parts: Parts, headers: Headers) -> bool:
    """Whether the browser says that one of our own pages sent this."""
    if (site := headers.get("sec-fetch-site")) is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    own = {headers.get("host", ""), urlsplit(parts.url).netloc} - {""}
    return urlsplit(origin).netloc in own


def safe_next(text: str) -> str:
    """A path of ours to go on to; anything that could lead elsewhere becomes `/`."""
    plain_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if plain_path and text.isprintable() and "\\" not in text else "/"


@dataclass(frozen=True, slots=True)
class Guard:
    """The outermost layer; `refuse` words an answer for a person or a program."""

    app: ASGIApp
    parts: Parts
    refuse: Refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or refuse."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _dressed(scope["path"], send)
        if scope["path"].startswith(HOOKS):
            await self._hook(scope, receive, answer)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["session"] = self._identify(headers)
        if (problem := self._problem(scope, headers)) is not None:
            await self.refuse(scope, problem)(scope, receive, answer)
            return
        await self.app(scope, _limited(receive, self.parts.body_seconds), answer)

    async def _hook(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A webhook goes straight to its route: the way through the rest has nothing for it."""
        for route in self.parts.hooks:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await route.handle(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _identify(self, headers: Headers) -> Session | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.parts.keys.who(token.strip(), headers.get("windlass-actor", ""))
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(cookie_name(self.parts))
        except CookieError:
            return None
        return None if morsel is None else self.parts.keys.session(morsel.value)

    def _problem(self, scope: Scope, headers: Headers) -> Problem | None:
        session, path = session_of(scope), scope["path"]
        if self.parts.hosts and _hostname(headers.get("host", "")) not in self.parts.hosts:
            return plain(421, hint="add the name to the server's `url` setting")
        if len(path) > PATH_LIMIT:
            return plain(414)
        if _declared(headers) > BODY_LIMIT:
            return plain(413)
        if headers.get("authorization") and session is None:
            return plain(401, hint="the token is not one of this server's")
        if scope["method"] in SAFE:
            readable = self.parts.open_reading or session is not None or path.startswith(OPEN)
            return None if readable else plain(401, hint="sign in, or send a token")
        if path.startswith(API):
            if session is None or not session.by_token:
                return plain(401, hint="send `Authorization: Bearer TOKEN`")
            return None
        if not same_origin(self.parts, headers):
            return plain(403, hint="the form was not sent from a page of this server")
        if session is None and not path.startswith("/login"):
            return plain(401, hint="sign in first")
        return None


def login_url(scope: Scope) -> str:
    """Where to sign in, and to come back from."""
    query = scope.get("query_string", b"").decode("latin-1")
    target = scope["path"] + (f"?{query}" if query else "")
    return "/login" if scope["method"] not in SAFE else f"/login?next={quote(target, safe='/')}"


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _declared(headers: Headers) -> int:
    try:
        return int(headers.get("content-length", "0"))
    except ValueError:
        return BODY_LIMIT + 1


def _limited(receive: Receive, seconds: float) -> Receive:
    """The same body, cut off by an error when it grows past the limit, or takes too long."""
    seen, due, whole = 0, 0.0, False

    async def limited() -> Message:
        nonlocal seen, due, whole
        if whole:  # what is waited for now is that the viewer leaves
            return await receive()
        due = due or asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(due):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        whole = not message.get("more_body", False)
        seen += len(message.get("body", b""))
        if seen > BODY_LIMIT:
            raise HTTPException(413)
        return message

    return limited


def _dressed(path: str, send: Send) -> Callable[[Message], Awaitable[None]]:
    """The same answer, with the headers that every answer has."""
    wanted = STATIC_DRESS if path.startswith("/static/") else DRESS

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            names = {name for name, _ in given}
            message["headers"] = [*given, *(pair for pair in wanted if pair[0] not in names)]
        await send(message)

    return dressed
