"""
What programs say on the GitHub of the tests: statuses, check runs, comments, deployments.

See https://docs.github.com/en/rest/commits/statuses, https://docs.github.com/en/rest/checks/runs,
https://docs.github.com/en/rest/issues/comments and
https://docs.github.com/en/rest/deployments/deployments. That a run which is completed is
not taken back is what people found: https://github.com/taskcluster/taskcluster/issues/5085.
"""

from __future__ import annotations

from windlass.testing.servers.github_ground import REPO, Repository, Said, iso
from windlass.testing.servers.github_hooks import Hooks
from windlass.testing.servers.serving import Call, Refused, Reply, paged, route

STATES = frozenset({"error", "failure", "pending", "success"})
CONCLUSIONS = frozenset(
    {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
)
DEPLOYED = frozenset(
    {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
)
RUN = ("name", "head_sha", "details_url", "external_id", "status", "conclusion", "output")
DEPLOYMENT = (
    "ref",
    "task",
    "auto_merge",
    "required_contexts",
    "payload",
    "environment",
    "description",
)


class Results(Hooks):
    """What is said of commits and pull requests."""

    @route("POST", REPO + "/statuses/{sha}")
    def make_status(self, call: Call) -> Reply:
        """One more status; the newest of a context counts."""
        found = self.let(call, "statuses", write=True)
        call.only("state", "target_url", "description", "context")
        sha = found.commit(call.names["sha"])
        _word(call.body.get("state"), STATES)
        _short(call.body.get("description"), 140)
        _web(call.body.get("target_url"))
        made = {"id": self.new(), "sha": sha, **call.body}
        found.statuses.append(made)
        return Reply(201, made)

    @route("GET", REPO + "/commits/{sha}/status")
    def combined(self, call: Call) -> Reply:
        """The newest of each context."""
        found = self.let(call, "statuses")
        sha = found.commit(call.names["sha"])
        newest = {one["context"]: one for one in found.statuses if one["sha"] == sha}
        return Reply(200, {"sha": sha, "total_count": len(newest), "statuses": [*newest.values()]})

    @route("POST", REPO + "/check-runs")
    def make_run(self, call: Call) -> Reply:
        """A new check run; only an App may."""
        found = self._for_app(call)
        call.only(*RUN)
        who = self.bearer(call)
        made: Said = {
            "id": self.new(),
            "head_sha": found.commit(str(call.body.get("head_sha"))),
            "app": who.app if who else None,
            "conclusion": None,
            "output": {"title": None, "summary": None, "annotations_count": 0},
            "_marks": [],
        }
        if not call.body.get("name"):
            raise Refused(422, "name is missing")
        self._fill(made, {"status": "queued", **call.body})
        found.checks[made["id"]] = made
        return Reply(201, _open(made))

    @route("PATCH", REPO + "/check-runs/{id}")
    def change_run(self, call: Call) -> Reply:
        """Change a run of one's own; marks are added to those that are there."""
        found = self._for_app(call)
        call.only(*RUN)
        run, who = found.checks.get(int(call.names["id"])), self.bearer(call)
        if run is None or who is None or run["app"] != who.app:
            raise Refused(404, "Not Found")
        if run["status"] == "completed" != call.body.get("status", "completed"):
            raise Refused(422, "a completed check run stays completed")
        self._fill(run, dict(call.body))
        return Reply(200, _open(run))

    @route("GET", REPO + "/commits/{sha}/check-runs")
    def runs(self, call: Call) -> Reply:
        """The runs on a commit; with `filter=latest` the newest of each name and App."""
        found = self.let(call, "checks")
        sha = found.commit(call.names["sha"])
        there = [
            one
            for one in found.checks.values()
            if one["head_sha"] == sha
            and call.query.get("check_name", one["name"]) == one["name"]
            and call.query.get("app_id", str(one["app"]["id"])) == str(one["app"]["id"])
        ]
        if call.query.get("filter", "latest") == "latest":
            there = list({(one["name"], one["app"]["id"]): one for one in there}.values())
        return Reply(200, {"total_count": len(there), "check_runs": [_open(one) for one in there]})

    @route("GET", REPO + "/check-runs/{id}/annotations")
    def marks(self, call: Call) -> Reply:
        """The marks of a run."""
        found = self.let(call, "checks")
        return paged(call, found.checks[int(call.names["id"])]["_marks"], self.url)

    @route("GET", REPO + "/issues/{number}/comments")
    def comments(self, call: Call) -> Reply:
        """All of them, oldest first."""
        found = self.let(call, "comments")
        number = _pull(found, call)["number"]
        there = [one for one in found.comments.values() if one["_number"] == number]
        return paged(call, [_open(one) for one in there], self.url)

    @route("POST", REPO + "/issues/{number}/comments")
    def make_comment(self, call: Call) -> Reply:
        """A new one."""
        found = self.let(call, "comments", write=True)
        call.only("body")
        who = self.bearer(call)
        _text(call.body.get("body"))
        made: Said = {
            "id": self.new(),
            "body": call.body["body"],
            "user": who.person.said() if who else None,
            "performed_via_github_app": who.app if who else None,
            "_number": _pull(found, call)["number"],
        }
        found.comments[made["id"]] = made
        return Reply(201, _open(made))

    @route("PATCH", REPO + "/issues/comments/{id}")
    def change_comment(self, call: Call) -> Reply:
        """Change it; somebody else's only who may write."""
        found = self.let(call, "comments", write=True)
        call.only("body")
        one = found.comments.get(int(call.names["id"]))
        if one is None:
            raise Refused(404, "Not Found")
        _text(call.body.get("body"))
        one["body"] = call.body["body"]
        return Reply(200, _open(one))

    @route("GET", REPO + "/deployments")
    def deployments(self, call: Call) -> Reply:
        """Newest first."""
        found = self.let(call, "deployments")
        there = [
            one
            for one in reversed(found.deployments.values())
            if all(call.query.get(name, one[name]) == one[name] for name in ("sha", "environment"))
        ]
        return paged(call, [_open(one) for one in there], self.url)

    @route("POST", REPO + "/deployments")
    def make_deployment(self, call: Call) -> Reply:
        """A new one; where nothing else is said, only a green commit is deployed, and merged."""
        found = self.let(call, "deployments", write=True)
        call.only(*DEPLOYMENT)
        who, sha = self.bearer(call), found.commit(str(call.body.get("ref")))
        if call.body.get("required_contexts") != [] or call.body.get("auto_merge", True):
            raise Refused(409, "Conflict: Commit status checks failed, or base is ahead")
        made: Said = {
            "environment": "production",
            "payload": {},
            **call.body,
            "id": self.new(),
            "sha": sha,
            "creator": who.person.said() if who else None,
            "performed_via_github_app": who.app if who else None,
            "_statuses": [],
        }
        found.deployments[made["id"]] = made
        return Reply(201, _open(made))

    @route("GET", REPO + "/deployments/{id}/statuses")
    def deployment_statuses(self, call: Call) -> Reply:
        """Newest first."""
        found = self.let(call, "deployments")
        there = found.deployments[int(call.names["id"])]["_statuses"]
        return paged(call, there[::-1], self.url)

    @route("POST", REPO + "/deployments/{id}/statuses")
    def make_deployment_status(self, call: Call) -> Reply:
        """Where it stands; a success makes the others of the environment inactive."""
        found = self.let(call, "deployments", write=True)
        call.only("state", "log_url", "description", "environment_url", "auto_inactive")
        one = found.deployments.get(int(call.names["id"]))
        if one is None:
            raise Refused(404, "Not Found")
        _word(call.body.get("state"), DEPLOYED)
        _short(call.body.get("description"), 140)
        _web(call.body.get("log_url"))
        for other in found.deployments.values():
            same = other is not one and other["environment"] == one["environment"]
            there = [each["state"] for each in other["_statuses"][-1:]]
            if same and call.body["state"] == "success" and there not in ([], ["inactive"]):
                other["_statuses"].append({"id": self.new(), "state": "inactive"})
        one["_statuses"].append({"id": self.new(), "at": iso(self.now()), **call.body})
        return Reply(201, one["_statuses"][-1])

    def _for_app(self, call: Call) -> Repository:
        who = self.bearer(call)
        if who and not who.app:
            raise Refused(403, "You must authenticate via a GitHub App.")
        return self.let(call, "checks", write=True)

    def _fill(self, run: Said, said: Said) -> None:
        _web(said.get("details_url"))
        if "conclusion" in said:
            _word(said["conclusion"], CONCLUSIONS)
            said["status"] = "completed"
        _word(
            said.get("status", run.get("status")), frozenset({"queued", "in_progress", "completed"})
        )
        if said.get("status") == "completed" and not (said.get("conclusion") or run["conclusion"]):
            raise Refused(422, "conclusion is missing")
        output = said.pop("output", {})
        added = output.pop("annotations", [])
        if output and not (output.get("title") and output.get("summary")):
            raise Refused(422, "title and summary are missing")
        if len(added) > 50:
            raise Refused(422, "No more than 50 items are allowed; 51 were supplied.")
        for one in added:
            if not (one["path"] and one["message"] and 1 <= one["start_line"] <= one["end_line"]):
                raise Refused(422, "an annotation is not valid")
            _word(one["annotation_level"], frozenset({"notice", "warning", "failure"}))
        run["_marks"].extend(added)
        said.pop("head_sha", None)
        run.update(said)
        run["output"] = {**run["output"], **output, "annotations_count": len(run["_marks"])}


def _pull(found: Repository, call: Call) -> Said:
    pull = found.pulls.get(int(call.names["number"]))
    if pull is None:
        raise Refused(404, "Not Found")
    return pull


def _open(one: Said) -> Said:
    """What GitHub shows; the rest is ours."""
    return {name: value for name, value in one.items() if not name.startswith("_")}


def _word(said: object, words: frozenset[str]) -> None:
    if said not in words:
        raise Refused(422, f"Validation Failed: {said!r} is not one of {sorted(words)}")


def _short(said: object, limit: int) -> None:
    if said is not None and len(str(said)) > limit:
        raise Refused(422, f"Validation Failed: too long (maximum is {limit} characters)")


def _web(said: object) -> None:
    if said is not None and not str(said).startswith(("http://", "https://")):
        raise Refused(422, "Validation Failed: no http(s) address")


def _text(said: object) -> None:
    if not isinstance(said, str) or not said.strip():
        raise Refused(422, "Validation Failed: body can't be blank")
    _short(said, 65_536)
