"""
What Windlass tells Gogs: one comment on a pull request, and nothing else.

Gogs has no commit statuses at all. To its API a pull request is an issue, and its comments
are there while the repository's own issues are switched on.
"""

from __future__ import annotations

from windlass.core.errors import NotFound, Permanent
from windlass.forges.gogs_api.asking import Asking
from windlass.forges.gogs_api.comments import OneComment
from windlass.forges.http.client import Http, Tokens
from windlass.ports.forge import Status


class GogsReports(Asking):
    """`Reports` of Gogs."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        self._comment = OneComment()

    async def status(self, url: str, _status: Status) -> None:
        """Refuse: Gogs could not show it."""
        raise Permanent(f"{url}: Gogs knows no commit statuses; the result is on Windlass's page")

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body`."""
        with self._reporting(url, "read access") as (at, api):
            me = await self._me(at, api)
            issue = f"{at.path}/issues/{number}"
            if not self._comment.knows(api, issue, me):
                found = await api.get(issue)
                if not found.get("pull_request"):
                    raise NotFound(f"{number} is an issue and no pull request")
            await self._comment.put(api, issue, me, body)

    async def deployment(self, _url: str, _status: Status, _environment: str) -> None:
        """There is no such thing: nothing."""
