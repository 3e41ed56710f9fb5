"""
Azure DevOps as its API's reference describes it, self-hosted below `/COLLECTION`.

    https://learn.microsoft.com/rest/api/azure/devops/hooks/subscriptions
    https://learn.microsoft.com/rest/api/azure/devops/hooks/notifications
    https://learn.microsoft.com/rest/api/azure/devops/git/statuses
    https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
    https://learn.microsoft.com/rest/api/azure/devops/security/access-control-lists/query
    https://learn.microsoft.com/rest/api/azure/devops/ims/identities/read-identities
    https://learn.microsoft.com/azure/devops/service-hooks/events

Service hooks sign in with Basic authentication, and are sent at once. What could not be
delivered is kept as a failed notification, and puts its subscription on probation.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from windlass.testing.servers.azure_hooks import Hooks
from windlass.testing.servers.azure_state import (
    ADMINISTER,
    CONTRIBUTE,
    EVERY,
    NOW,
    READ,
    Acl,
    Person,
    Pull,
    Repository,
)
from windlass.testing.servers.serving import Call, Refused, Reply, first, route

COLLECTION = "acme"
NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
REPO = f"/{COLLECTION}/{{project}}/_apis/git/repositories/{{name}}"
PULL = f"{REPO}/pull[Rr]equests/{{number}}"
LARGEST = 150_000
STATES = ("notSet", "pending", "succeeded", "failed", "error", "notApplicable")


class AzureServer(Hooks):
    """`people`, `tokens` (token -> who, scopes) and `acls` may be changed by tests."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.people = {one: Person(one) for one in ("windlass", "ada", "mallory", "team")}
        self.people["ada"].groups.append(self.people["team"].descriptor)
        self.tokens: dict[str, tuple[str, frozenset[str]]] = {
            "azure-token-of-windlass": ("windlass", EVERY)
        }
        self.acls: dict[str, Acl] = {"repoV2": Acl()}

    def add(self, project: str, name: str) -> Repository:
        """A repository with one commit, where the team may write and we may set up hooks."""
        path = self.root / COLLECTION / project / "_git" / f"{name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Repository(project, name, path, f"{self.url}/{COLLECTION}/{project}")
        made.hookers.add("windlass")
        made.point({"refs/heads/main": made.commit("Begin")})
        self.repositories[(project, name)] = made
        team = self.people["team"].descriptor
        us = self.people["windlass"].descriptor
        self.acls[f"repoV2/{made.project_id}"] = Acl(
            {team: (READ | CONTRIBUTE, 0), us: (READ | CONTRIBUTE | ADMINISTER, 0)}
        )
        return made

    # -- who asks

    def admit(self, call: Call) -> None:
        """Nobody without a token; every path but one says which version it means."""
        if self._asking(call) is None:
            if "x-tfs-fedauthredirect" not in call.headers:
                raise Refused(203, "<html>Sign in to your account</html>")
            raise Refused(401, "TF400813: The user is not authorized to access this resource.")
        if "api-version" not in call.query and call.method != "GET":
            raise Refused(400, "No api-version was supplied for the request.")

    def readable(self, headers: Mapping[str, str]) -> bool:
        """Git asks with the token as the password, under any name."""
        return self._asking(Call("GET", "", {}, {}, headers, {})) is not None

    def who(self, call: Call, scope: str) -> Person:
        """Who asks, if their token has this scope."""
        name, scopes = self._asking(call) or ("", frozenset())
        if scope not in scopes:
            raise Refused(401, f"The token has not the scope vso.{scope}")
        return self.people[name]

    def _asking(self, call: Call) -> tuple[str, frozenset[str]] | None:
        kind, _, value = call.headers.get("authorization", "").partition(" ")
        try:
            said = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self.tokens.get(said.partition(":")[2]) if kind == "Basic" else None

    def repository(self, call: Call, scope: str = "code") -> Repository:
        """The repository that a call is about, by name or id."""
        self.who(call, scope)
        named = (call.names["project"], call.names["name"])
        for key, one in self.repositories.items():
            if key == named or one.id == named[1]:
                return one
        raise Refused(404, f"TF401019: The Git repository with name {named[1]} does not exist.")

    def pull_request(self, call: Call, scope: str = "code") -> Pull:
        """The pull request that a call is about."""
        home, number = self.repository(call, scope), call.names["number"]
        missing = f"TF401180: The requested pull request {number} was not found."
        return first((p for p in self.pulls if p.home is home and str(p.number) == number), missing)

    # -- the repository

    @route("GET", f"/{COLLECTION}/_apis/connectionData")
    def connection(self, call: Call) -> Reply:
        """Who the token belongs to; there is only a draft of this."""
        if not call.query.get("api-version", "-preview").endswith("-preview"):
            raise Refused(400, "The -preview flag must be supplied in the api-version.")
        name = (self._asking(call) or ("", frozenset()))[0]
        return Reply(200, {"authenticatedUser": {"id": self.people[name].id}})

    @route("GET", REPO)
    def get_repository(self, call: Call) -> Reply:
        """The repository."""
        return Reply(200, self.repository(call).shown)

    @route("GET", f"{REPO}/refs")
    def get_refs(self, call: Call) -> Reply:
        """Refs, a page at a time, tags peeled when asked to."""
        wanted = "refs/" + call.query.get("filter", "")
        found = []
        for name, (sha, peeled) in self.repository(call).refs().items():
            if name.startswith(wanted):
                more = {"peeledObjectId": peeled} if peeled else {}
                found.append(
                    {"name": name, "objectId": sha}
                    | (more if call.query.get("peelTags") == "true" else {})
                )
        # A page of theirs is never larger than they like, whatever is asked for.
        start, size = int(call.query.get("continuationToken") or 0), 100
        more_pages = (
            {"x-ms-continuationtoken": str(start + size)} if start + size < len(found) else {}
        )
        page = found[start : start + size]
        return Reply(200, {"value": page, "count": len(page)}, more_pages)

    @route("GET", f"{REPO}/commits/{{sha}}/statuses")
    def get_statuses(self, call: Call) -> Reply:
        """What was said of a commit, the last of each context."""
        home = self.repository(call, "code_status")
        found = [one for one in home.statuses if one["sha"] == call.names["sha"]]
        if call.query.get("latestOnly") == "true":
            found = list({str(one["context"]): one for one in found}.values())
        return Reply(200, {"value": found, "count": len(found)})

    @route("POST", f"{REPO}/commits/{{sha}}/statuses")
    def add_status(self, call: Call) -> Reply:
        """One more status of a commit."""
        home = self.repository(call, "code_status")
        call.only("state", "description", "context", "targetUrl")
        sha, context = call.names["sha"], call.body.get("context") or {}
        if not home.has(sha):
            raise Refused(404, f"TF401175: The version descriptor {sha} could not be resolved.")
        if call.body.get("state") not in STATES or not context.get("name"):
            raise Refused(400, "The status has no valid state or context.")
        url = call.body.get("targetUrl", "https://x")
        if not url.startswith(("http://", "https://")):
            raise Refused(400, "targetUrl must be an absolute URL.")
        made = {"id": len(home.statuses) + 1, "sha": sha, **call.body}
        home.statuses.append(made)
        return Reply(201, made)

    # -- pull requests

    def propose(self, home: Repository, head: str, author: str = "ada", **more: Any) -> Pull:  # noqa: ANN401
        """Open a pull request of a branch that is there, and tell of it."""
        number = len(self.pulls) + 1
        made = Pull(
            number, home, self.people[author], more.pop("title", f"Add {head}"), head, **more
        )
        self.pulls.append(made)
        made.iterated()
        self.tell(home, "git.pullrequest.created", made.shown, f"{author} created a pull request")
        return made

    def complete(self, pull: Pull, by: str = "ada") -> None:
        """Merge it, and tell of it: that it was tried, the push, and that it is done."""
        before = pull.home.refs()[f"refs/heads/{pull.base}"][0]
        tip = (pull.source or pull.home).refs()[f"refs/heads/{pull.head}"][0]
        pull.merged = pull.home.commit(f"Merged PR {pull.number}: {pull.title}", before, tip)
        self.push(pull.home, f"refs/heads/{pull.base}", pull.merged, by)
        pull.status = "completed"
        shown = {**pull.shown, "closedBy": self.people[by].shown}
        self.tell(pull.home, "git.pullrequest.merged", shown, "merge attempt succeeded")
        self.tell(pull.home, "git.pullrequest.updated", shown, f"{by} completed pull request")

    @route("GET", f"{REPO}/pull[Rr]equests")
    def get_pulls(self, call: Call) -> Reply:
        """Pull requests in one state, a page at a time."""
        home, state = self.repository(call), call.query.get("searchCriteria.status", "active")
        found = [p for p in reversed(self.pulls) if p.home is home and p.status == state]
        start, size = int(call.query.get("$skip", 0)), int(call.query.get("$top", 101))
        page = [one.shown for one in found[start : start + size]]
        return Reply(200, {"value": page, "count": len(page)})

    @route("GET", PULL)
    def get_pull(self, call: Call) -> Reply:
        """One of them."""
        return Reply(200, self.pull_request(call).shown)

    @route("GET", f"{PULL}/iterations")
    def get_iterations(self, call: Call) -> Reply:
        """The heads it has had."""
        found = self.pull_request(call).iterations
        return Reply(200, {"value": found, "count": len(found)})

    @route("GET", f"{PULL}/labels")
    def get_labels(self, call: Call) -> Reply:
        """Its labels."""
        labels = [{"name": name, "active": True} for name in self.pull_request(call).labels]
        return Reply(200, {"value": labels})

    @route("GET", f"{PULL}/threads")
    def get_threads(self, call: Call) -> Reply:
        """All that was said of it."""
        pull = self.pull_request(call, "threads")
        return Reply(200, {"value": pull.home.threads.get(pull.number, [])})

    @route("POST", f"{PULL}/threads")
    def add_thread(self, call: Call) -> Reply:
        """Begin a thread, and tell of its comment."""
        person = self.who(call, "threads")
        call.only("comments", "status", "threadContext", "properties")
        (comment,) = call.body["comments"]
        made = self.say(self.pull_request(call), person, comment.get("content", ""))
        return Reply(200, {**made, "status": call.body.get("status", "unknown")})

    def say(self, pull: Pull, person: Person, content: str) -> dict[str, Any]:
        """A comment of somebody, in a thread of its own."""
        _check_comment(content)
        threads = pull.home.threads.setdefault(pull.number, [])
        comment: dict[str, Any] = {
            "id": 1,
            "parentCommentId": 0,
            "author": person.shown,
            "content": content,
            "publishedDate": NOW,
            "lastUpdatedDate": NOW,
            "commentType": "text",
        }
        thread = {"id": len(threads) + 1, "comments": [comment], "isDeleted": False}
        threads.append(thread)
        name = "ms.vss-code.git-pullrequest-comment-event"
        told = {"comment": comment, "pullRequest": pull.shown}
        self.tell(pull.home, name, told, f"{person.name} has commented on a pull request")
        return thread

    @route("PATCH", f"{PULL}/threads/{{thread}}/comments/{{comment}}")
    def edit_comment(self, call: Call) -> Reply:
        """Change a comment of one's own; one that was deleted stays so."""
        person, pull = self.who(call, "threads"), self.pull_request(call)
        call.only("content", "parentCommentId", "commentType")
        found = pull.home.threads.get(pull.number, [])
        thread = first((t for t in found if str(t["id"]) == call.names["thread"]), "no such thread")
        comment = first(
            (c for c in thread["comments"] if str(c["id"]) == call.names["comment"]),
            "no such comment",
        )
        if comment["author"]["id"] != person.id:
            raise Refused(403, "TF401196: You cannot edit the comment of another person.")
        _check_comment(call.body.get("content", ""))
        if not comment.get("isDeleted"):
            comment["content"] = call.body["content"]
        return Reply(200, comment)

    # -- rights

    @route("GET", f"/{COLLECTION}/_apis/identities")
    def identities(self, call: Call) -> Reply:
        """Identities by id; null for one that is not known."""
        self.who(call, "identity")
        known = {one.id: one for one in self.people.values()}
        found: list[object] = []
        for wanted in call.query.get("identityIds", "").split(","):
            one = known.get(wanted)
            shown = one and {"id": one.id, "descriptor": one.descriptor, "isActive": one.active}
            if shown and one and call.query.get("queryMembership", "").startswith("expanded"):
                shown["memberOf"] = one.groups
            found.append(shown)
        return Reply(200, {"value": found, "count": len(found)})

    @route("GET", f"/{COLLECTION}/_apis/accesscontrollists/{NAMESPACE}")
    def lists(self, call: Call) -> Reply:
        """The list of one token, with the entries of these descriptors; none when it has none."""
        self.who(call, "security")
        token, wanted = call.query.get("token", ""), call.query.get("descriptors", "").split(",")
        acl = self.acls.get(token)
        return Reply(200, {"value": [acl.shown(token, wanted)] if acl else []})


def _check_comment(content: str) -> None:
    if not content or len(content) > LARGEST:
        raise Refused(400, f"A comment has 1 to {LARGEST} characters.")
