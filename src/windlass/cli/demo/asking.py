"""
Asking the server by its API, and environments by their pages.

The standard library's client: one connection each time, no proxy, no start-up
cost. Only the fields that a beat looks at are named.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from windlass.cli.demo.looking import Missed, NotYet

T = TypeVar("T")

LIMIT = 10.0


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list, newest first."""

    items: list[T]


class Event(msgspec.Struct, frozen=True):
    """An event."""

    number: int
    kind: str
    action: str
    sha: str
    fault: str
    matched: int
    listeners: int


class Job(msgspec.Struct, frozen=True):
    """A job of a run."""

    name: str
    kind: str
    state: str
    reason: str
    outputs: dict[str, str]


class Run(msgspec.Struct, frozen=True):
    """A run; `jobs` only when one is shown."""

    number: int
    listener: str
    state: str
    reason: str
    sha: str
    jobs: list[Job] = []


class EventFull(Event, frozen=True):
    """An event with its runs."""

    runs: list[Run]


class Status(msgspec.Struct, frozen=True):
    """One result on a commit."""

    context: str
    state: str
    description: str


class PullRequest(msgspec.Struct, frozen=True):
    """A pull request."""

    number: int
    head_sha: str
    state: str
    merge_sha: str
    statuses: list[Status]
    comment: str


class Build(msgspec.Struct, frozen=True):
    """A build."""

    digest: str
    run: int
    commits: list[str]


class Deployment(msgspec.Struct, frozen=True):
    """A deployment."""

    number: int
    state: str
    reason: str
    digest: str
    run: int
    state_commit: str


class Place(msgspec.Struct, frozen=True):
    """What runs at a place."""

    status: str
    detail: str
    digest: str
    pinned: str


class Cell(msgspec.Struct, frozen=True):
    """One field of the board."""

    place: Place


class Row(msgspec.Struct, frozen=True):
    """One service."""

    cells: dict[str, Cell]


class Board(msgspec.Struct, frozen=True):
    """Services by environments."""

    rows: list[Row]


class Added(msgspec.Struct, frozen=True):
    """A repository that was just connected."""

    webhook: str


class Version(msgspec.Struct, frozen=True):
    """What a shop says of itself."""

    environment: str
    commit: str
    digest: str


class Price(msgspec.Struct, frozen=True):
    """What a shop asks for, in cents."""

    total: int


@dataclass(frozen=True, slots=True)
class Web:
    """Pages of a server at `url`; `NotYet` when it does not answer."""

    url: str

    def fetch(self, path: str) -> bytes:
        """The body of a page that answers 200."""
        status, body = self.request("GET", path)
        if status != 200:
            raise NotYet(f"{self.url}{path} answered {status}")
        return body

    def read(self, kind: type[T], path: str) -> T:
        """What a page says in JSON."""
        return decode(kind, self.fetch(path), self.url + path)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request: status and body."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=LIMIT)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotYet(f"{self.url} does not answer ({type(error).__name__}: {error})") from error
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Api:
    """The API of the server at `web`; `token` is the operator's."""

    web: Web
    token: str = field(repr=False)

    def get(self, kind: type[T], path: str, **query: str | int) -> T:
        """What is there."""
        return self._ask(kind, "GET", path + _query(query))

    def post(
        self, kind: type[T], path: str, body: Mapping[str, str] | None = None, *, by: str
    ) -> T:
        """Ask for something in a person's name."""
        return self._ask(kind, "POST", path, body, by)

    def _ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        by: str = "",
    ) -> T:
        headers = {"Authorization": f"Bearer {self.token}", "Windlass-Actor": by}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = msgspec.json.encode(body) if body is not None else b""
        status, answer = self.web.request(method, f"/api/v1{path}", content, headers)
        where = f"{method} {path}"
        if status == 503:
            raise NotYet(f"{where} answered 503")
        if not 200 <= status < 300:
            raise Missed(f"{where} to be done", f"{status} {answer.decode(errors='replace')[:500]}")
        return decode(kind, answer, where)


def decode(kind: type[T], content: bytes, where: str) -> T:
    """JSON that was promised; `Missed` when it is something else."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise Missed(f"{where} to answer as documented", str(error)) from error


def _query(query: Mapping[str, str | int]) -> str:
    return f"?{urlencode(query)}" if query else ""
