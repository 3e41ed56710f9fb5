"""
A repository on Bitbucket Data Center: from the address that a person pastes to its API.

An installation may be below a path of its host. A personal project's key is `~NAME`.

>>> parsed("https://git.corp/bitbucket/scm/~ada/shop.git").url
'https://git.corp/bitbucket/users/ada/repos/shop'
>>> parsed("https://git.corp/projects/ACME/repos/shop/browse").path
'/projects/ACME/repos/shop'
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from windlass.core.errors import NotAllowed, Permanent, UserError
from windlass.forges.bitbucket_api import place as bitbucket
from windlass.forges.bitbucket_api.place import Bitbucket, Params, Place, Right, web
from windlass.forges.http.api import PAGES, Api, Json, fields, items, text
from windlass.forges.http.client import Credential, Denied, Http, Tokens

HINT = "give it as https://HOST/projects/KEY/repos/NAME or https://HOST/scm/KEY/NAME.git"
REST = "/rest/api/1.0"

_NAME = r"(?!\.{1,2}(?:/|$))[\w.-]+"
_WEB = re.compile(
    rf"(?P<prefix>(?:/[^/]+)*?)/(?P<kind>projects|users)/(?P<key>~?{_NAME})"
    rf"/repos/(?P<name>{_NAME})(?:/browse)?",
    re.ASCII,
)
_CLONE = re.compile(
    rf"(?P<prefix>(?:/[^/]+)*?)/(?P<kind>scm)/(?P<key>~?{_NAME})/(?P<name>{_NAME})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository is: the installation's address, the project's key, the name."""

    base: str
    owner: str
    name: str

    @property
    def url(self) -> str:
        """Its address on the web."""
        if self.owner.startswith("~"):
            return f"{self.base}/users/{self.owner[1:]}/repos/{self.name}"
        return f"{self.base}/projects/{self.owner}/repos/{self.name}"

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/projects/{quote(self.owner)}/repos/{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a token speaks for; `id` is empty on versions that do not tell it."""

    id: str
    name: str

    def wrote(self, author: object) -> bool:
        """Whether this account is the author of something."""
        known = author if isinstance(author, dict) else {}
        if self.id:
            return text(known, "id") == self.id
        return text(known, "name") == self.name


class CenterPlace(Place):
    """A repository on Bitbucket Data Center."""

    async def get(self, path: str, params: Params | None = None) -> Json:
        """One object of this repository; an empty one where it has nothing to tell."""
        return await self.send("GET", path, params=params)

    def every(self, path: str, params: Params | None = None) -> AsyncIterator[Json]:
        """Every object of a list of this repository; see `pages`."""
        return pages(self.api, self.at.path + path, params)

    def refused(self, error: Denied, right: Right) -> NotAllowed:
        """A refusal; a right that is missing is answered 401 too."""
        return NotAllowed(
            f"{self.url}: the token may not do this: {error.message}",
            hint=f"it takes a token that has not expired, with the permission {right.access}, of an"
            f" account that has it too; store it: windlass repo token {self.url}",
        )


class BitbucketDataCenter(Bitbucket):
    """What all parts of the adapter share, and whom their tokens speak for."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        self._accounts: dict[tuple[str, str], Account] = {}

    def _address(self, url: str) -> Address:
        return parsed(url)

    def _open(self, at: bitbucket.Address, token: str | None) -> Place:
        parts = urlsplit(at.base)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        credential = Credential(f"{parts.scheme}://{parts.netloc}", headers)
        return CenterPlace(at, Api(self._http, at.base + REST, credential))

    async def _me(self, place: Place) -> Account:
        """Whom our token speaks for: there is no question for it, but every answer says so."""
        known = (place.at.base, place.api.credential.headers.get("authorization", ""))
        if known not in self._accounts:
            answer = await place.api.send("GET", "/application-properties")
            me = Account(
                answer.headers.get("x-auserid", ""), unquote(answer.headers.get("x-ausername", ""))
            )
            if not me.id and not me.name:
                raise NotAllowed(
                    f"{place.url}: Bitbucket takes the token for nobody's",
                    hint=f"store a new one: windlass repo token {place.url}",
                )
            self._accounts[known] = me
        return self._accounts[known]


def parsed(url: str) -> Address:
    """Where the repository of this address is; `UserError` when it is none of this forge."""
    given = web(url, HINT)
    path = given.path.rstrip("/").removesuffix(".git")
    found = _WEB.fullmatch(path) or _CLONE.fullmatch(path)
    if found is None:
        shown = given.origin + given.path
        raise UserError(f"{shown} is no repository on Bitbucket Data Center", hint=HINT)
    key = found["key"]
    if found["kind"] == "users" and not key.startswith("~"):
        key = f"~{key}"
    return Address(given.origin + found["prefix"], key, found["name"])


async def pages(api: Api, path: str, params: Params | None = None) -> AsyncIterator[Json]:
    """Every object of a list; each page tells where the next one starts."""
    start = 0
    for _ in range(PAGES):
        page = await api.get(path, {"limit": 100, **(params or {}), "start": start})
        for one in items(page.get("values")):
            yield fields(one)
        if page.get("isLastPage") is not False:
            return
        following = text(page, "nextPageStart")
        if not following.isdecimal() or int(following) <= start:
            raise Permanent(f"{api.base}{path} has a page that leads nowhere")
        start = int(following)
    raise Permanent(f"{api.base}{path} has more than {PAGES} pages")
