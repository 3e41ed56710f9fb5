"""Statuses, notes and deployments of the GitLab of the tests."""

from __future__ import annotations

import time

from windlass.testing.servers.gitlab_asked import Asked
from windlass.testing.servers.gitlab_state import DEVELOPER, GUEST, Project, Row, stamp
from windlass.testing.servers.serving import Call, Refused, Reply, paged, route

LONGEST = 255
LARGEST = 1_000_000

# From where a status may go where, and what GitLab calls the step.
MOVES = {
    "pending": ("enqueue", ("created",)),
    "running": ("run", ("created", "pending")),
    "success": ("success", ("created", "pending", "running")),
    "failed": ("drop", ("created", "pending", "running")),
    "canceled": ("cancel", ("created", "pending", "running")),
    "skipped": ("skip", ("created", "pending")),
}
ENDS = ("success", "failed", "canceled")


class Reporting(Asked):
    """The routes of what is reported."""

    @route("GET", "/api/v4/projects/{id}/repository/commits/{sha}/statuses")
    def list_statuses(self, call: Call) -> Reply:
        """The newest of each name."""
        project = self.opened(call, GUEST)
        sha = _commit(project, call.names["sha"])
        newest = {one["name"]: one for one in project.statuses if one["sha"] == sha}
        wanted = call.query.get("name")
        return paged(
            call, [one for one in newest.values() if wanted in {None, one["name"]}], self.home
        )

    @route("POST", "/api/v4/projects/{id}/statuses/{sha}")
    def set_status(self, call: Call) -> Reply:
        """Go on with the one that has not ended, or begin another."""
        project = self.opened(call, DEVELOPER)
        call.only("state", "name", "context", "target_url", "description", "ref", "coverage")
        sha = _commit(project, call.names["sha"])
        said, user = call.body, self.user_of(call)
        if said.get("state") not in MOVES:
            raise Refused(400, "state does not have a valid value")
        for name in ("description", "target_url", "name"):
            if len(str(said.get(name, ""))) > LONGEST:
                raise Refused(400, f"{name} is too long (maximum is 255 characters)")
        if not str(said.get("target_url", "http")).startswith("http"):
            raise Refused(400, "target_url is blocked: Only allowed schemes are http, https")
        # Commits of a fork are on no branch here.
        if "ref" not in said and not _contained(project, sha):
            raise Refused(404, "404 References for commit Not Found")
        name = said.get("name") or said.get("context") or "default"
        alive = [
            one
            for one in project.statuses
            if (one["sha"], one["name"], one["author"]["id"]) == (sha, name, user["id"])
            and one["status"] in {"pending", "running"}
        ]
        row: Row = (
            alive[-1] if alive else {"status": "created", "description": None, "target_url": None}
        )
        step, places = MOVES[said["state"]]
        if row["status"] not in places:
            raise Refused(
                400,
                f"Cannot transition status via :{step} from :{row['status']}"
                f' (Reason(s): Status cannot transition via "{step}")',
            )
        row.update({k: said[k] for k in ("description", "target_url") if k in said})
        row["status"] = said["state"]
        if not alive:
            row.update(id=len(project.statuses) + 1, sha=sha, name=name, author=user)
            row["ref"] = said.get("ref", project.default)
            project.statuses.append(row)
        return Reply(201, row)

    @route("GET", "/api/v4/projects/{id}/merge_requests/{iid}/notes")
    def list_notes(self, call: Call) -> Reply:
        """All notes, newest first unless asked otherwise."""
        project, number = self._request(call)
        order = -1 if call.query.get("sort", "desc") == "desc" else 1
        return paged(call, project.notes.get(number, [])[::order], self.home)

    @route("POST", "/api/v4/projects/{id}/merge_requests/{iid}/notes")
    def add_note(self, call: Call) -> Reply:
        """A new note."""
        project, number = self._request(call)
        return Reply(201, self.write(project, number, self.user_of(call), _body(call)))

    @route("PUT", "/api/v4/projects/{id}/merge_requests/{iid}/notes/{note}")
    def change_note(self, call: Call) -> Reply:
        """Change a note; only its author may."""
        project, number = self._request(call)
        for one in project.notes.get(number, []):
            if str(one["id"]) == call.names["note"]:
                if one["author"]["id"] != self.user_of(call)["id"]:
                    raise Refused(403, "403 Forbidden")
                one["body"] = _body(call)
                return Reply(200, one)
        raise Refused(404, "404 Note Not Found")

    def write(self, project: Project, number: int, user: Row, body: str) -> Row:
        """A note by somebody; `system` notes are GitLab's own."""
        there = project.notes.setdefault(number, [])
        every = [one["id"] for notes in project.notes.values() for one in notes]
        row: Row = {
            "id": max(every, default=500) + 1,
            "body": body,
            "author": user,
            "system": False,
            "created_at": stamp(time.time()),
        }
        there.append(row)
        return row

    @route("GET", "/api/v4/projects/{id}/deployments")
    def list_deployments(self, call: Call) -> Reply:
        """Deployments, of one environment when it is named."""
        project = self.opened(call, GUEST)
        wanted = call.query.get("environment")
        found = [one for one in project.deployments if wanted in {None, one["environment"]["name"]}]
        return paged(call, found[:: -1 if call.query.get("sort") == "desc" else 1], self.home)

    @route("POST", "/api/v4/projects/{id}/deployments")
    def add_deployment(self, call: Call) -> Reply:
        """A new deployment; the environment is made when it is new."""
        project = self.opened(call, DEVELOPER)
        call.only("environment", "sha", "ref", "tag", "status")
        said = call.body
        for name in ("environment", "sha", "ref", "tag", "status"):
            if name not in said:
                raise Refused(400, f"{name} is missing")
        if said["status"] not in {"running", *ENDS}:
            raise Refused(400, "status does not have a valid value")
        row = {
            "id": len(project.deployments) + 1,
            "sha": _commit(project, said["sha"]),
            "ref": said["ref"],
            "tag": said["tag"],
            "status": said["status"],
            "environment": {"name": said["environment"]},
            "user": self.user_of(call),
            "deployable": None,
        }
        project.deployments.append(row)
        return Reply(201, row)

    @route("PUT", "/api/v4/projects/{id}/deployments/{number}")
    def change_deployment(self, call: Call) -> Reply:
        """Go on with a deployment; nothing goes back to running."""
        project = self.opened(call, DEVELOPER)
        call.only("status")
        for one in project.deployments:
            if str(one["id"]) == call.names["number"]:
                if one["deployable"]:
                    raise Refused(
                        403, "Deployments created using GitLab CI can not be updated using the API"
                    )
                if call.body.get("status") not in ENDS or one["status"] == call.body["status"]:
                    raise Refused(400, "Cannot transition status")
                one["status"] = call.body["status"]
                return Reply(200, one)
        raise Refused(404, "404 Not found")

    def _request(self, call: Call) -> tuple[Project, int]:
        project = self.opened(call, GUEST)
        number = int(call.names["iid"])
        if number not in project.requests:
            raise Refused(404, "404 Not found")
        return project, number


def _body(call: Call) -> str:
    call.only("body")
    body = call.body.get("body", "")
    if not isinstance(body, str) or not body.strip():
        raise Refused(400, "body is missing")
    if len(body) > LARGEST:
        raise Refused(400, "Note is too long (maximum is 1000000 characters)")
    return body


def _commit(project: Project, sha: str) -> str:
    if not project.bare.has(sha):
        raise Refused(404, "404 Commit Not Found")
    return sha


def _contained(project: Project, sha: str) -> bool:
    return bool(project.bare.git("branch", "--format=%(refname)", "--contains", sha))
