"""
A Bitbucket Cloud for tests, after its public documents.

    https://developer.atlassian.com/cloud/bitbucket/rest/intro/ (pages, errors, scopes)
    https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/
    https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
    https://developer.atlassian.com/cloud/bitbucket/new-repo-permission-apis/
    https://support.atlassian.com/bitbucket-cloud/docs/repository-access-token-permissions/
    https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/

It refuses what the real one refuses, above all what an access token may not ask: who it
is, and what a person may do by way of a group. `pushed`, `proposed`, `moved`, `merged` and
`said` do what people do, and send the webhooks of it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from windlass.testing.servers.bitbucket_cloud_bodies import Person, Pull, Repository
from windlass.testing.servers.bitbucket_cloud_world import CloudWorld, Token
from windlass.testing.servers.bitbucket_git import ZERO
from windlass.testing.servers.serving import Call, Refused, Reply, first, route

REPOSITORY = "/2.0/repositories/{workspace}/{name}"
STATES = frozenset({"INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"})


def no(status: int, message: str, **detail: object) -> Refused:
    """A refusal in Bitbucket Cloud's own form."""
    refused = Refused(status, message)
    error = {"message": message, **({"detail": detail} if detail else {})}
    refused.reply = Reply(status, {"type": "error", "error": error})
    return refused


class BitbucketCloudServer(CloudWorld):
    """Bitbucket Cloud, small."""

    def readable(self, headers: Mapping[str, str]) -> bool:
        """Git takes an access token as x-token-auth, an API token under its own name."""
        kind, _, text = headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return False
        name, _, secret = base64.b64decode(text).decode().partition(":")
        if name == "x-token-auth":
            found = self.world.tokens.get(secret)
            return found is not None and found.access
        return name == "x-bitbucket-api-token-auth" and any(
            known.endswith(f":{secret}") for known in self.world.tokens
        )

    def _token(self, call: Call) -> Token | None:
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        if not kind:
            return None
        text = base64.b64decode(given).decode() if kind == "Basic" else given
        found = self.world.tokens.get(text)
        if found is None or found.access is (kind == "Basic"):
            raise no(401, "Token is invalid, expired, or not supported for this endpoint.")
        return found

    def _may(self, call: Call, scope: str) -> Token:
        """The token of a call that needs one with this scope."""
        token = self._token(call)
        if token is None:
            raise no(401, "Authentication required.")
        if scope == "account" and token.access:
            raise no(401, "Token is invalid, expired, or not supported for this endpoint.")
        if scope not in token.scopes:
            raise no(
                403,
                "Your credentials lack one or more required privilege scopes.",
                required=[scope],
                granted=sorted(token.scopes),
            )
        return token

    def _open(self, call: Call, scope: str, level: str = "read") -> tuple[Repository, Person]:
        """The repository of a call, and who asks; nobody but for reading what is public."""
        full_name = f"{call.names['workspace']}/{call.names['name']}"
        at = self.world.repositories.get(full_name)
        if at is None:
            raise no(404, f"Repository {full_name} not found")
        if self._token(call) is None and not at.private and call.method == "GET":
            return at, Person("", "", "")
        token = self._may(call, scope)
        levels = ("none", "read", "write", "admin")
        has = "admin" if token.access else at.effective.get(token.who.uuid, "none")
        if has == "none" and at.private:
            raise no(404, f"Repository {full_name} not found")
        if levels.index(has) < levels.index(level):
            raise no(403, "Access denied. You must have admin access.")
        return at, token.who

    def _page(self, call: Call, found: Sequence[object], largest: int = 100) -> Reply:
        per = int(call.query.get("pagelen", "10"))
        if not 1 <= per <= largest:
            raise no(400, "Invalid pagelen")
        page = int(call.query.get("page", "1"))
        body: dict[str, object] = {"pagelen": per, "page": page, "size": len(found)}
        body["values"] = list(found[(page - 1) * per : page * per])
        if page * per < len(found):
            query = "&".join(f"{k}={v}" for k, v in {**call.query, "page": page + 1}.items())
            body["next"] = f"{self.url}{call.path}?{query}"
        return Reply(200, body)

    @route("GET", "/2.0/user")
    def user(self, call: Call) -> Reply:
        """Who asks; an access token is refused."""
        return Reply(200, self.bodies.account(self._may(call, "account").who))

    @route("GET", REPOSITORY)
    def about(self, call: Call) -> Reply:
        """The repository."""
        at, _ = self._open(call, "repository")
        main = {"type": "branch", "name": at.main} if at.main else None
        return Reply(200, {**self.bodies.repository(at), "mainbranch": main})

    @route("GET", REPOSITORY + "/refs/{kind}")
    def refs(self, call: Call) -> Reply:
        """Branches or tags, with the commit of each."""
        at, _ = self._open(call, "repository")
        kind = {"branches": ("branch", "refs/heads/"), "tags": ("tag", "refs/tags/")}
        word, prefix = kind[call.names["kind"]]
        found = [
            {"type": word, "name": ref.removeprefix(prefix), "target": {"hash": sha}}
            for ref, sha in at.bare.refs(prefix).items()
        ]
        return self._page(call, found)

    @route("GET", REPOSITORY + "/commit/{sha}")
    def commit(self, call: Call) -> Reply:
        """A commit, by as many digits of its id as are needed."""
        at, _ = self._open(call, "repository")
        return Reply(200, {"type": "commit", "hash": self._commit(at, call.names["sha"])})

    @route("POST", REPOSITORY + "/commit/{sha}/statuses/build")
    def status(self, call: Call) -> Reply:
        """Set a build status; one with the same key is replaced."""
        at, _ = self._open(call, "repository")
        sha = self._commit(at, call.names["sha"])
        call.only("key", "state", "name", "url", "description", "refname")
        body = call.body
        if not 1 <= len(body.get("key", "")) <= 40:
            raise no(400, "key: Ensure this value has at most 40 characters.")
        if body.get("state") not in STATES:
            raise no(400, "state: Select a valid choice.")
        if not re.match(r"https?://[^/]", body.get("url", "")):
            raise no(400, "url: Enter a valid URL.")
        for name in ("name", "description"):
            if len(body.get(name, "")) > 255:
                raise no(400, f"{name}: Ensure this value has at most 255 characters.")
        at.statuses[sha, body["key"]] = dict(body)
        return Reply(201, {"type": "build", **body})

    @route("GET", REPOSITORY + "/pullrequests")
    def pulls(self, call: Call) -> Reply:
        """Pull requests of a state."""
        at, _ = self._open(call, "pullrequest")
        state = call.query.get("state", "OPEN")
        found = [self.bodies.pull(at, one) for one in at.pulls if one.state == state]
        return self._page(call, found, largest=50)

    @route("GET", REPOSITORY + "/pullrequests/{number}")
    def pull(self, call: Call) -> Reply:
        """One pull request."""
        at, _ = self._open(call, "pullrequest")
        return Reply(200, self.bodies.pull(at, self._pull(at, call)))

    @route("GET", REPOSITORY + "/pullrequests/{number}/commits")
    def commits(self, call: Call) -> Reply:
        """The commits of a pull request, the newest first, whole; none when its branch is gone."""
        at, _ = self._open(call, "pullrequest")
        pull = self._pull(at, call)
        shas = at.bare.git("rev-list", pull.ref).split() if at.bare.at(pull.ref) else []
        return self._page(call, [{"type": "commit", "hash": sha} for sha in shas])

    @route("GET", REPOSITORY + "/pullrequests/{number}/activity")
    def activity(self, call: Call) -> Reply:
        """What happened to a pull request, the newest first."""
        at, _ = self._open(call, "pullrequest")
        return self._page(call, self._pull(at, call).activity, largest=50)

    @route("GET", REPOSITORY + "/pullrequests/{number}/comments")
    def comments(self, call: Call) -> Reply:
        """Every comment, the deleted ones too."""
        at, _ = self._open(call, "pullrequest")
        return self._page(call, self._pull(at, call).comments)

    @route("POST", REPOSITORY + "/pullrequests/{number}/comments")
    def make_comment(self, call: Call) -> Reply:
        """Say something."""
        at, who = self._open(call, "pullrequest:write")
        pull = self._pull(at, call)
        made = self.bodies.comment(next(self.ids), who, self._raw(call))
        pull.comments.append(made)
        return Reply(201, made)

    @route("GET", REPOSITORY + "/pullrequests/{number}/comments/{id}")
    def one_comment(self, call: Call) -> Reply:
        """One comment; a deleted one is still told."""
        at, _ = self._open(call, "pullrequest")
        return Reply(200, self._comment(at, call))

    @route("PUT", REPOSITORY + "/pullrequests/{number}/comments/{id}")
    def change_comment(self, call: Call) -> Reply:
        """Change what one said oneself."""
        at, who = self._open(call, "pullrequest:write")
        one = self._comment(at, call)
        if one["deleted"]:
            raise no(404, "This comment was deleted.")
        if one["user"]["uuid"] != who.uuid:
            raise no(403, "You do not have permission to edit this comment.")
        one["content"] = {"raw": self._raw(call), "markup": "markdown"}
        return Reply(200, one)

    @route("GET", REPOSITORY + "/permissions-config/users/{who}")
    def explicit(self, call: Call) -> Reply:
        """What was given to a person by name."""
        at, _ = self._open(call, "repository:admin", "admin")
        who = call.names["who"]
        if who not in at.explicit:
            raise no(404, "User does not have an explicit permission.")
        user = self.bodies.account(self.world.people[who])
        return Reply(200, {"permission": at.explicit[who], "user": user})

    @route("GET", "/2.0/workspaces/{workspace}/permissions/repositories/{name}")
    def effective(self, call: Call) -> Reply:
        """What people may do in whichever way; only `user.uuid="..."` is understood."""
        at, _ = self._open(call, "account", "admin")
        asked = re.fullmatch(r'user\.uuid="(\{[^"]+\})"', call.query.get("q", ""))
        found = [
            {"permission": level, "user": self.bodies.account(self.world.people[who])}
            for who, level in at.effective.items()
            if not asked or who == asked[1]
        ]
        return self._page(call, found)

    @route("GET", REPOSITORY + "/hooks")
    def hooks(self, call: Call) -> Reply:
        """The webhooks; a secret is never told."""
        at, _ = self._open(call, "webhook", "admin")
        return self._page(call, [_shown(one) for one in at.hooks])

    @route("POST", REPOSITORY + "/hooks")
    def make_hook(self, call: Call) -> Reply:
        """A new webhook."""
        at, _ = self._open(call, "webhook", "admin")
        made: dict[str, Any] = {"uuid": f"{{30000000-0000-4000-8000-{next(self.ids):012}}}"}
        at.hooks.append(made)
        return Reply(201, _shown(self._hook(made, call)))

    @route("PUT", REPOSITORY + "/hooks/{uuid}")
    def change_hook(self, call: Call) -> Reply:
        """A webhook is changed; without a secret it keeps the one it has."""
        at, _ = self._open(call, "webhook", "admin")
        found = first((one for one in at.hooks if one["uuid"] == call.names["uuid"]), "no hook")
        return Reply(200, _shown(self._hook(found, call)))

    @route("DELETE", REPOSITORY + "/hooks/{uuid}")
    def remove_hook(self, call: Call) -> Reply:
        """A webhook is taken away."""
        at, _ = self._open(call, "webhook", "admin")
        at.hooks.remove(first((o for o in at.hooks if o["uuid"] == call.names["uuid"]), "no hook"))
        return Reply(204)

    def _hook(self, one: dict[str, Any], call: Call) -> dict[str, Any]:
        call.only("description", "url", "active", "secret", "skip_cert_verification", "events")
        if not call.body.get("events") or not call.body.get("url"):
            raise no(400, "url and events are required")
        one.setdefault("secret", None)
        one.update({"active": True, "skip_cert_verification": False, **call.body})
        return one

    def _commit(self, at: Repository, begins: str) -> str:
        sha = at.bare.at(begins) if re.fullmatch(r"[0-9a-f]{7,40}", begins) else ""
        if not sha or sha == ZERO:
            raise no(404, "Commit not found")
        return sha

    def _pull(self, at: Repository, call: Call) -> Pull:
        number = call.names["number"]
        for one in at.pulls:
            if str(one.number) == number:
                return one
        raise no(404, f"Pull request {number} not found")

    def _comment(self, at: Repository, call: Call) -> dict[str, Any]:
        for one in self._pull(at, call).comments:
            if str(one["id"]) == call.names["id"]:
                return one
        raise no(404, "Comment not found")

    def _raw(self, call: Call) -> str:
        call.only("content")
        raw = str(call.body.get("content", {}).get("raw", ""))
        if not 1 <= len(raw) <= 32_768:
            raise no(400, "content: Ensure this value has at most 32768 characters.")
        return raw


def _shown(hook: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in hook.items() if key != "secret"}
    return {**told, "secret_set": bool(hook.get("secret"))}
