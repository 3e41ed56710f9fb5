"""
Deployments on GitHub: one for each commit and environment, and where it stands.

GitHub makes a deployment inactive when another of the environment succeeds. Such a one is
history, so what is deployed again is a new one.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.forges.github.access import Asked
from windlass.forges.github.words import description
from windlass.forges.http.api import Json, fields, items, text
from windlass.ports.forge import Status, StatusState

# How our deployments are told from those of other programs with the same author.
MARK = {"by": "windlass"}
INACTIVE = "inactive"
# Deployments of one commit to one environment that are looked at.
LOOKED = 10

STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "in_progress",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "error",
    StatusState.NEUTRAL: INACTIVE,
}


async def put(asked: Asked, status: Status, environment: str) -> None:
    """Tell how the deployment of this commit stands, unless that is told already."""
    path = f"{asked.path}/deployments"
    found, last = await _present(asked, path, status.sha, environment)
    if found is None:
        if status.state is StatusState.NEUTRAL:
            return  # It is not deployed, and there is nothing that says it were.
        found = await asked.api.post(path, _new(status, environment))
    wanted = {
        "state": STATES[status.state],
        "description": description(status),
        **({"log_url": status.url} if status.url else {}),
    }
    if any(
        text(last, name) != wanted.get(name, "") for name in ("state", "description", "log_url")
    ):
        await asked.api.post(f"{path}/{text(found, 'id')}/statuses", wanted)


def _new(status: Status, environment: str) -> dict[str, object]:
    """Admission is ours: GitHub merges nothing into the commit and waits for no checks."""
    return {
        "ref": status.sha,
        "environment": environment,
        "auto_merge": False,
        "required_contexts": [],
        "payload": MARK,
        "description": description(status),
    }


async def _present(asked: Asked, path: str, sha: str, environment: str) -> tuple[Json | None, Json]:
    """Our deployment of this commit that is not inactive, and its last status."""
    query: dict[str, str | int] = {"sha": sha, "environment": environment, "per_page": LOOKED}
    for one in items((await asked.api.send("GET", path, params=query)).json()):
        deployment = fields(one)
        if deployment.get("payload") != MARK or not await asked.ours(deployment, "creator"):
            continue
        there = await asked.api.send(
            "GET", f"{path}/{text(deployment, 'id')}/statuses", params={"per_page": 1}
        )
        last = fields(next(iter(items(there.json())), {}))
        if text(last, "state") != INACTIVE:
            return deployment, last
    return None, {}
