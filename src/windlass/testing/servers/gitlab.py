"""
A GitLab to talk to in tests: projects in groups, tokens with scopes, roles, webhooks.

It is written from GitLab's documents, and refuses what they say is refused:

- https://docs.gitlab.com/api/rest/ and /api/rest/authentication/
- https://docs.gitlab.com/api/project_webhooks/, /user/project/integrations/webhooks/
- https://docs.gitlab.com/api/commits/, /api/notes/, /api/deployments/
- https://docs.gitlab.com/api/merge_requests/, /api/branches/, /api/tags/, /api/members/

`ada` (42) owns `acme/tools/shop`, `bot` (77) is whose token `TOKEN` is: Maintainer there, and
Developer in `acme/vault`, where it may therefore set up no webhook.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from windlass.testing.servers import gitlab_bodies as bodies
from windlass.testing.servers.gitlab_hooks import Hooks
from windlass.testing.servers.gitlab_reports import Reporting
from windlass.testing.servers.gitlab_state import (
    DEVELOPER,
    GUEST,
    MAINTAINER,
    OWNER,
    Project,
    Row,
    Token,
    new_bare,
    stamp,
)
from windlass.testing.servers.serving import Call, Refused, Reply, paged, route

TOKEN = "glpat-" + "correct-horse-battery"
ADA, BOT, EVE = 42, 77, 13
API = "/api/v4/"


class GitLab(Hooks, Reporting):
    """The whole of it; `prefix` is the path that it lives under, such as `/gitlab`."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        super().__init__(root)
        self.prefix = prefix
        self.seconds = 0
        self.tokens = {TOKEN: Token(BOT)}
        self.people = {
            number: {"id": number, "username": name, "name": name.title()}
            for number, name in ((ADA, "ada"), (BOT, "bot"), (EVE, "eve"))
        }
        self.projects: dict[int, Project] = {}
        self.shop = self.add("acme/tools/shop", {ADA: OWNER, BOT: MAINTAINER})
        self.vault = self.add("acme/vault", {ADA: OWNER, BOT: DEVELOPER})

    def add(self, path: str, members: dict[int, int], *, public: bool = False) -> Project:
        """A project with a first commit on `main`."""
        bare = new_bare(self.root / self.prefix.strip("/") / f"{path}.git")
        bare.point({"refs/heads/main": bare.commit("Begin")})
        number = 7001 + len(self.projects)
        project = Project(number, path, bare, public=public, members=members)
        self.projects[number] = project
        return project

    def web(self, project: Project) -> str:
        """The address that people paste."""
        return f"{self.home}/{project.path}"

    def answer(self, call: Call) -> Reply:
        """The reply; outside the prefix there is no GitLab."""
        if not call.path.startswith(f"{self.prefix}/"):
            self.calls.append(call)
            if self.faults:
                return self.faults.pop(0)
            return Reply(404, b"<h1>Not Found</h1>", {"content-type": "text/html"})
        return super().answer(replace(call, path=call.path.removeprefix(self.prefix)))

    def admit(self, call: Call) -> None:
        """A wrong token is refused, and one whose scopes are too narrow; without one, see there."""
        given = call.headers.get("private-token")
        token = self.tokens.get(given or "")
        if given is not None and token is None:
            raise Refused(401, "401 Unauthorized")
        enough = {"api", "read_api"} if call.method == "GET" else {"api"}
        if token and not token.scopes & enough:
            refused = Refused(403, "insufficient_scope")
            words = "The request requires higher privileges than provided by the access token."
            body = {"error": "insufficient_scope", "error_description": words, "scope": "api"}
            refused.reply = Reply(403, body)
            raise refused

    def readable(self, headers: Mapping[str, str]) -> bool:
        """Git may read with any name, and a token for its password."""
        scheme, _, coded = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        return base64.b64decode(coded).decode().partition(":")[2] in self.tokens

    def user_of(self, call: Call) -> Row:
        """Who calls."""
        token = self.tokens.get(call.headers.get("private-token", ""))
        if token is None:
            raise Refused(401, "401 Unauthorized")
        return self.people[token.user]

    def opened(self, call: Call, least: int) -> Project:
        """The project of a call, by its number or its path, for somebody with this role."""
        wanted = call.names["id"]
        known = "private-token" in call.headers
        for project in self.projects.values():
            if wanted in {str(project.id), project.path}:
                break
        else:
            raise (
                Refused(404, "404 Project Not Found") if known else Refused(401, "401 Unauthorized")
            )
        level = project.members.get(self.user_of(call)["id"], 0) if known else 0
        if not level and not project.public:
            raise Refused(404, "404 Project Not Found")
        if level < least and not (project.public and least == GUEST and call.method == "GET"):
            raise Refused(403, "403 Forbidden") if known else Refused(401, "401 Unauthorized")
        return project

    @route("GET", "/api/v4/version")
    def version(self, call: Call) -> Reply:
        """Which GitLab this is, for those who have a token."""
        self.user_of(call)
        return Reply(200, {"version": "18.0.0", "revision": "abc"})

    @route("GET", "/api/v4/user")
    def user(self, call: Call) -> Reply:
        """Whose token it is."""
        return Reply(200, self.user_of(call))

    @route("GET", "/api/v4/projects/{id}")
    def project(self, call: Call) -> Reply:
        """A project."""
        found = self.opened(call, GUEST)
        row = bodies.about(found, self.home)
        return Reply(200, {**row, "default_branch": found.default or None})

    @route("GET", "/api/v4/projects/{id}/repository/branches")
    def branches(self, call: Call) -> Reply:
        """Branches."""
        heads = self.opened(call, GUEST).bare.refs("refs/heads/")
        return paged(call, [{"name": k, "commit": {"id": v}} for k, v in heads.items()], self.home)

    @route("GET", "/api/v4/projects/{id}/repository/tags")
    def tags(self, call: Call) -> Reply:
        """Tags; `target` is the tag itself when it is an annotated one."""
        bare = self.opened(call, GUEST).bare
        rows = [
            {"name": k, "target": bare.git("rev-parse", f"refs/tags/{k}"), "commit": {"id": v}}
            for k, v in bare.refs("refs/tags/").items()
        ]
        return paged(call, rows, self.home)

    @route("GET", "/api/v4/projects/{id}/repository/commits/{sha}/refs")
    def refs_of_commit(self, call: Call) -> Reply:
        """Branches and tags that hold a commit."""
        bare = self.opened(call, GUEST).bare
        sha = call.names["sha"]
        if not bare.has(sha):
            raise Refused(404, "404 Commit Not Found")
        words = (f"--contains={sha}", "--format=%(refname:strip=2)")
        rows = [
            {"type": kind, "name": name}
            for kind, under in (("branch", "refs/heads/"), ("tag", "refs/tags/"))
            for name in bare.git("for-each-ref", *words, under).splitlines()
        ]
        return paged(call, rows, self.home)

    @route("GET", "/api/v4/projects/{id}/repository/commits/{sha}/merge_requests")
    def requests_of_commit(self, call: Call) -> Reply:
        """Merge requests with a commit."""
        rows = self.opened(call, GUEST).requests.values()
        return paged(call, [one for one in rows if one["sha"] == call.names["sha"]], self.home)

    @route("GET", "/api/v4/projects/{id}/merge_requests")
    def requests(self, call: Call) -> Reply:
        """Merge requests, of a state when it is named."""
        wanted = call.query.get("state", "all")
        rows = self.opened(call, GUEST).requests.values()
        found = [one for one in rows if wanted in {"all", one["state"]}]
        return paged(call, found, self.home)

    @route("GET", "/api/v4/projects/{id}/merge_requests/{iid}")
    def request(self, call: Call) -> Reply:
        """One merge request."""
        found = self.opened(call, GUEST).requests.get(int(call.names["iid"]))
        if found is None:
            raise Refused(404, "404 Not found")
        return Reply(200, found)

    @route("GET", "/api/v4/projects/{id}/merge_requests/{iid}/approvals")
    def approvals(self, call: Call) -> Reply:
        """Who approves it; of which commit GitLab does not tell."""
        project, number = self.opened(call, GUEST), int(call.names["iid"])
        if number not in project.requests:
            raise Refused(404, "404 Not found")
        given = project.approved.get(number, {})
        people = [{"user": self.people[one], "approved_at": at} for one, at in given.items()]
        return Reply(200, {"iid": number, "approved": bool(people), "approved_by": people})

    @route("GET", "/api/v4/projects/{id}/merge_requests/{iid}/versions")
    def versions(self, call: Call) -> Reply:
        """The heads that it has had, the newest first."""
        rows = self.opened(call, GUEST).versions.get(int(call.names["iid"]), [])
        return paged(call, rows, self.home)

    @route("GET", "/api/v4/projects/{id}/members/all/{user}")
    def member(self, call: Call) -> Reply:
        """A member, by a role in the project or above it."""
        project = self.opened(call, GUEST)
        number = int(call.names["user"])
        if number not in project.members:
            raise Refused(404, "404 Not found")
        state = "blocked" if number in project.blocked else "active"
        row = {**self.people[number], "state": state, "access_level": project.members[number]}
        return Reply(200, row)

    def push(self, project: Project, ref: str, message: str = "Change") -> str:
        """Ada pushes a commit, to a branch or as a tag; webhooks tell of it."""
        before = project.bare.git("for-each-ref", "--format=%(objectname)", ref) or bodies.ZERO
        parent = before if before != bodies.ZERO else project.bare.git("rev-parse", "HEAD")
        after = project.bare.commit(f"{message} {ref}", parent)
        project.bare.point({ref: after})
        trigger = "tag_push_events" if ref.startswith("refs/tags/") else "push_events"
        body = bodies.push(project, self.home, self.people[ADA], (ref, before, after))
        self.fire(project, trigger, body)
        return after

    def moved(self, project: Project, branch: str, before: str, after: str) -> None:
        """Tell of commits that have come to a branch by Git."""
        ref = (f"refs/heads/{branch}", before or bodies.ZERO, after)
        self.fire(project, "push_events", bodies.push(project, self.home, self.people[ADA], ref))

    def propose(
        self, project: Project, branch: str = "one", *, source: int | None = -1, sha: str = ""
    ) -> int:
        """Ada opens a merge request of a commit; from the project `source`, -1 for the same."""
        number = len(project.requests) + 1
        tip = project.bare.git("rev-parse", f"refs/heads/{project.default}")
        sha = sha or project.bare.commit(f"Add {branch} {number}", tip)
        project.bare.point({f"refs/merge-requests/{number}/head": sha})
        if source == -1:
            project.bare.point({f"refs/heads/{branch}": sha})
        now = stamp(time.time())
        project.requests[number] = {
            "iid": number,
            "title": f"Add {branch}",
            "description": None,
            "state": "opened",
            "sha": sha,
            "source_branch": branch,
            "target_branch": project.default,
            "source_project_id": project.id if source == -1 else source,
            "target_project_id": project.id,
            "author": self.people[ADA],
            "draft": False,
            "labels": ["ready"],
            "merge_commit_sha": None,
            "squash_commit_sha": None,
            "web_url": f"{self.web(project)}/-/merge_requests/{number}",
            "created_at": now,
            "updated_at": now,
        }
        bodies.versions(project, number, now)
        self._tell(project, number, {"action": "open"})
        return number

    def update(self, project: Project, number: int) -> str:
        """Ada pushes another commit to a merge request."""
        row = project.requests[number]
        old, row["sha"] = row["sha"], project.bare.commit("More", row["sha"])
        project.bare.point({f"refs/merge-requests/{number}/head": row["sha"]})
        bodies.versions(project, number, self.later())
        self._tell(project, number, {"action": "update", "oldrev": old})
        return str(row["sha"])

    def approve(self, project: Project, number: int, user: int = EVE) -> None:
        """Somebody approves it as it is; a push does not take that back."""
        project.approved.setdefault(number, {})[user] = self.later()
        self._tell(project, number, {"action": "approved"}, user)

    def revoke(self, project: Project, number: int, user: int = EVE) -> None:
        """Somebody takes an approval back."""
        del project.approved[number][user]
        self._tell(project, number, {"action": "unapproved"}, user)

    def later(self) -> str:
        """A time after all that this has told before."""
        self.seconds += 1
        return stamp(time.time() + self.seconds)

    def merge(self, project: Project, number: int) -> str:
        """Ada merges it."""
        row = project.requests[number]
        target = f"refs/heads/{row['target_branch']}"
        tip = project.bare.git("rev-parse", target)
        row["merge_commit_sha"] = project.bare.commit("Merge", tip, row["sha"])
        project.bare.point({target: row["merge_commit_sha"]})
        row["state"] = "merged"
        self._tell(project, number, {"action": "merge"})
        return str(row["merge_commit_sha"])

    def say(self, project: Project, number: int, text: str, user: int = ADA) -> Row:
        """Somebody comments on a merge request."""
        said = self.write(project, number, self.people[user], text)
        row = project.requests[number]
        body = bodies.note(project, self.home, self.people[user], row, said)
        self.fire(project, "note_events", body)
        return said

    def _tell(self, project: Project, number: int, action: Row, user: int = ADA) -> None:
        row = project.requests[number]
        body = bodies.merge_request(project, self.home, self.people[user], row, action)
        self.fire(project, "merge_requests_events", body)
