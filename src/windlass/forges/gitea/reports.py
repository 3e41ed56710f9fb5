"""
What Windlass tells Gitea and Forgejo: commit statuses, and one comment on a pull request.

Both answer 500 to a status for a commit, and to a comment on a pull request, that they do not
have, as if they were broken. So it is looked for first, where nothing that is known says that
it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.errors import Permanent
from windlass.forges.gogs_api.asking import Asking
from windlass.forges.gogs_api.comments import OneComment
from windlass.forges.gogs_api.place import Place
from windlass.forges.http.api import Api, Json, fields, items, text
from windlass.forges.http.client import Http, Tokens
from windlass.git.refs import is_sha
from windlass.ports.forge import Status, StatusState

# `warning` holds a merge up where the status is required, and what was skipped must not.
STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "error",
    StatusState.NEUTRAL: "success",
}
NEUTRAL = "neutral"
WRITE = "write access"
# Characters; there is room for more, but not in the line in which it is shown.
LONGEST = 255
# So many of a commit's latest statuses are looked at for ours.
LATEST = 50


class GiteaReports(Asking):
    """`Reports` of Gitea and Forgejo."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        self._comment = OneComment()

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context), unless it stands so already."""
        if not is_sha(status.sha):
            raise Permanent(f"{status.sha[:80]!r} is no commit")
        told = {
            "state": STATES[status.state],
            "context": status.context,
            "description": _description(status),
            "target_url": status.url,
        }
        with self._reporting(url, WRITE) as (at, api):
            stands = await _standing(at, api, status)
            if stands is None:
                await api.send("GET", f"{at.path}/git/commits/{status.sha}")
            if stands is None or _shape(stands) != told:
                await api.send("POST", f"{at.path}/statuses/{status.sha}", told)

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body`."""
        with self._reporting(url, "read access") as (at, api):
            me = await self._me(at, api)
            issue = f"{at.path}/issues/{number}"
            if not self._comment.knows(api, issue, me):
                await api.send("GET", f"{at.path}/pulls/{number}")
            await self._comment.put(api, issue, me, body)

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """There is no such thing: nothing."""


async def _standing(at: Place, api: Api, status: Status) -> Json | None:
    """The latest status of this context; None when there is none among the latest."""
    params: dict[str, str | int] = {"sort": "highestindex", "limit": LATEST}
    answer = await api.send("GET", f"{at.path}/statuses/{status.sha}", params=params)
    found = map(fields, items(answer.json()))
    return next((one for one in found if text(one, "context") == status.context), None)


def _shape(one: Json) -> Json:
    """A status as it would be sent; what the forge answers calls the state `status`."""
    said = {name: text(one, name) for name in ("context", "description", "target_url")}
    return {"state": text(one, "status"), **said}


def _description(status: Status) -> str:
    words = status.description
    if status.state is StatusState.NEUTRAL:
        words = f"{NEUTRAL}: {words}" if words else NEUTRAL
    return words.strip()[:LONGEST]
