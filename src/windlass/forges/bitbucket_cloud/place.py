"""
A repository on Bitbucket Cloud: from the address that a person pastes to its API.

`https://bitbucket.org/WORKSPACE/REPOSITORY` is asked at `api.bitbucket.org`. Any other
host is taken for a stand-in that answers below its own `/2.0`.

>>> parsed("https://ada@bitbucket.org/acme/shop.git").path
'/repositories/acme/shop'
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from windlass.core.errors import NotAllowed, NotFound, Permanent, UserError
from windlass.forges.http.api import PAGES, Api, Json, fields, items, text
from windlass.forges.http.client import Credential, Denied, Http, Tokens

CLOUD = frozenset({"bitbucket.org", "www.bitbucket.org"})
HINT = "give it as https://bitbucket.org/WORKSPACE/REPOSITORY"

_NAME = re.compile(r"(?!\.{1,2}$)[\w.~-]+|\{[0-9a-f-]{36}\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Right:
    """What a token must be allowed: how access tokens call it, and how API tokens do."""

    access: str
    scopes: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository is: `url` to show, the API's base, and its path there."""

    url: str
    base: str
    workspace: str
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/repositories/{quote(self.workspace)}/{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, and the API to ask about it."""

    at: Address
    api: Api

    @property
    def url(self) -> str:
        """Its address on the web."""
        return self.at.url

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """One object of this repository."""
        return await self.api.get(self.at.path + path, params)

    async def send(self, method: str, path: str, body: object = None) -> Json:
        """Change something of this repository; what it is then, empty when that is not told."""
        answer = await self.api.send(method, self.at.path + path, body)
        return fields(answer.json()) if answer.body else {}

    async def every(
        self, path: str, params: Mapping[str, str | int] | None = None
    ) -> AsyncIterator[Json]:
        """Every object of a list of this repository; see `pages`."""
        async for one in pages(self.api, self.at.path + path, params):
            yield one

    @contextmanager
    def needs(self, right: Right) -> Iterator[None]:
        """Name what is missing, in words that help, when the forge refuses."""
        try:
            yield
        except Denied as error:
            if error.status == 401:
                raise NotAllowed(f"{self.url}: {error.message}", hint=error.hint) from None
            raise NotAllowed(
                f"{self.url}: the token may not do this: {error.message}",
                hint=f"give an access token the permission {right.access}, or an API token the"
                f" scopes {right.scopes}, then run: windlass repo token {self.url}",
            ) from None
        except NotFound as error:
            raise NotFound(f"{self.url}: {error.message}", hint=error.hint) from None


class BitbucketCloud:
    """What all parts of the adapter share: the client, and the tokens that people stored."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens

    def _at(self, url: str, *, anonymous: bool = False) -> Place:
        """The repository, with the token for it; `NotAllowed` when one is needed."""
        at, token = parsed(url), self._tokens(url)
        if not token and not anonymous:
            raise NotAllowed(
                f"there is no token for {at.url}",
                hint=f"store one: windlass repo token {at.url}",
            )
        origin = at.base.removesuffix("/2.0")
        headers = {"authorization": authorization(token)} if token else {}
        return Place(at, Api(self._http, at.base, Credential(origin, headers)))


def parsed(url: str) -> Address:
    """Where the repository of this address is; `UserError` when it is none of this forge."""
    try:
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        raise UserError("this is no address of a repository", hint=HINT) from None
    names = parts.path.strip("/").removesuffix(".git").split("/")
    shown = f"{parts.scheme}://{host}{parts.path}" if host else "what was given"
    if parts.scheme not in {"http", "https"} or not host:
        raise UserError(f"{shown} is no web address of a repository", hint=HINT)
    if len(names) != 2 or not all(map(_NAME.fullmatch, names)):
        raise UserError(f"{shown} is no repository on Bitbucket Cloud", hint=HINT)
    if host in CLOUD:
        web, base = "https://bitbucket.org", "https://api.bitbucket.org/2.0"
    else:
        web = f"{parts.scheme}://{host}"
        base = f"{web}/2.0"
    return Address(f"{web}/{names[0]}/{names[1]}", base, names[0], names[1])


def authorization(token: str) -> str:
    """
    The header of a token: `WHO:API-TOKEN` is a person's, what has no colon an access token.

    >>> authorization("secret")
    'Bearer secret'
    """
    if ":" in token:
        return "Basic " + b64encode(token.encode()).decode()
    return f"Bearer {token}"


async def pages(
    api: Api, path: str, params: Mapping[str, str | int] | None = None
) -> AsyncIterator[Json]:
    """Every object of a list; the next page stands in the body, and must be of the same host."""
    page = await api.get(path, params)
    for _ in range(PAGES):
        for one in items(page.get("values")):
            yield fields(one)
        following = text(page, "next")
        if not following:
            return
        if urlsplit(following)[:2] != urlsplit(api.base)[:2]:
            raise Permanent(f"{api.base} leads to a page on another host")
        answer = await api.http.send("GET", following, api.credential)
        page = fields(answer.json())
    raise Permanent(f"{api.base}{path} has more than {PAGES} pages")
