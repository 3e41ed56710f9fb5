"""
The API of Azure DevOps for one repository: its versions, its sign-in pages, its pages of a list.

Who has no valid token is sent to a page to sign in, with a status that means success. We
ask for a refusal instead, and take such a page for one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from windlass.core.errors import NotAllowed, NotFound, Permanent
from windlass.forges.azure.place import Place, origin, place
from windlass.forges.http.api import PAGES, Api, Json, fields, items, text
from windlass.forges.http.client import Answer, Credential, Denied, Http, Tokens

VERSION = "7.1"
# Some questions have no finished version; this asks for the newest draft of that time.
DRAFT = "7.1-preview"
# Entries of a page.
REFS, PULLS = 1000, 100

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Known:
    """A repository as Azure DevOps knows it: ids that stay when it is renamed."""

    id: str
    project: str
    default: str
    web: str


class Azure:
    """Speaks about one repository, with one token or none."""

    def __init__(self, http: Http, where: Place, token: str | None) -> None:
        self.place = where
        self._organisation = _api(http, where.root, token)
        self._people = _api(http, where.people, token)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Params | None = None,
        version: str = VERSION,
    ) -> Answer:
        """One call below the organisation's address."""
        return await _sent(self._organisation, method, path, body, _versioned(params, version))

    async def get(self, path: str, params: Params | None = None, version: str = VERSION) -> Json:
        """One object of the organisation."""
        return fields((await self.send("GET", path, params=params, version=version)).json())

    async def people(self, path: str, params: Params) -> Json:
        """One object from where people are known; on Services that is another host of theirs."""
        answer = await _sent(self._people, "GET", path, None, _versioned(params, VERSION))
        return fields(answer.json())

    async def known(self) -> Known:
        """The repository; `NotFound` with its address when there is none for us."""
        try:
            said = await self.get(self.place.api)
        except NotFound as error:
            raise self.absent() from error
        return Known(
            id=text(said, "id"),
            project=text(said, "project", "id"),
            default=text(said, "defaultBranch").removeprefix("refs/heads/"),
            web=text(said, "webUrl") or self.place.web,
        )

    def absent(self) -> NotFound:
        """The error for a repository that is not there, or not there for us."""
        return NotFound(
            f"{self.place.url}: Azure DevOps knows no such repository",
            hint="check the address, and that the token's owner may read it",
        )

    async def refs(self, kind: str) -> AsyncIterator[Json]:
        """Every ref whose name begins with `refs/KIND`, tags with the commit they point at."""
        params: dict[str, str | int] = {"filter": kind, "$top": REFS, "peelTags": "true"}
        for _ in range(PAGES):
            answer = await self.send("GET", f"{self.place.api}/refs", params=params)
            for one in values(answer):
                yield one
            params["continuationToken"] = answer.headers.get("x-ms-continuationtoken", "")
            if not params["continuationToken"]:
                return
        raise Permanent(f"{self.place.url} has more than {PAGES} pages of refs")

    async def open_pulls(self) -> AsyncIterator[Json]:
        """Every open pull request."""
        path = f"{self.place.api}/pullrequests"
        for page in range(PAGES):
            params: Params = {
                "searchCriteria.status": "active",
                "$top": PULLS,
                "$skip": page * PULLS,
            }
            found = values(await self.send("GET", path, params=params))
            for one in found:
                yield one
            if len(found) < PULLS:
                return
        raise Permanent(f"{self.place.url} has more than {PAGES} pages of pull requests")


class Access:
    """What the parts of the adapter share: the client, and who we are to each repository."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens

    def azure(self, url: str) -> Azure:
        """Speaks about this repository, with the token that people stored, if they did."""
        return Azure(self._http, place(url), self._tokens(url))

    def signed_in(self, url: str) -> Azure:
        """The same, for what nobody may do without a token: `NotAllowed` when there is none."""
        where, token = place(url), self._tokens(url)
        if not token:
            raise NotAllowed(
                f"there is no token for {where.url}",
                hint=f"make a personal access token and store it: windlass repo token {where.url}",
            )
        return Azure(self._http, where, token)


def values(answer: Answer) -> list[Json]:
    """The objects of a list; an entry that is null, for something unknown, is left out."""
    return [fields(one) for one in items(fields(answer.json()).get("value")) if one is not None]


def _api(http: Http, base: str, token: str | None) -> Api:
    headers = {}
    if token:
        headers["authorization"] = "Basic " + b64encode(f":{token}".encode()).decode()
    return Api(http, base, Credential(origin(base), headers), {"x-tfs-fedauthredirect": "Suppress"})


def _versioned(params: Params | None, version: str) -> Params:
    return {**(params or {}), "api-version": version}


async def _sent(api: Api, method: str, path: str, body: object, params: Params) -> Answer:
    answer = await api.send(method, path, body, params)
    if answer.status == 203:
        raise Denied(
            f"{method} {api.base}{path} was answered with a page to sign in",
            status=401,
            hint="the token is wrong, has expired or was revoked; store a new one:"
            " windlass repo token",
        )
    return answer
