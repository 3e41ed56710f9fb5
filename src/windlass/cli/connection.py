"""
Where the server is, and how to ask it.

Flags come first, then `WINDLASS_SERVER` and `WINDLASS_TOKEN` (or `_FILE`), then what
`windlass up` left in the data folder: `server.json` and the token.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from windlass.cli.exits import Exit, Failure
from windlass.cli.output import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
P = ParamSpec("P")
T = TypeVar("T")

CODES = {
    401: Exit.AUTHENTICATION,
    403: Exit.AUTHENTICATION,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
}
Query = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A server and the token for it."""

    url: str
    token: str = field(repr=False)


def find(server: str, token: str) -> Found:
    """
    The server and the token, from flags, variables, or what `windlass up` left.

    The token in the data folder is for the server of that folder: one that is named
    otherwise is never sent it.
    """
    url = (server or os.environ.get("WINDLASS_SERVER", "")).rstrip("/")
    secret = token or _from_environment()
    if url and secret:
        return Found(url, secret)
    own = _own_server()
    if url and url != own.url:
        return Found(url, secret)
    return Found(own.url, secret or own.token)


def _from_environment() -> str:
    if said := os.environ.get("WINDLASS_TOKEN", ""):
        return said
    name = os.environ.get("WINDLASS_TOKEN_FILE")
    if not name:
        return ""
    try:
        return Path(name).read_text("utf-8").strip()
    except OSError as error:
        raise Failure(
            f"The token file cannot be read: {error.strerror}.",
            where=f"WINDLASS_TOKEN_FILE={name}",
            next_step="give a file that holds the token, or set WINDLASS_TOKEN",
        ) from error


def _own_server() -> Found:
    """The server of the data folder: where it runs now, else where it would."""
    from windlass.cli.local.operator import read_settings

    settings = read_settings({})
    url = settings.public_url
    with suppress(OSError, ValueError, AttributeError):
        url = str(json.loads((settings.data / "server.json").read_text("utf-8"))["url"])
    token = settings.api_token
    if not token:
        with suppress(OSError):
            token = settings.api_token_path.read_text("utf-8").strip()
    return Found(url.rstrip("/"), token)


def actor() -> str:
    """The name that a shared token acts under."""
    with suppress(KeyError, OSError):
        name = os.environ.get("WINDLASS_ACTOR") or getpass.getuser()
        return name if _sendable(name) else ""
    return ""


def _sendable(text: str) -> bool:
    """Whether a header can hold it."""
    return text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class Api:
    """A server to ask. `as_json` prints answers as they came."""

    url: str
    token: str = field(repr=False)
    as_json: bool = False

    @contextmanager
    def client(self) -> Iterator[httpx2.Client]:
        """An HTTP client that knows the server and the token."""
        import httpx2

        if not self.url.startswith(("http://", "https://")):
            raise Failure(
                f"{self.url!r} is not the address of a server.",
                next_step="write it as http://HOST:PORT or https://HOST",
                code=Exit.USAGE,
            )
        if not _sendable(self.token):
            raise Failure(
                "The token holds characters that no token has.",
                next_step="copy it again, on one line",
                code=Exit.AUTHENTICATION,
            )
        headers = {"Windlass-Actor": actor()} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        limits = httpx2.Timeout(30.0, read=60.0)
        try:
            with httpx2.Client(
                base_url=f"{self.url}/api/v1", headers=headers, timeout=limits
            ) as client:
                yield client
        except (httpx2.TransportError, httpx2.InvalidURL, UnicodeError) as error:
            raise Failure(
                f"The server does not answer: {_ERRNO.sub('', str(error))}",
                where=self.url,
                next_step="start it with `windlass up`, or say where it is with --server",
            ) from error

    def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: object = None,
        *,
        key: str = "",
    ) -> bytes:
        """
        One request; the body of its answer, or a `Failure` in the server's words.

        What is asked again with the same `key` is done once.
        """
        given = {key: value for key, value in (query or {}).items() if value not in {"", None}}
        headers = {"Idempotency-Key": key} if key else {}
        with self.client() as client:
            answer = client.request(method, path, params=given, json=body, headers=headers)
        if answer.is_error:
            raise refused(answer.status_code, answer.content, f"{method} {self.url}/api/v1{path}")
        return answer.content

    def get(self, kind: type[T], path: str, query: Query | None = None) -> T:
        """What is there."""
        return self._read(kind, self.ask("GET", path, query))

    def post(
        self,
        kind: type[T],
        path: str,
        body: object = None,
        query: Query | None = None,
        *,
        key: str = "",
    ) -> T:
        """Ask for something to be done; with a `key` twice is once."""
        return self._read(kind, self.ask("POST", path, query, body, key=key))

    def delete(self, kind: type[T], path: str, query: Query | None = None) -> T:
        """Ask for something to be taken away."""
        return self._read(kind, self.ask("DELETE", path, query))

    def _read(self, kind: type[T], content: bytes) -> T:
        import msgspec

        if self.as_json:
            show(msgspec.json.format(content or b"{}", indent=2).decode())
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError as error:
            raise Failure(
                f"The server's answer cannot be read: {error}",
                where=self.url,
                next_step="use a `windlass` of the server's version",
            ) from error


def refused(status: int, content: bytes, where: str) -> Failure:
    """The failure that an answer of 4xx or 5xx is."""
    import msgspec

    from windlass.cli.answers import Refused

    code = CODES.get(status, Exit.ERROR)
    try:
        error = msgspec.json.decode(content, type=Refused).error
    except msgspec.DecodeError:
        return Failure(
            f"What answers there is no Windlass: {status}.",
            where=where,
            next_step="say where the server is with --server",
        )
    hint = error.hint
    if status == 401:
        hint = "give --token, WINDLASS_TOKEN or WINDLASS_TOKEN_FILE"
    faults = "\n".join(
        f"{each.file}:{each.line}:{each.column}: {each.message}"
        + (f" ({each.hint})" if each.hint else "")
        for each in error.faults
    )
    faults += "\n".join(each.message for each in error.inputs)
    # Where a server is at fault, or one in front of it, people look for its address first.
    place = where if status >= 500 else ""
    return Failure(faults or error.message, where=place, next_step=hint, code=code)


def asks_server(command: Callable[Concatenate[Api, P], None]) -> Callable[P, None]:
    """Give a command the options that find a server, and the server as its first argument."""

    @server_options
    @wraps(command)
    def asking(*args: P.args, **kwargs: P.kwargs) -> None:
        server, token = str(kwargs.pop("server")), str(kwargs.pop("token"))
        command(api_of(server, token, as_json=bool(kwargs.pop("as_json"))), *args, **kwargs)

    return asking


def server_options(command: Callable[P, None]) -> Callable[P, None]:
    """The options that find a server."""
    command = click.option(
        "--json", "as_json", is_flag=True, help="Print the server's answer as JSON."
    )(command)
    command = click.option(
        "--token", default="", metavar="TOKEN", help="Better: WINDLASS_TOKEN_FILE."
    )(command)
    return click.option("--server", default="", metavar="URL", help="Where the server is.")(command)


def api_of(server: str, token: str, *, as_json: bool) -> Api:
    """The server to ask, by what was typed."""
    found = find(server, token)
    return Api(found.url, found.token, as_json)
