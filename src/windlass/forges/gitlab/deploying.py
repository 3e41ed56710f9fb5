"""
Deployments of GitLab: which commit is in which environment.

A deployment that runs is brought to its end; one that has ended is followed by a new one.
Those that GitLab's own pipelines made are theirs and are not touched.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.forges.gitlab.projects import Project
from windlass.forges.http.api import Json, text
from windlass.ports.forge import Status, StatusState

STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "running",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failed",
    StatusState.ERROR: "canceled",
    StatusState.NEUTRAL: "canceled",
}


async def deploy(project: Project, status: Status, environment: str, me: str) -> None:
    """Tell it, unless it is the last thing that was told."""
    newest = await _newest(project, environment)
    wanted, path = STATES[status.state], f"{project.path}/deployments"
    ours = text(newest, "user", "id") == me and not newest.get("deployable")
    if ours and text(newest, "sha") == status.sha:
        if text(newest, "status") == wanted:
            return
        if text(newest, "status") in {"created", "running"}:
            await project.api.send("PUT", f"{path}/{text(newest, 'id')}", {"status": wanted})
            return
    kind, ref = await _ref(project, status.sha)
    deployment = {
        "environment": environment,
        "sha": status.sha,
        "ref": ref,
        "tag": kind == "tag",
        "status": wanted,
    }
    await project.api.post(path, deployment)


async def _newest(project: Project, environment: str) -> Json:
    """The last deployment there, empty when there is none."""
    wanted = {"environment": environment, "order_by": "id", "sort": "desc"}
    async for one in project.api.every(f"{project.path}/deployments", {**wanted, "per_page": 1}):
        return one
    return {}


async def _ref(project: Project, sha: str) -> tuple[str, str]:
    """Kind and name of a ref with this commit: the default branch, a branch, a tag; else itself."""
    default = text(await project.api.get(project.path), "default_branch")
    path = f"{project.path}/repository/commits/{sha}/refs"
    found = [
        (text(one, "type"), text(one, "name"))
        async for one in project.api.every(path, {"type": "all", "per_page": 100})
    ]
    found.sort(key=lambda one: (one != ("branch", default), one[0] != "branch", one[1]))
    return found[0] if found else ("branch", sha)
