"""
A repository on either Bitbucket: its address, its API, and whose token asks.

What differs is said below: how an address is read, how pages follow each other, and in
which words a refusal helps.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from windlass.core.errors import NotAllowed, NotFound, UserError
from windlass.forges.http.api import Api, Json, fields
from windlass.forges.http.client import Denied, Http, Tokens

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Right:
    """What a token must be allowed: how access tokens call it, and how Cloud's API tokens do."""

    access: str
    scopes: str = ""


class Address(Protocol):
    """
    Where a repository is: `url` to show, the `base` of what is asked, its `path` there.

    Its `owner` is a workspace on Cloud, and the key of a project on Data Center.
    """

    @property
    def url(self) -> str:
        """Its address on the web."""

    @property
    def base(self) -> str:
        """Where the API, or the installation, is."""

    @property
    def owner(self) -> str:
        """The workspace, or the project's key."""

    @property
    def name(self) -> str:
        """The repository's own name."""

    @property
    def path(self) -> str:
        """Its path in the API."""


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, and the API to ask about it."""

    at: Address
    api: Api

    @property
    def url(self) -> str:
        """Its address on the web."""
        return self.at.url

    def every(self, path: str, params: Params | None = None) -> AsyncIterator[Json]:
        """Every object of a list of this repository."""
        raise NotImplementedError

    def refused(self, error: Denied, right: Right) -> NotAllowed:
        """A refusal, with what is missing in words that help."""
        raise NotImplementedError

    async def get(self, path: str, params: Params | None = None) -> Json:
        """One object of this repository."""
        return await self.api.get(self.at.path + path, params)

    async def send(
        self, method: str, path: str, body: object = None, params: Params | None = None
    ) -> Json:
        """Change something of this repository; what it is then, empty when that is not told."""
        answer = await self.api.send(method, self.at.path + path, body, params)
        return fields(answer.json()) if answer.body else {}

    @contextmanager
    def needs(self, right: Right) -> Iterator[None]:
        """Name what is missing when the forge refuses."""
        try:
            yield
        except Denied as error:
            raise self.refused(error, right) from None
        except NotFound as error:
            raise NotFound(f"{self.url}: {error.message}", hint=error.hint) from None


class Bitbucket:
    """What all parts of an adapter share: the client, and the tokens that people stored."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens

    def _address(self, url: str) -> Address:
        """Where the repository of this address is; `UserError` when it is none of this forge."""
        raise NotImplementedError

    def _open(self, at: Address, token: str | None) -> Place:
        """The repository, asked about with this token."""
        raise NotImplementedError

    def _at(self, url: str, *, anonymous: bool = False) -> Place:
        """The repository, with the token for it; `NotAllowed` when one is needed."""
        at, token = self._address(url), self._tokens(url)
        if not token and not anonymous:
            raise NotAllowed(
                f"there is no token for {at.url}",
                hint=f"store one: windlass repo token {at.url}",
            )
        return self._open(at, token)


@dataclass(frozen=True, slots=True)
class Web:
    """A web address without the name or password that it held: its origin and its path."""

    origin: str
    path: str

    @property
    def host(self) -> str:
        """The host, with its port if it has one of its own."""
        return self.origin.partition("://")[2]


def web(url: str, hint: str) -> Web:
    """The parts of an address as people paste it; a `UserError` with `hint` when it is none."""
    try:
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        raise UserError("this is no address of a repository", hint=hint) from None
    found = Web(f"{parts.scheme}://{host}", parts.path)
    if parts.scheme not in {"http", "https"} or not host:
        shown = f"{found.origin}{found.path}" if host else "what was given"
        raise UserError(f"{shown} is no web address of a repository", hint=hint)
    return found
