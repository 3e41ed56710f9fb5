"""
A Bitbucket Data Center for tests, after its public documents.

    https://developer.atlassian.com/server/bitbucket/rest/v906/intro/
    https://developer.atlassian.com/server/bitbucket/how-tos/updating-build-status-for-commits
    https://confluence.atlassian.com/bitbucketserver091/http-access-tokens-1443038354.html
    https://confluence.atlassian.com/bitbucketserver0812/manage-webhooks-1272382316.html

It says 401 to whoever may not do something, as the real one does, tells in a header of
every answer whom a token speaks for, and refuses a comment that was read before its last
change. A permission filter that it does not understand it passes over, as the real one
does; so an adapter that words it wrongly takes everybody for a writer, and is found out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from windlass.testing.servers.bitbucket_dc_bodies import LEVELS, Person, Pull, Repository
from windlass.testing.servers.bitbucket_dc_world import DataCenterWorld, Token
from windlass.testing.servers.serving import Call, Refused, Reply, route

API = "/rest/api/1.0"
REPOSITORY = API + "/projects/{key}/repos/{slug}"
STATES = frozenset({"INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED", "UNKNOWN"})
NOT_PERMITTED = "You are not permitted to access this resource"


def no(status: int, message: str) -> Refused:
    """A refusal in Bitbucket Data Center's own form."""
    refused = Refused(status, message)
    error = {"context": None, "message": message, "exceptionName": "com.atlassian.Exception"}
    refused.reply = Reply(status, {"errors": [error]})
    return refused


class BitbucketDataCenterServer(DataCenterWorld):
    """Bitbucket Data Center, small."""

    def answer(self, call: Call) -> Reply:
        """Below the context path; every answer tells whom the token speaks for."""
        if not call.path.startswith(self.prefix):
            return Reply(404, b"no such context")
        reply = super().answer(replace(call, path=call.path.removeprefix(self.prefix)))
        token = self.tokens.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None:
            return reply
        who = {"x-auserid": str(token.who.id), "x-ausername": quote(token.who.name, safe="")}
        return replace(reply, headers={**reply.headers, **who})

    def readable(self, headers: Mapping[str, str]) -> bool:
        """Git takes a person's token under the person's name."""
        kind, _, text = headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return False
        name, _, secret = base64.b64decode(text).decode().partition(":")
        token = self.tokens.get(secret)
        return token is not None and name == token.who.name

    def _token(self, call: Call) -> Token | None:
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        if not kind:
            return None
        found = self.tokens.get(given) if kind == "Bearer" else None
        if found is None:
            raise no(401, "Authentication failed. Please check your credentials and try again.")
        return found

    def _open(self, call: Call, level: str, at_least: str = "") -> tuple[Repository, Person]:
        """The repository of a call, and who asks; `at_least` is what the token itself needs."""
        key, slug = call.names["key"], call.names["slug"]
        at = self.repositories.get((key.lower(), slug))
        token = self._token(call)
        if at is None:
            raise no(404, f"Repository {key}/{slug} does not exist.")
        if token is None:
            if at.public and level == "REPO_READ" and call.method == "GET":
                return at, Person(0, "")
            raise no(401, NOT_PERMITTED)
        has = LEVELS.index(at.rights.get(token.who.id, "NONE"))
        may = LEVELS.index(token.level)
        if has < LEVELS.index(level) or may < LEVELS.index(at_least or level):
            raise no(401, NOT_PERMITTED)
        return at, token.who

    def _page(self, call: Call, found: Sequence[object], largest: int = 1000) -> Reply:
        start = int(call.query.get("start", "0"))
        limit = min(int(call.query.get("limit", "25")), largest)
        last = start + limit >= len(found)
        values = list(found[start : start + limit])
        body: dict[str, object] = {"size": len(values), "limit": limit, "start": start}
        body |= {"isLastPage": last, "values": values}
        body["nextPageStart"] = None if last else start + limit
        return Reply(200, body)

    @route("GET", API + "/application-properties")
    def properties(self, call: Call) -> Reply:
        """What is installed; everybody may know."""
        self._token(call)
        return Reply(200, {"version": "9.6.0", "displayName": "Bitbucket"})

    @route("GET", API + "/users")
    def users(self, call: Call) -> Reply:
        """Accounts; those that hold a permission on a repository, when a filter asks so."""
        if self._token(call) is None:
            raise no(401, NOT_PERMITTED)
        found = sorted(self.people.values(), key=lambda one: one.name)
        wanted = call.query.get("permission.1", "")
        place = (
            call.query.get("permission.1.projectKey", "").lower(),
            call.query.get("permission.1.repositorySlug", ""),
        )
        if wanted in LEVELS:
            if place not in self.repositories:
                raise no(404, f"Repository {'/'.join(place)} does not exist.")
            rights = self.repositories[place].rights
            needed = LEVELS.index(wanted)
            found = [o for o in found if LEVELS.index(rights.get(o.id, "NONE")) >= needed]
        return self._page(call, [self.bodies.account(one) for one in found], largest=100)

    @route("GET", REPOSITORY)
    def about(self, call: Call) -> Reply:
        """The repository."""
        at, _ = self._open(call, "REPO_READ")
        return Reply(200, self.bodies.repository(at))

    @route("GET", REPOSITORY + "/default-branch")
    def default(self, call: Call) -> Reply:
        """The default branch; nothing where there is no commit yet."""
        at, _ = self._open(call, "REPO_READ")
        if not at.main:
            return Reply(204)
        return Reply(200, {"id": f"refs/heads/{at.main}", "displayId": at.main, "type": "BRANCH"})

    @route("GET", REPOSITORY + "/branches")
    def branches(self, call: Call) -> Reply:
        """Every branch with its commit."""
        return self._refs(call, "refs/heads/")

    @route("GET", REPOSITORY + "/tags")
    def tags(self, call: Call) -> Reply:
        """Every tag with the commit that it leads to."""
        return self._refs(call, "refs/tags/")

    def _refs(self, call: Call, prefix: str) -> Reply:
        at, _ = self._open(call, "REPO_READ")
        found = [
            {"id": ref, "displayId": ref.removeprefix(prefix), "latestCommit": sha}
            for ref, sha in at.bare.refs(prefix).items()
        ]
        return self._page(call, found)

    @route("POST", REPOSITORY + "/commits/{sha}/builds")
    def build(self, call: Call) -> Reply:
        """Set a build status; one with the same key is replaced."""
        at, _ = self._open(call, "REPO_READ")
        sha = call.names["sha"]
        if not re.fullmatch(r"[0-9a-f]{40}", sha) or at.bare.at(sha) != sha:
            raise no(404, f"Commit '{sha}' does not exist in repository '{at.slug}'.")
        call.only("key", "state", "url", "name", "description", "ref", "parent", "buildNumber")
        for name, longest in (("key", 255), ("name", 255), ("description", 255), ("url", 450)):
            if len(call.body.get(name, "")) > longest:
                raise no(400, f"{name}: size must be between 0 and {longest}")
        if call.body.get("state") not in STATES or not call.body.get("key"):
            raise no(400, "key and a valid state are required")
        if not re.match(r"https?://[^/]", call.body.get("url", "")):
            raise no(400, "url: must be a valid URL")
        at.builds[sha, call.body["key"]] = dict(call.body)
        return Reply(204)

    @route("GET", REPOSITORY + "/pull-requests")
    def pulls(self, call: Call) -> Reply:
        """Pull requests of a state."""
        at, _ = self._open(call, "REPO_READ")
        state = call.query.get("state", "OPEN")
        found = [self.bodies.pull(at, one) for one in at.pulls if one.state == state]
        return self._page(call, found, largest=100)

    @route("GET", REPOSITORY + "/pull-requests/{number}")
    def pull(self, call: Call) -> Reply:
        """One pull request."""
        at, _ = self._open(call, "REPO_READ")
        return Reply(200, self.bodies.pull(at, self._pull(at, call)))

    @route("GET", REPOSITORY + "/pull-requests/{number}/activities")
    def activities(self, call: Call) -> Reply:
        """What was done to a pull request, the newest first."""
        at, _ = self._open(call, "REPO_READ")
        return self._page(call, self._pull(at, call).activities)

    @route("POST", REPOSITORY + "/pull-requests/{number}/comments")
    def make_comment(self, call: Call) -> Reply:
        """Say something; a token needs more than its person."""
        at, who = self._open(call, "REPO_READ", "REPO_WRITE")
        pull = self._pull(at, call)
        call.only("text")
        made = self.bodies.comment(next(self.ids), who, _text(call))
        self.act(pull, made, who)
        return Reply(201, made)

    @route("GET", REPOSITORY + "/pull-requests/{number}/comments/{id}")
    def one_comment(self, call: Call) -> Reply:
        """One comment."""
        at, _ = self._open(call, "REPO_READ")
        return Reply(200, self._comment(at, call))

    @route("PUT", REPOSITORY + "/pull-requests/{number}/comments/{id}")
    def change_comment(self, call: Call) -> Reply:
        """Change what one said oneself, in the version that one has read."""
        at, who = self._open(call, "REPO_READ", "REPO_WRITE")
        one = self._comment(at, call)
        call.only("text", "version")
        if one["author"]["id"] != who.id:
            raise no(401, "You do not have permission to edit this comment.")
        if call.body.get("version") != one["version"]:
            raise no(
                409, "You are attempting to modify a comment based on out-of-date information."
            )
        one.update({"text": _text(call), "version": one["version"] + 1})
        return Reply(200, one)

    @route("GET", REPOSITORY + "/webhooks")
    def hooks(self, call: Call) -> Reply:
        """The webhooks."""
        at, _ = self._open(call, "REPO_ADMIN")
        return self._page(call, at.hooks)

    @route("POST", REPOSITORY + "/webhooks")
    def make_hook(self, call: Call) -> Reply:
        """A new webhook."""
        at, _ = self._open(call, "REPO_ADMIN")
        made: dict[str, Any] = {"id": next(self.ids), "scopeType": "repository"}
        self._hook(made, call)
        at.hooks.append(made)
        return Reply(201, made)

    @route("POST", REPOSITORY + "/webhooks/test")
    def test_hook(self, call: Call) -> Reply:
        """Send a ping, signed with the secret of the webhook that is named."""
        at, _ = self._open(call, "REPO_ADMIN")
        hook = self._hook_of(at, call.query.get("webhookId", ""))
        status = self.send(
            {**hook, "url": call.query.get("url", "")}, "diagnostics:ping", {"test": True}
        )
        if 200 <= status < 300:
            self.failures[hook["id"]] = 0
        return Reply(200, {"response": {"statusCode": status}})

    @route("GET", REPOSITORY + "/webhooks/{id}/latest")
    def latest(self, call: Call) -> Reply:
        """How the last delivery went; nothing where there was none."""
        at, _ = self._open(call, "REPO_ADMIN")
        found = at.latest.get(self._hook_of(at, call.names["id"])["id"])
        return Reply(200, found) if found else Reply(204)

    @route("PUT", REPOSITORY + "/webhooks/{id}")
    def change_hook(self, call: Call) -> Reply:
        """A webhook is changed."""
        at, _ = self._open(call, "REPO_ADMIN")
        return Reply(200, self._hook(self._hook_of(at, call.names["id"]), call))

    @route("DELETE", REPOSITORY + "/webhooks/{id}")
    def remove_hook(self, call: Call) -> Reply:
        """A webhook is taken away."""
        at, _ = self._open(call, "REPO_ADMIN")
        at.hooks.remove(self._hook_of(at, call.names["id"]))
        return Reply(204)

    def _hook(self, one: dict[str, Any], call: Call) -> dict[str, Any]:
        call.only("name", "url", "active", "configuration", "sslVerificationRequired", "events")
        if not call.body.get("events") or not call.body.get("url") or not call.body.get("name"):
            raise no(400, "name, url and events are required")
        one.update({"active": True, "configuration": {}, **call.body})
        return one

    def _hook_of(self, at: Repository, number: str) -> dict[str, Any]:
        for one in at.hooks:
            if str(one["id"]) == number:
                return one
        raise no(404, f"No webhook with id {number}")

    def _pull(self, at: Repository, call: Call) -> Pull:
        for one in at.pulls:
            if str(one.number) == call.names["number"]:
                return one
        raise no(404, f"No pull request exists with ID {call.names['number']}")

    def _comment(self, at: Repository, call: Call) -> dict[str, Any]:
        for activity in self._pull(at, call).activities:
            comment: dict[str, Any] = activity["comment"]
            if str(comment["id"]) == call.names["id"]:
                return comment
        raise no(404, f"No comment with ID {call.names['id']}")


def _text(call: Call) -> str:
    text = str(call.body.get("text", ""))
    if not 1 <= len(text) <= 32_768:
        raise no(400, "text: size must be between 1 and 32768")
    return text
