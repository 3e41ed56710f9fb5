"""
What can be asked of a repository on Gogs.

Its API knows no pull requests beyond what they share with issues, so `heads` tells branches
and tags alone, and `pull` only whether there is one. Of people it tells the owner and the
collaborators; who may write by a team's leave is not told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from windlass.core.errors import NotFound, Permanent
from windlass.forges.gogs_api.asking import Asking
from windlass.forges.http.api import text
from windlass.ports.forge import Login, Permission, PullRequest

PERSON = re.compile(r"[1-9][0-9]{0,17}")
# The name does not matter: it is the token that says who it is.
GIT_NAME = "windlass"


class GogsSource(Asking):
    """`Source` of Gogs."""

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches and tags."""
        found: dict[str, str] = {}
        with self._asking(url, "read access") as (at, api):
            async for one in api.every(f"{at.path}/branches"):
                found[f"refs/heads/{text(one, 'name')}"] = text(one, "commit", "id")
            try:
                async for one in api.every(f"{at.path}/tags"):
                    found[f"refs/tags/{text(one, 'name')}"] = text(one, "commit", "id")
            except NotFound as error:
                raise Permanent(f"{url}: this Gogs cannot list tags; 0.13 can") from error
        return found

    async def pull(self, url: str, number: int) -> PullRequest:
        """Refuse, with `NotFound` where there is none."""
        with self._asking(url, "read access") as (at, api):
            found = await api.get(f"{at.path}/issues/{number}")
            if not found.get("pull_request"):
                raise NotFound(f"{number} is an issue and no pull request")
        raise Permanent(f"{url}: Gogs does not tell the branches of a pull request by its API")

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What the person with this number may do there; nobody by any other name."""
        if not PERSON.fullmatch(sender_id):
            return Permission.NONE
        with self._asking(url, "the role of an administrator") as (at, api):
            async for one in api.every(f"{at.path}/collaborators"):
                if text(one, "id") == sender_id:
                    return _permission(one.get("permissions"))
            if text(await api.get(at.path), "owner", "id") == sender_id:
                return Permission.ADMIN
        return Permission.NONE

    async def default_branch(self, url: str) -> str:
        """The branch whose configuration counts."""
        return await self._default_branch(url)

    async def credential(self, url: str) -> Login | None:
        """The token as a password, which Gogs 0.13 takes; None without one."""
        token = self._tokens(self._place(url).url)
        return Login(GIT_NAME, token) if token else None


def _permission(said: object) -> Permission:
    """The highest of the rights that are told."""
    rights = said if isinstance(said, dict) else {}
    for name, right in (
        ("admin", Permission.ADMIN),
        ("push", Permission.WRITE),
        ("pull", Permission.READ),
    ):
        if rights.get(name) is True:
            return right
    return Permission.NONE
