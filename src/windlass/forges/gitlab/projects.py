"""
The projects that we were asked about, each with its API and its number.

Where the API is and which number a project has is learnt once for each address, and learnt
again after something was not found there. Errors get the words of a person here: which
project it is about, and which right is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from windlass.core.errors import NotAllowed, NotFound, Permanent, Transient
from windlass.forges.gitlab.place import Address, address
from windlass.forges.http.api import Api, fields, text
from windlass.forges.http.client import Answer, Credential, Denied, Http, Tokens

STORE = "store one: windlass repo token"


@dataclass(frozen=True, slots=True)
class Project:
    """One project: `path` is where it is in the API, `api` speaks with the token `token`."""

    api: Api
    path: str
    token: str | None


class Projects:
    """Finds projects, and opens them for one task."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens
        # Address -> where the API is, and the path of the project in it.
        self._known: dict[str, tuple[str, str]] = {}
        # Where the API is, and a token -> the id of the user whose token it is.
        self._people: dict[tuple[str, str], str] = {}

    def token(self, url: str) -> str | None:
        """The token for this address; `UserError` when it cannot be one of GitLab."""
        address(url)
        return self._tokens(url)

    @asynccontextmanager
    async def open(self, url: str, role: str, *, public: bool = False) -> AsyncIterator[Project]:
        """
        The project, and within the block errors in the words of a person.

        `role` is the role that GitLab wants for the task; `public` tasks may do without a token.
        Raises `NotAllowed`, `NotFound`, or what the block raises.
        """
        token = self.token(url)
        if token is None and not public:
            raise NotAllowed(f"{url}: there is no token for this GitLab", hint=STORE)
        try:
            yield await self._find(url, token)
        except NotFound as error:
            self._known.pop(url, None)
            hint = error.hint if token else f"if it is not public, a token is needed; {STORE}"
            raise NotFound(f"{url}: {error.message}", hint=hint) from None
        except Denied as error:
            raise _denied(url, error, token, role) from None

    async def me(self, project: Project) -> str:
        """The id of the user whose token we have; asked once."""
        key = (project.api.base, project.token or "")
        if key not in self._people:
            self._people[key] = text(await project.api.get("/user"), "id")
        return self._people[key]

    async def _find(self, url: str, token: str | None) -> Project:
        if url not in self._known:
            where = address(url)
            base, name = await self._base(where, token)
            said = await self._api(base, token).get(f"/projects/{quote(name, safe='')}")
            number = text(said, "id")
            if not number.isdecimal():
                raise Permanent(f"{url}: what answers there is no GitLab")
            self._known[url] = (base, f"/projects/{number}")
        base, path = self._known[url]
        return Project(self._api(base, token), path, token)

    async def _base(self, where: Address, token: str | None) -> tuple[str, str]:
        """The first place that answers as GitLab; else the first that wants to know who asks."""
        places = list(where.bases())
        if len(places) == 1:
            return places[0]
        guarded = []
        for base, name in places:
            try:
                answer = await self._api(base, token).send("GET", "/version")
            except Denied:
                guarded.append((base, name))
            except (NotFound, Permanent):
                continue
            else:
                if _speaks(answer):
                    return base, name
        if not guarded:
            raise NotFound(f"no GitLab answers at {where.origin}", hint="check the address")
        return guarded[0]

    def _api(self, base: str, token: str | None) -> Api:
        split = urlsplit(base)
        headers = {"private-token": token} if token else {}
        return Api(self._http, base, Credential(f"{split.scheme}://{split.netloc}", headers))


def _speaks(answer: Answer) -> bool:
    """Whether this is GitLab's answer, and not the page that another program gives to all."""
    try:
        return bool(text(fields(answer.json()), "version"))
    except (Permanent, Transient):
        return False


def _denied(url: str, error: Denied, token: str | None, role: str) -> NotAllowed:
    if token is None:
        return NotAllowed(f"{url}: GitLab wants to know who asks", hint=STORE)
    if error.status == 401:
        return NotAllowed(f"{url}: {error.message}", hint=error.hint)
    if "insufficient_scope" in error.message:
        return NotAllowed(
            f"{url}: the token lacks the scope `api`",
            hint="make one with that scope, and store it: windlass repo token",
        )
    return NotAllowed(
        f"{url}: {error.message}",
        hint=f"the token needs the role {role} in the project, and the scope `api`",
    )
