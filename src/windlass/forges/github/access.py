"""
In whose name GitHub is asked: an App's, a person's, or nobody's.

An App that is installed for the repository speaks first; else the token that a person
stored; what is public is read without either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from windlass.core.errors import NotAllowed, NotFound, Transient
from windlass.forges.github.app import HEADERS, SPARE, App, Installations, app
from windlass.forges.github.place import Place, origin, place
from windlass.forges.http.api import Api, Json, text
from windlass.forges.http.client import Credential, Denied, Http, Tokens
from windlass.ports.target import Clock

# The JSON text of the App that was stored for a repository's origin; None: there is none.
Apps = Callable[[str], str | None]

# What is needed, as fine-grained tokens and Apps call it, and as a scope of a classic token.
READ = "Contents: read (classic: repo, for a private repository)"
PEOPLE = "Metadata: read, of somebody who may push (classic: repo)"
HOOKS = "Webhooks: read and write, of an administrator of the repository (classic: admin:repo_hook)"
STATUSES = "Commit statuses: read and write (classic: repo:status)"
CHECKS = "Checks: read and write"
COMMENTS = "Pull requests and Issues: read and write (classic: repo)"
DEPLOYMENTS = "Deployments: read and write (classic: repo_deployment)"


@dataclass(frozen=True, slots=True)
class Asked:
    """A repository and the API that is asked about it, with whose token; `app` may be None."""

    place: Place
    api: Api
    token: str | None = field(repr=False)
    app: App | None
    # Token -> the id of its person; shared by all questions.
    people: dict[str, str] = field(repr=False)

    @property
    def path(self) -> str:
        """The repository in the API."""
        return self.place.path

    async def ours(self, made: Json, by: str) -> bool:
        """Whether we made this; `by` is the field that names its author."""
        if self.app is not None:
            through = text(made, "performed_via_github_app", "id")
            return through == str(self.app.id) or text(made, by, "login") == self.app.bot
        author = text(made, by, "id")
        return bool(author) and author == await self._me()

    async def _me(self) -> str:
        key = f"{self.place.base} {self.token}"
        if key not in self.people:
            self.people[key] = text(await self.api.get("/user"), "id")
        return self.people[key]


class Access:
    """Finds the credential for a repository, and says what is missing when it does not do."""

    def __init__(self, http: Http, tokens: Tokens, apps: Apps, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._apps = apps
        self._installations = Installations(http, clock)
        self._people: dict[str, str] = {}

    @asynccontextmanager
    async def ask(self, url: str, right: str, *, public: bool = False) -> AsyncIterator[Asked]:
        """
        Ask about a repository; a refusal names the right that it takes.

        `public` things may be asked in nobody's name. Raises `UserError`s and what `Http` raises.
        """
        at = place(url)
        token, who = await self._find(at)
        if token is None and not public:
            raise NotAllowed(f"{url}: there is no token for it", hint=self._remedy(at, right))
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        credential = Credential(origin(at.base), headers)
        api = Api(self._http, at.base, credential, HEADERS)
        try:
            yield Asked(at, api, token, who, self._people)
        except NotFound as error:
            raise NotFound(f"{url}: {error.message}", hint=error.hint) from error
        except Denied as error:
            if error.status == 401 and who and self._installations.refused(at, who):
                raise Transient(f"{url}: the App's token has ended", retry_after=1.0) from error
            hint = f"it takes the right {right}" if error.status == 403 else error.hint
            raise NotAllowed(f"{url}: {error.message}", hint=hint) from error

    async def token(self, url: str, spare: float) -> str | None:
        """What Git may read the repository with, for so many seconds; None for nothing."""
        token, _ = await self._find(place(url), spare)
        return token

    async def _find(self, at: Place, spare: float = SPARE) -> tuple[str | None, App | None]:
        stored = self._apps(at.url)
        who = app(stored) if stored else None
        if who is not None:
            try:
                token = await self._installations.token(at, who, spare)
            except Denied as error:
                hint = f"see {_page(at, who)} and this server's clock, or register the App again"
                raise NotAllowed(f"{at.url}: {error.message}", hint=hint) from error
            if token is not None:
                return token, who
        return self._tokens(at.url), None

    def _remedy(self, at: Place, right: str) -> str:
        stored = self._apps(at.url)
        install = f"install the App for it: {_page(at, app(stored))}, or " if stored else ""
        return f"{install}store a token with the right {right}: windlass repo token {at.url}"


def _page(at: Place, who: App) -> str:
    """Where a person installs the App."""
    folder = "apps" if at.base.startswith("https://api.") else "github-apps"
    return f"{at.web}/{folder}/{who.slug}/installations/new"
