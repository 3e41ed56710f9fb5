"""
Asking the API for one repository, and saying in words that help what it refused.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar

from windlass.core.errors import NotAllowed, NotFound, Permanent, UserError
from windlass.forges.gogs_api.place import Place, place
from windlass.forges.http.api import Api, report, text
from windlass.forges.http.client import Credential, Denied, Http, Tokens

# "token does not have at least one of required scope(s): [write:issue]", and the newer
# "required scope(s), required=[write:issue], token scope=read:user".
_SCOPE = re.compile(r"required scope\(s\)[^\[]{0,20}\[([\w:, ]{1,100})\]")
# So many tokens' owners are remembered.
PEOPLE = 1000


class Asking:
    """What every part of an adapter of this family needs."""

    forge: ClassVar[str]
    rights: ClassVar[str]

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens
        self._people: dict[tuple[str, str], str] = {}

    def _place(self, url: str) -> Place:
        """Where this repository is."""
        return place(url, self.forge)

    def _api(self, at: Place) -> Api:
        """Its API, with the stored token when there is one."""
        token = self._tokens(at.url)
        headers = {"authorization": f"token {token}"} if token else {}
        return Api(self._http, at.base, Credential(at.origin, headers))

    def _known(self, at: Place) -> Api:
        """Its API, for what nobody may do without a token."""
        if not self._tokens(at.url):
            raise NotAllowed(
                f"there is no token for {at.url}",
                hint=f"make one with {self.rights}, and store it: windlass repo token",
            )
        return self._api(at)

    async def _me(self, at: Place, api: Api) -> str:
        """The id of the person whose token we have; asked once."""
        key = (at.root, self._tokens(at.url) or "")
        if key not in self._people:
            if len(self._people) >= PEOPLE:
                self._people.clear()
            if not (found := text(await api.get("/user"), "id")):
                raise Permanent(f"{at.root} does not say whose token it was given")
            self._people[key] = found
        return self._people[key]

    async def _default_branch(self, url: str) -> str:
        """The branch that a clone begins with."""
        with self._reading(url) as (at, api):
            if not (found := text(await api.get(at.path), "default_branch")):
                raise Permanent(f"{url}: the forge does not say which branch is the default")
            return found

    @contextmanager
    def _asking(self, url: str, right: str = "") -> Generator[tuple[Place, Api]]:
        """Ask with the token; what is refused is told with the repository and what is missing."""
        at = self._place(url)
        with self._explained(at, right):
            yield at, self._known(at)

    @contextmanager
    def _reading(self, url: str) -> Generator[tuple[Place, Api]]:
        """Ask for what anybody may read, with the token when there is one."""
        at = self._place(url)
        with self._explained(at, "read access"):
            yield at, self._api(at)

    @contextmanager
    def _reporting(self, url: str, right: str = "") -> Generator[tuple[Place, Api]]:
        """Tell something; no person waits for it, so what a person could mend is `Permanent`."""
        try:
            with self._asking(url, right) as found:
                yield found
        except UserError as error:
            raise report(error) from error

    @contextmanager
    def _explained(self, at: Place, right: str) -> Generator[None]:
        try:
            yield
        except NotFound as error:
            hint = "check the address, and that the token's owner may see the repository"
            raise NotFound(f"{at.url}: {error.message}", hint=hint) from error
        except Denied as error:
            raise self._denied(at, error, right) from error

    def _denied(self, at: Place, error: Denied, right: str) -> Denied:
        if error.status == 401:
            return Denied(f"{at.url}: {error.message}", status=401, hint=error.hint)
        if scope := _SCOPE.search(error.message):
            return Denied(
                f"{at.url}: the token lacks the scope {scope[1]}",
                status=403,
                hint=f"make a token with {self.rights}, and store it: windlass repo token",
            )
        return Denied(
            f"{at.url}: {error.message}",
            status=403,
            hint=f"give the token's owner {right or 'the right'} in the repository",
        )
