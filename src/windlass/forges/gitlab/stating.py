"""
Commit statuses of GitLab, and how one becomes the next.

    (nothing, or ended) -> pending -> running -> success | failed | canceled
                              '-> skipped

Our "pending" is GitLab's pending at first, and running when it has something new to say.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.errors import NotFound, Permanent
from windlass.forges.gitlab.projects import Project
from windlass.forges.gitlab.words import cut
from windlass.forges.http.api import Json, text
from windlass.ports.forge import Status, StatusState

# GitLab knows no error beside failure; what did not come to an end was canceled.
STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failed",
    StatusState.ERROR: "canceled",
    StatusState.NEUTRAL: "skipped",
}
# What GitLab says when a status is there already, or further on.
STANDS: Mapping[str, tuple[str, ...]] = {
    "pending": ("Cannot transition status via :enqueue",),
    "running": ("Cannot transition status via :run from :running",),
}
# Characters of a description, and of an address.
LONGEST = 255


async def state(project: Project, status: Status) -> None:
    """Set it, unless it stands already."""
    stands = await _standing(project, status)
    wanted = _wanted(status)
    now = text(stands, "status")
    told = all(text(stands, name) == wanted.get(name, "") for name in ("description", "target_url"))
    if status.state is StatusState.PENDING and now in {"pending", "running"}:
        if told or now == "running":
            # It runs already, and GitLab takes no other words for that.
            return
        wanted = {**wanted, "state": "running"}
    elif now == wanted["state"] and told:
        return
    elif status.state is StatusState.NEUTRAL and now == "running":
        # What runs cannot be skipped: it is ended first.
        await _send(project, status.sha, {**wanted, "state": "canceled"})
    await _send(project, status.sha, wanted)


async def _standing(project: Project, status: Status) -> Json:
    """The newest status of this context, empty when there is none."""
    path = f"{project.path}/repository/commits/{status.sha}/statuses"
    newest: Json = {}
    async for one in project.api.every(path, {"name": status.context, "per_page": 100}):
        same = text(one, "name") == status.context
        if same and int(text(one, "id") or 0) >= int(text(newest, "id") or 0):
            newest = one
    return newest


async def _send(project: Project, sha: str, wanted: Mapping[str, str]) -> None:
    path = f"{project.path}/statuses/{sha}"
    try:
        await project.api.post(path, wanted)
    except NotFound as error:
        ref = await _proposed(project, sha) if "References" in error.message else ""
        if not ref:
            raise
        await project.api.post(path, {**wanted, "ref": ref})
    except Permanent as error:
        # Somebody has set it to the same between our look and now.
        if not any(words in str(error) for words in STANDS.get(wanted["state"], ())):
            raise


async def _proposed(project: Project, sha: str) -> str:
    """The ref of an open merge request with this head: a fork's commit is on no branch here."""
    path = f"{project.path}/repository/commits/{sha}/merge_requests"
    async for one in project.api.every(path, {"per_page": 100}):
        if text(one, "state") == "opened" and text(one, "sha") == sha:
            return f"refs/merge-requests/{text(one, 'iid')}/head"
    return ""


def _wanted(status: Status) -> dict[str, str]:
    wanted = {"state": STATES[status.state], "name": status.context}
    if status.description:
        wanted["description"] = cut(status.description, LONGEST)
    if status.url and len(status.url) <= LONGEST:
        wanted["target_url"] = status.url
    return wanted
