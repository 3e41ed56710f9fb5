"""
Gitea and Forgejo, as far as an adapter speaks to them.

    with Gitea(tmp_path) as gitea:
        ada = gitea.person("ada")
        shop = gitea.repository("acme/shop", ada)
        token = gitea.token(ada, "write:repository", "write:issue", "read:user")
        gitea.push(shop, "refs/heads/one", shop.bare.commit("Add one"), ada)

Written from https://docs.gitea.com/api/, https://docs.gitea.com/usage/webhooks,
https://docs.gitea.com/development/oauth2-provider#scopes and https://forgejo.org/docs/latest/
user/api-usage/. Like the real ones it gives at most 50 of a list at once, does not say of tags
where the next page is, answers 500 for a status of an unknown commit and for comments on an
unknown pull request, and takes no notice of a new secret for a hook that exists.
"""

from __future__ import annotations

from pathlib import Path

from windlass.testing.servers.bare import ZERO, Bare
from windlass.testing.servers.gogs_words import Comment, Home, Person, Pull, Shape, signed, written
from windlass.testing.servers.serving import Call, Refused, Reply, Server, paged, route

REPO = "/api/v1/repos/{owner}/{name}"
GROUP = tuple(
    f"pull_request{part}"
    for part in (
        *("", "_assign", "_label", "_milestone", "_comment", "_review"),
        *("_review_request", "_sync"),
    )
)
SINGLE = (
    *("create", "delete", "fork", "push", "issue_comment", "release", "wiki", "repository"),
    *GROUP[1:],
)
REVIEWS = tuple(f"pull_request_review_{part}" for part in ("approved", "rejected", "comment"))
KINDS = frozenset({"gitea", "gogs", "slack", "discord"})
RANK = ("none", "read", "write", "admin", "owner")


class Gitea(Server):
    """One host; `forgejo` makes it that one, `largest` is the most it gives of a list at once."""

    def __init__(self, root: Path, *, forgejo: bool = False, largest: int = 50) -> None:
        super().__init__(root)
        self.forgejo = forgejo
        self.largest = largest
        self.people: dict[str, Person] = {}
        self.homes: dict[str, Home] = {}
        self.tokens: dict[str, tuple[Person, frozenset[str]]] = {}
        self._last = 100

    # ------------------------------------------------------------ what people do

    def number(self) -> int:
        """A number that nothing else has."""
        self._last += 1
        return self._last

    def person(self, login: str) -> Person:
        """Let there be somebody."""
        return self.people.setdefault(login, Person(self.number(), login))

    def token(self, person: Person, *scopes: str) -> str:
        """A new token of theirs."""
        token = f"{self.number():040x}"
        self.tokens[token] = (person, frozenset(scopes))
        return token

    def repository(self, name: str, owner: Person, *, private: bool = False) -> Home:
        """A new repository."""
        bare = Bare(self.root / f"{name}.git")
        home = Home(id=self.number(), name=name, owner=owner, bare=bare, private=private)
        self.homes[name] = home
        return home

    def push(self, home: Home, ref: str, sha: str, by: Person) -> None:
        """Push one ref, `ZERO` to delete it."""
        before = home.bare.move(ref, sha)
        branch = ref.startswith("refs/heads/")
        if ZERO not in {sha, before} or not (branch and sha == ZERO):
            told = home.pushed(ref, before, sha, by)
            self._send(
                home, "push", "push", {**told, "head_commit": (told["commits"] or [None])[0]}
            )
        if ZERO in {sha, before}:
            name = "delete" if sha == ZERO else "create"
            self._send(home, name, name, home.named(ref, sha, by))

    def propose(self, home: Home, pull: Pull) -> Pull:
        """Open a pull request."""
        home.pulls[pull.number] = pull
        home.bare.move(f"refs/pull/{pull.number}/head", pull.sha)
        self.changed(home, pull, "opened")
        return pull

    def changed(self, home: Home, pull: Pull, action: str, event: str = "pull_request") -> None:
        """Say that something happened to a pull request."""
        self._send(home, event, "pull_request", self._pulled(home, pull, action))

    def review(self, home: Home, pull: Pull, verdict: str, by: Person) -> None:
        """Review it: approved, rejected or comment."""
        pull.reviewed(self.number(), by, verdict)
        body = {**self._pulled(home, pull, "reviewed"), "sender": by.shape}
        body["review"] = {"type": f"pull_request_review_{verdict}", "content": "I looked."}
        self._send(home, "pull_request_review", f"pull_request_{verdict}", body)

    def say(self, home: Home, number: int, author: Person, body: str) -> Comment:
        """Comment on a pull request."""
        comment = Comment(id=self.number(), number=number, author=author, body=body)
        home.comments[comment.id] = comment
        self._send(home, "pull_request_comment", "issue_comment", home.commented(comment))
        return comment

    def _pulled(self, home: Home, pull: Pull, action: str) -> Shape:
        return {
            "action": action,
            "number": pull.number,
            "pull_request": _pull(home, pull),
            "repository": home.shape,
            "sender": pull.author.shape,
        }

    def _send(self, home: Home, wanted: str, event: str, body: Shape) -> None:
        for hook in list(home.hooks.values()):
            if hook["active"] and wanted in hook["events"]:
                self._deliver(hook, event, body)

    def _deliver(self, hook: Shape, event: str, body: Shape) -> None:
        forges = ("gogs", "gitea", "forgejo") if self.forgejo else ("gogs", "gitea")
        raw = written(body)
        self.deliver(hook["config"]["url"], signed(forges, hook["secret"], event, raw), raw)

    # ------------------------------------------------------------ who may what

    def readable(self, headers: object) -> bool:
        """Git is not asked for here."""
        return True

    def _who(self, call: Call) -> Person | None:
        said = call.headers.get("authorization", "")
        return self.tokens[said.removeprefix("token ")][0] if said else None

    def admit(self, call: Call) -> None:
        """A token must be one, and have the scope of what is asked."""
        said = call.headers.get("authorization", "")
        if not said:
            return
        if said.removeprefix("token ") not in self.tokens or not said.startswith("token "):
            raise Refused(401, "invalid username, password or token")
        scopes = self.tokens[said.removeprefix("token ")][1]
        part = "user" if "/api/v1/user" in call.path else "repository"
        part = "issue" if "/issues/" in call.path else part
        part = "" if call.path.endswith("/version") else part
        needed = f"{'read' if call.method == 'GET' else 'write'}:{part}"
        if part and not scopes & {"all", needed, f"write:{part}"}:
            words = f"[{needed}]" if self.forgejo else f"required=[{needed}], token scope=none"
            between = ": " if self.forgejo else ", "
            raise Refused(
                403, f"token does not have at least one of required scope(s){between}{words}"
            )

    def _home(self, call: Call, right: str = "read") -> Home:
        home = self.homes.get(f"{call.names['owner']}/{call.names['name']}")
        who = self._who(call)
        has = RANK.index(home.right(who)) if home else 0
        if home is None or not has:
            raise Refused(404, "The target couldn't be found.")
        if who is None and right != "read":
            raise Refused(401, "token is required")
        if has < RANK.index(right):
            raise Refused(
                403,
                "user should be an owner or a collaborator with admin write of a repository"
                if right == "admin"
                else "user should have a permission to write to a repo",
            )
        return home

    # ------------------------------------------------------------ the API

    @route("GET", "/api/forgejo/v1/version")
    def version(self, _call: Call) -> Reply:
        """What only Forgejo has."""
        return Reply(200, {"version": "9.0.0"}) if self.forgejo else Reply(404)

    @route("GET", "/api/v1/user")
    def user(self, call: Call) -> Reply:
        """Who asks."""
        who = self._who(call)
        if who is None:
            raise Refused(401, "token is required")
        return Reply(200, who.shape)

    @route("GET", "/api/v1/users/search")
    def search(self, call: Call) -> Reply:
        """People by number, or all of them."""
        number = int(call.query.get("uid", "0"))
        found = [one.shape for one in self.people.values() if number in {0, one.id}]
        return Reply(200, {"ok": True, "data": found[: int(call.query.get("limit", "30"))]})

    @route("GET", REPO)
    def get(self, call: Call) -> Reply:
        """The repository."""
        return Reply(200, self._home(call).shape)

    @route("GET", f"{REPO}/branches")
    def branches(self, call: Call) -> Reply:
        """Branches, in pages."""
        refs = self._home(call).bare.refs("refs/heads")
        found = [{"name": ref[11:], "commit": {"id": sha}} for ref, sha in refs.items()]
        return self._paged(call, found)

    @route("GET", f"{REPO}/tags")
    def tags(self, call: Call) -> Reply:
        """Tags, in pages that say how many there are and not where the next is."""
        refs = self._home(call).bare.refs("refs/tags")
        found = [{"name": ref[10:], "commit": {"sha": sha}} for ref, sha in refs.items()]
        reply = self._paged(call, found)
        kept = {name: value for name, value in reply.headers.items() if name != "link"}
        return Reply(200, reply.body, kept)

    @route("GET", f"{REPO}/pulls")
    def pulls(self, call: Call) -> Reply:
        """Pull requests of a state."""
        home, state = self._home(call), call.query.get("state", "open")
        found = [_pull(home, one) for one in home.pulls.values()]
        return self._paged(call, [one for one in found if state in {one["state"], "all"}])

    @route("GET", f"{REPO}/pulls/{{number}}")
    def pull(self, call: Call) -> Reply:
        """One of them."""
        home = self._home(call)
        return Reply(200, _pull(home, home.numbered(call)))

    @route("GET", f"{REPO}/pulls/{{number}}/reviews")
    def reviews(self, call: Call) -> Reply:
        """Its reviews, oldest first."""
        return self._paged(call, self._home(call).numbered(call).told)

    @route("GET", f"{REPO}/git/commits/{{sha}}")
    def commit(self, call: Call) -> Reply:
        """A commit."""
        if not self._home(call).bare.has(call.names["sha"]):
            raise Refused(404, call.names["sha"])
        return Reply(200, {"sha": call.names["sha"]})

    @route("GET", f"{REPO}/statuses/{{sha}}")
    def statuses(self, call: Call) -> Reply:
        """All that was ever said of a commit; nothing where there is no such commit."""
        every = [one for one in self._home(call).statuses if one["sha"] == call.names["sha"]]
        if call.query.get("sort") == "highestindex":
            every.reverse()
        return self._paged(call, every)

    @route("POST", f"{REPO}/statuses/{{sha}}")
    def set_status(self, call: Call) -> Reply:
        """Say something of a commit."""
        home, sha = self._home(call, "write"), call.names["sha"]
        call.only("state", "context", "description", "target_url")
        if call.body["state"] not in {"pending", "success", "error", "failure", "warning"}:
            raise Refused(422, "invalid state")
        if not home.bare.has(sha):
            raise Refused(500, f"object does not exist [id: {sha}, rel_path: ]")
        rest = {name: call.body[name].strip() for name in ("context", "description", "target_url")}
        home.statuses.append(
            {"id": self.number(), "sha": sha, "status": call.body["state"], **rest}
        )
        return Reply(201, home.statuses[-1])

    @route("GET", f"{REPO}/issues/{{number}}/comments")
    def comments(self, call: Call) -> Reply:
        """All comments, at once."""
        home, number = self._home(call), self._issue(call)
        found = [one.shape for one in home.comments.values() if one.number == number]
        return Reply(200, found, {"x-total-count": str(len(found))})

    @route("POST", f"{REPO}/issues/{{number}}/comments")
    def make_comment(self, call: Call) -> Reply:
        """Say something."""
        home, number, who = self._home(call), self._issue(call), self._who(call)
        call.only("body")
        if who is None:
            raise Refused(401, "token is required")
        return Reply(201, self.say(home, number, who, call.body["body"]).shape)

    @route("PATCH", f"{REPO}/issues/comments/{{id}}")
    def edit_comment(self, call: Call) -> Reply:
        """Say something else."""
        home, who = self._home(call), self._who(call)
        call.only("body")
        comment = home.comments.get(int(call.names["id"]))
        if comment is None:
            raise Refused(404, "comment does not exist")
        if who != comment.author and RANK.index(home.right(who)) < RANK.index("write"):
            raise Refused(403, "")
        comment.body = call.body["body"]
        return Reply(200, comment.shape)

    @route("GET", f"{REPO}/collaborators/{{login}}/permission")
    def permission(self, call: Call) -> Reply:
        """What somebody may do."""
        home = self._home(call, "admin")
        person = self.people.get(call.names["login"])
        if person is None:
            raise Refused(404, "user does not exist")
        right = home.right(person)
        return Reply(200, {"permission": right, "role_name": right, "user": person.shape})

    @route("GET", f"{REPO}/hooks")
    def hooks(self, call: Call) -> Reply:
        """Webhooks, without their secrets."""
        return self._paged(
            call, [self._hook(one) for one in self._home(call, "admin").hooks.values()]
        )

    @route("POST", f"{REPO}/hooks")
    def make_hook(self, call: Call) -> Reply:
        """A new webhook."""
        home = self._home(call, "admin")
        call.only("type", "config", "events", "active", "branch_filter")
        config, kind = dict(call.body["config"]), call.body["type"]
        if kind not in KINDS | ({"forgejo"} if self.forgejo else frozenset()):
            raise Refused(422, f"Invalid hook type: {kind}")
        if not config.get("url", "").startswith(("http://", "https://")):
            raise Refused(422, "Invalid url")
        if config.get("content_type") not in {"json", "form"}:
            raise Refused(422, "Invalid content type")
        hook = {
            "id": self.number(),
            "type": kind,
            "secret": config.pop("secret", ""),
            "config": config,
            "events": _events(call.body.get("events", [])),
            "active": call.body.get("active", False),
            "branch_filter": call.body.get("branch_filter", ""),
        }
        home.hooks[hook["id"]] = hook
        return Reply(201, self._hook(hook))

    @route("DELETE", f"{REPO}/hooks/{{id}}")
    def delete_hook(self, call: Call) -> Reply:
        """Away with it."""
        if self._home(call, "admin").hooks.pop(int(call.names["id"]), None) is None:
            raise Refused(404, "webhook does not exist")
        return Reply(204)

    @route("POST", f"{REPO}/hooks/{{id}}/tests")
    def test_hook(self, call: Call) -> Reply:
        """Send a push that moves nothing."""
        home, who = self._home(call, "admin"), self._who(call) or self.person("ghost")
        hook = home.hooks.get(int(call.names["id"]))
        if hook is None:
            raise Refused(404, "webhook does not exist")
        tip = home.bare.refs("refs/heads/main")["refs/heads/main"]
        self._deliver(hook, "push", home.pushed("refs/heads/main", tip, tip, who))
        return Reply(204)

    def _hook(self, hook: Shape) -> Shape:
        told = {name: value for name, value in hook.items() if name != "secret"}
        if self.forgejo and "pull_request_review" in hook["events"]:
            others = [one for one in hook["events"] if one != "pull_request_review"]
            told["events"] = [*others, *REVIEWS]
        return told

    def _issue(self, call: Call) -> int:
        number = int(call.names["number"])
        if number not in self._home(call).pulls:
            raise Refused(500, f"issue does not exist [index: {number}]")
        return number

    def _paged(self, call: Call, found: list[Shape]) -> Reply:
        reply = paged(call, found, self.url, size="limit", largest=self.largest)
        return Reply(200, reply.body, {**reply.headers, "x-total-count": str(len(found))})


def _events(asked: list[str]) -> list[str]:
    """What a hook sends; words that it does not know are passed over."""
    return [
        name
        for name in ("pull_request", *SINGLE)
        if name in asked or ("pull_request" in asked and name in GROUP)
    ] or ["push"]


def _pull(home: Home, pull: Pull) -> Shape:
    """A pull request; one that was pushed for review has both its sides here, and no branch."""
    branch = {"sha": home.bare.refs(f"refs/heads/{pull.base}").get(f"refs/heads/{pull.base}", "")}
    there = {"id": pull.fork, "full_name": "fork"} if pull.fork else home.shape
    return {
        **home.issue(pull),
        "draft": pull.title.startswith("WIP:"),
        "merged": pull.state == "merged",
        "merge_commit_sha": pull.merge_sha or None,
        "html_url": f"http://forge.example/{home.name}/pulls/{pull.number}",
        "base": {"label": pull.base, "ref": pull.base, **branch, "repo": home.shape},
        "head": {"label": pull.head, "ref": pull.head, "sha": pull.sha, "repo": there},
    }
