"""
`Reports` of Azure DevOps: statuses of commits, and one comment of ours on a pull request.

The comment is the first of a thread that is closed from the start, because an open one
would hold back a merge where the project wants every comment resolved.
"""

from __future__ import annotations

from windlass.core.errors import NotFound, Permanent, UserError
from windlass.forges.azure.api import DRAFT, Access, Azure, values
from windlass.forges.http.api import Json, fields, items, report, text
from windlass.forges.http.client import Http, Tokens
from windlass.git.refs import is_sha
from windlass.ports.forge import MARKER, Status, StatusState

LARGEST = 150_000
GENRE = "windlass"
# No limit is documented; more than this no list of theirs shows.
LONGEST = 250
STATES = {
    StatusState.PENDING: "pending",
    StatusState.SUCCESS: "succeeded",
    StatusState.FAILURE: "failed",
    StatusState.ERROR: "error",
    StatusState.NEUTRAL: "notApplicable",
}


class AzureReports(Access):
    """`Reports` of Azure DevOps."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        # By organisation and token: who we are. By pull request: the comment that is ours.
        self._me: dict[tuple[str, str | None], str] = {}
        self._comments: dict[tuple[str, int], str] = {}

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context), unless it stands there already."""
        if not is_sha(status.sha):
            raise Permanent(f"{status.sha!r} is no commit")
        try:
            azure = self.signed_in(url)
            path = f"{azure.place.api}/commits/{status.sha}/statuses"
            body = _status(status)
            latest = {"latestOnly": "true"}
            standing = values(await azure.send("GET", path, params=latest))
            if not any(_says(one, body) for one in standing):
                await azure.send("POST", path, body)
        except UserError as error:
            raise report(error) from error

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours say this, wherever it went since."""
        marked = body if MARKER in body else f"{MARKER}\n{body}"
        said = marked if len(marked) <= LARGEST else marked[: LARGEST - 1] + "…"
        try:
            azure = self.signed_in(url)
            await self._comment(azure, number, said, await self._author(azure, url))
        except UserError as error:
            raise report(error) from error

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Azure DevOps knows only deployments of its own pipelines: nothing."""

    async def _comment(self, azure: Azure, number: int, said: str, me: str) -> None:
        key, threads = (azure.place.url, number), f"{azure.place.api}/pullRequests/{number}/threads"
        path = self._comments.pop(key, "")
        if not (path and await _edited(azure, path, said)):
            path = _found(values(await azure.send("GET", threads)), threads, me)
            if not (path and await _edited(azure, path, said)):
                comment = {"parentCommentId": 0, "content": said, "commentType": "text"}
                thread = {"comments": [comment], "status": "closed"}
                made = fields((await azure.send("POST", threads, thread)).json())
                path = _path(threads, made)
        self._comments[key] = path

    async def _author(self, azure: Azure, url: str) -> str:
        """The id of the token's owner, as the author of a comment has it."""
        key = (azure.place.root, self._tokens(url))
        if key not in self._me:
            said = await azure.get("/_apis/connectionData", version=DRAFT)
            self._me[key] = text(said, "authenticatedUser", "id")
        return self._me[key]


def _status(status: Status) -> dict[str, object]:
    description = status.description
    if len(description) > LONGEST:
        description = description[: LONGEST - 1] + "…"
    body: dict[str, object] = {
        "state": STATES[status.state],
        "description": description,
        "context": {"name": status.context, "genre": GENRE},
    }
    return {**body, "targetUrl": status.url} if status.url else body


def _says(standing: Json, body: Json) -> bool:
    names = ("state",), ("description",), ("targetUrl",), ("context", "name"), ("context", "genre")
    return all(text(standing, *name) == text(body, *name) for name in names)


async def _edited(azure: Azure, path: str, said: str) -> bool:
    """Whether a comment is still there; if it is, it says this now."""
    try:
        answer = await azure.send("PATCH", path, {"content": said})
    except NotFound:
        return False
    return fields(answer.json()).get("isDeleted") is not True


def _found(threads: list[Json], path: str, me: str) -> str:
    """The path of the comment that bears our mark and is ours; empty when there is none."""
    for thread in threads:
        comments = items(thread.get("comments") or [])
        first = fields(comments[0]) if comments else {}
        gone = thread.get("isDeleted") is True or first.get("isDeleted") is True
        # Anybody can write the mark, so the author decides.
        ours = bool(me) and text(first, "author", "id") == me
        if ours and not gone and MARKER in text(first, "content"):
            return _path(path, thread)
    return ""


def _path(threads: str, thread: Json) -> str:
    comments = items(thread.get("comments") or [])
    comment = text(fields(comments[0]), "id") if comments else ""
    return f"{threads}/{text(thread, 'id')}/comments/{comment}" if comment else ""
