"""
What every code host of the tests is built on: routes, rights, faults, a ledger, Git itself.

    class MyForge(Server):
        @route("GET", "/api/v1/repos/{owner}/{name}")
        def repository(self, call: Call) -> Reply:
            return Reply(200, {...})

    with MyForge(tmp_path) as forge:
        forge.faults.append(Reply(503))       # the next call is answered so, once
        ... forge.url ...

Bare repositories below `root` are served over HTTP under their path. `calls` is the ledger
of what was asked, refused calls too. `delivered` are the webhooks that were sent, with the
answer each got. A call that sends a field which the host does not know is refused, so that
an adapter cannot rely on one that is quietly ignored.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

Routed = Callable[[Any, "Call"], "Reply"]
S = TypeVar("S")

# Not the seeded one: tests that run side by side would all draw the same ports.
_CHANCE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `names` are the parts that the route names, `body` is its JSON."""

    method: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    def only(self, *known: str) -> None:
        """Refuse a body with a field that the host does not know."""
        for name in self.body:
            if name not in known:
                raise Refused(422, f"unknown field {name}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `wait` are seconds that pass before it."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0


class Refused(Exception):
    """The answer to a call that the host does not take."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"message": message})


@dataclass(frozen=True, slots=True)
class Delivered:
    """A webhook that was sent, and the status it got; 0 when nobody answered."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int


def route(method: str, path: str) -> Callable[[Routed], Routed]:
    """Make a method of a `Server` answer this; `{name}` is one part of the path, `{name+}` many."""

    def mark(function: Routed) -> Routed:
        function.__dict__["route"] = (method, path)
        return function

    return mark


class Server:
    """A code host on loopback, started and ended by `with`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Reply] = []
        self.calls: list[Call] = []
        self.delivered: list[Delivered] = []
        self.lock = threading.RLock()
        self._routes = [
            (method, _pattern(path), getattr(self, name))
            for name in dir(type(self))
            if (marked := getattr(getattr(type(self), name), "__dict__", {}).get("route"))
            for method, path in [marked]
        ]
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Answering", (_Answering,), {"forge": self})
        )
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def admit(self, call: Call) -> None:
        """Raise `Refused` for a call without the right to be made; everything is let in here."""

    def readable(self, headers: Mapping[str, str]) -> bool:
        """Whether Git may read and write with these headers."""
        return bool(headers) or True

    def asked(self, method: str, path: str) -> list[Call]:
        """The calls of this kind so far; `path` is a regular expression of the whole."""
        pattern = re.compile(path)
        return [one for one in self.calls if one.method == method and pattern.fullmatch(one.path)]

    def answer(self, call: Call) -> Reply:
        """The reply of the first route that fits."""
        with self.lock:
            self.calls.append(call)
            if self.faults:
                return self.faults.pop(0)
        try:
            self.admit(call)
            for method, pattern, function in self._routes:
                found = pattern.fullmatch(call.path)
                if method == call.method and found:
                    names = {name: unquote(text) for name, text in found.groupdict().items()}
                    with self.lock:
                        reply: Reply = function(_named(call, names))
                        return reply
        except Refused as refused:
            return refused.reply
        return Reply(404, {"message": "404 Not Found"})

    def deliver(self, url: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Send a webhook now; ten seconds are all that a forge waits."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        status = 0
        try:
            sent = {"content-type": "application/json", **headers}
            connection.request("POST", parts.path, body, sent)
            status = connection.getresponse().status
        except OSError:
            pass
        finally:
            connection.close()
        done = Delivered(url, dict(headers), body, status)
        self.delivered.append(done)
        return done

    def git(self, handler: BaseHTTPRequestHandler, path: str, query: str, body: bytes) -> None:
        """Git over HTTP, by the program that Git has for it."""
        if not self.readable({k.lower(): v for k, v in handler.headers.items()}):
            handler.send_response(401)
            handler.send_header("www-authenticate", 'Basic realm="git"')
            handler.send_header("content-length", "0")
            handler.end_headers()
            return
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": "http.receivepack",
                "GIT_CONFIG_VALUE_0": "true",
                "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant",
                "GIT_CONFIG_VALUE_1": "true",
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": handler.command,
                "CONTENT_TYPE": handler.headers.get("content-type", ""),
                "HTTP_CONTENT_ENCODING": handler.headers.get("content-encoding", ""),
                "GIT_PROTOCOL": handler.headers.get("git-protocol", ""),
                "REMOTE_USER": "someone",
            },
        )
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        handler.send_response(int(lines.pop("Status", "200").split()[0]))
        for name, value in lines.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest)


def paged(
    call: Call, found: Sequence[S], url: str, *, size: str = "per_page", largest: int = 100
) -> Reply:
    """One page of a list, with the `Link` header to the next; `size` is the host's word for it."""
    per = max(1, min(int(call.query.get(size, "20") or "20"), largest))
    page = max(1, int(call.query.get("page", "1") or "1"))
    part = list(found[(page - 1) * per : page * per])
    links = {}
    if page * per < len(found):
        query = "&".join(f"{k}={v}" for k, v in {**call.query, "page": page + 1, size: per}.items())
        links["link"] = f'<{url}{call.path}?{query}>; rel="next"'
    return Reply(200, part, links)


def _named(call: Call, names: Mapping[str, str]) -> Call:
    return Call(call.method, call.path, names, call.query, call.headers, call.body)


def _pattern(path: str) -> re.Pattern[str]:
    text = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body) if body else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are written one after the other, and would wait 40 ms for each other.
    disable_nagle_algorithm = True
    forge: ClassVar[Server]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self._body()
        path, _, query = self.path.partition("?")
        if _GIT.search(self.path):
            self.forge.git(self, unquote(path), query, body)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        pairs = {k: v[-1] for k, v in parse_qs(query, keep_blank_values=True).items()}
        reply = self.forge.answer(Call(self.command, path, {}, pairs, headers, _object(body)))
        if reply.wait:
            time.sleep(reply.wait)
        with contextlib.suppress(OSError):
            self._send(reply)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, reply: Reply) -> None:
        if isinstance(reply.body, bytes):
            raw = reply.body
        else:
            raw = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"content-type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    # The names are those of http.server.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815


# What Git asks of a repository over HTTP; everything else is the API.
_GIT = re.compile(
    r"\.git/(?:info/refs\?service=|git-(?:upload|receive)-pack)|\.git/(?:HEAD|objects/)"
)


def basic(name: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def lasting_port() -> int:
    """
    A free port that the system gives to nobody by itself.

    So a server that is away for a moment finds it free when it comes back.
    """
    while True:
        port = _CHANCE.randrange(20_000, 32_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def first(found: Iterable[S], missing: str) -> S:
    """The one that was looked for, or a 404."""
    for one in found:
        return one
    raise Refused(404, missing)
