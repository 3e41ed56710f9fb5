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
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from windlass.core.errors import NotAllowed, Permanent, UserError
from windlass.forges.bitbucket_api import place as bitbucket
from windlass.forges.bitbucket_api.place import Bitbucket, Params, Place, Right, web
from windlass.forges.http.api import PAGES, Api, Json, fields, items, text
from windlass.forges.http.client import Credential, Denied

CLOUD = frozenset({"bitbucket.org", "www.bitbucket.org"})
HINT = "give it as https://bitbucket.org/WORKSPACE/REPOSITORY"

_NAME = re.compile(r"(?!\.{1,2}$)[\w.~-]+|\{[0-9a-f-]{36}\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository is: `url` to show, the API's base, and its path there."""

    url: str
    base: str
    owner: str
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/repositories/{quote(self.owner)}/{quote(self.name)}"


class CloudPlace(Place):
    """A repository on Bitbucket Cloud."""

    def every(self, path: str, params: Params | None = None) -> AsyncIterator[Json]:
        """Every object of a list of this repository; see `pages`."""
        return pages(self.api, self.at.path + path, params)

    def refused(self, error: Denied, right: Right) -> NotAllowed:
        """A refusal; with 401 it is the token itself that does not do."""
        if error.status == 401:
            return NotAllowed(f"{self.url}: {error.message}", hint=error.hint)
        return NotAllowed(
            f"{self.url}: the token may not do this: {error.message}",
            hint=f"give an access token the permission {right.access}, or an API token the"
            f" scopes {right.scopes}, then run: windlass repo token {self.url}",
        )


class BitbucketCloud(Bitbucket):
    """What all parts of the adapter share."""

    def _address(self, url: str) -> Address:
        return parsed(url)

    def _open(self, at: bitbucket.Address, token: str | None) -> Place:
        headers = {"authorization": authorization(token)} if token else {}
        credential = Credential(at.base.removesuffix("/2.0"), headers)
        return CloudPlace(at, Api(self._http, at.base, credential))


def parsed(url: str) -> Address:
    """Where the repository of this address is; `UserError` when it is none of this forge."""
    given = web(url, HINT)
    names = given.path.strip("/").removesuffix(".git").split("/")
    if len(names) != 2 or not all(map(_NAME.fullmatch, names)):
        shown = given.origin + given.path
        raise UserError(f"{shown} is no repository on Bitbucket Cloud", hint=HINT)
    if given.host in CLOUD:
        origin, base = "https://bitbucket.org", "https://api.bitbucket.org/2.0"
    else:
        origin, base = given.origin, f"{given.origin}/2.0"
    return Address(f"{origin}/{names[0]}/{names[1]}", base, names[0], names[1])


def authorization(token: str) -> str:
    """
    The header of a token: `WHO:API-TOKEN` is a person's, what has no colon an access token.

    >>> authorization("secret")
    'Bearer secret'
    """
    if ":" in token:
        return "Basic " + b64encode(token.encode()).decode()
    return f"Bearer {token}"


async def pages(api: Api, path: str, params: Params | None = None) -> AsyncIterator[Json]:
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
