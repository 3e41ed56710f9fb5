"""
Gogs, as far as an adapter speaks to it.

    with Gogs(tmp_path) as gogs:
        ada = gogs.person("ada")
        shop = gogs.repository("acme/shop", ada)
        token = gogs.token(ada)

Written from https://gogs.io/api-reference/introduction, https://gogs.io/advancing/webhooks and
the routes of version 0.13. Like the real one it refuses without a word where a token or a right
is missing, gives its lists whole, has no pull requests and no commit statuses in its API,
answers 500 to comments on what is not there, takes a hook's secret only when the hook is made,
and tells a new tag by `create` alone.
"""

from __future__ import annotations

from pathlib import Path

from windlass.testing.servers.bare import ZERO, Bare
from windlass.testing.servers.gogs_words import Comment, Home, Person, Pull, Shape, signed, written
from windlass.testing.servers.serving import Call, Refused, Reply, Server, route

REPO = "/api/v1/repos/{owner}/{name}"
EVENTS = (
    *("create", "delete", "fork", "push", "issues", "pull_request", "issue_comment", "release"),
)
RANK = ("none", "read", "write", "admin", "owner")


class Gogs(Server):
    """One host."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.people: dict[str, Person] = {}
        self.homes: dict[str, Home] = {}
        self.tokens: dict[str, Person] = {}
        self.issues: set[int] = set()
        self._last = 100

    # ------------------------------------------------------------ what people do

    def number(self) -> int:
        """A number that nothing else has."""
        self._last += 1
        return self._last

    def person(self, login: str) -> Person:
        """Let there be somebody."""
        return self.people.setdefault(login, Person(self.number(), login))

    def token(self, person: Person) -> str:
        """A new token of theirs; it may all that they may."""
        token = f"{self.number():040x}"
        self.tokens[token] = person
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
        if ref.startswith("refs/heads/") and sha != ZERO:
            self._send(home, "push", home.pushed(ref, before, sha, by))
        if ZERO in {sha, before}:
            name = "delete" if sha == ZERO else "create"
            self._send(home, name, home.named(ref, sha, by))

    def propose(self, home: Home, pull: Pull) -> Pull:
        """Open a pull request."""
        home.pulls[pull.number] = pull
        self.changed(home, pull, "opened")
        return pull

    def changed(self, home: Home, pull: Pull, action: str) -> None:
        """Say that something happened to a pull request."""
        there = {"id": pull.fork, "name": "fork"} if pull.fork else home.shape
        told = {
            **{name: value for name, value in home.issue(pull).items() if name != "pull_request"},
            "base_branch": pull.base,
            "base_repo": home.shape,
            "head_branch": pull.head,
            "head_repo": there,
            "merged": pull.state == "merged",
            "merge_commit_sha": pull.merge_sha or None,
            "html_url": f"http://forge.example/{home.name}/pulls/{pull.number}",
        }
        body = {"action": action, "number": pull.number, "pull_request": told}
        more = {"repository": home.shape, "sender": pull.author.shape}
        self._send(home, "pull_request", {**body, **more})

    def say(self, home: Home, number: int, author: Person, body: str) -> Comment:
        """Comment on a pull request."""
        comment = Comment(id=self.number(), number=number, author=author, body=body)
        home.comments[comment.id] = comment
        told = home.commented(comment)
        self._send(home, "issue_comment", {k: v for k, v in told.items() if k != "is_pull"})
        return comment

    def try_out(self, home: Home, hook: int) -> None:
        """Press "Test Delivery": a push that moves nothing."""
        tip = home.bare.refs("refs/heads/main")["refs/heads/main"]
        told = home.pushed("refs/heads/main", tip, tip, home.owner)
        self._deliver(home.hooks[hook], "push", told)

    def _send(self, home: Home, event: str, body: Shape) -> None:
        for hook in list(home.hooks.values()):
            if hook["active"] and event in hook["events"]:
                self._deliver(hook, event, body)

    def _deliver(self, hook: Shape, event: str, body: Shape) -> None:
        raw = written(body)
        headers = signed(("gogs",), hook["secret"], event, raw)
        self.deliver(hook["config"]["url"], headers, raw)

    # ------------------------------------------------------------ who may what

    def _who(self, call: Call) -> Person | None:
        """A wrong token is as good as none."""
        kind, _, token = call.headers.get("authorization", "").partition(" ")
        return self.tokens.get(token) if kind == "token" else None

    def _home(self, call: Call, right: str = "read", *, token: bool = True) -> Home:
        who = self._who(call)
        if who is None and token:
            raise _Silent(401)
        home = self.homes.get(f"{call.names['owner']}/{call.names['name']}")
        has = RANK.index(home.right(who)) if home else 0
        if home is None or not has:
            raise _Silent(404)
        if has < RANK.index(right):
            raise _Silent(403)
        return home

    # ------------------------------------------------------------ the API

    @route("GET", "/api/v1/user")
    def user(self, call: Call) -> Reply:
        """Who asks."""
        who = self._who(call)
        return Reply(200, who.shape) if who else Reply(401)

    @route("GET", REPO)
    def get(self, call: Call) -> Reply:
        """The repository; the one thing that is told without a token."""
        return Reply(200, self._home(call, token=False).shape)

    @route("GET", f"{REPO}/branches")
    def branches(self, call: Call) -> Reply:
        """All branches."""
        refs = self._home(call).bare.refs("refs/heads")
        return Reply(200, [{"name": ref[11:], "commit": {"id": sha}} for ref, sha in refs.items()])

    @route("GET", f"{REPO}/tags")
    def tags(self, call: Call) -> Reply:
        """All tags, each with its commit."""
        refs = self._home(call).bare.refs("refs/tags")
        return Reply(200, [{"name": ref[10:], "commit": {"id": sha}} for ref, sha in refs.items()])

    @route("GET", f"{REPO}/collaborators")
    def collaborators(self, call: Call) -> Reply:
        """All collaborators; the owner is none."""
        home = self._home(call, "admin")
        found = []
        for login, right in home.people.items():
            rank = RANK.index(right)
            may = {"admin": rank >= 3, "push": rank >= 2, "pull": rank >= 1}
            found.append({**self.people[login].shape, "permissions": may})
        return Reply(200, found)

    @route("GET", f"{REPO}/issues/{{number}}")
    def issue(self, call: Call) -> Reply:
        """An issue or a pull request, as an issue."""
        home, number = self._home(call), int(call.names["number"])
        if number in self.issues:
            return Reply(200, {"number": number, "pull_request": None})
        if number not in home.pulls:
            raise _Silent(404)
        return Reply(200, home.issue(home.pulls[number]))

    @route("GET", f"{REPO}/issues/{{number}}/comments")
    def comments(self, call: Call) -> Reply:
        """All comments."""
        home, number = self._home(call), self._number(call)
        return Reply(200, [one.shape for one in home.comments.values() if one.number == number])

    @route("POST", f"{REPO}/issues/{{number}}/comments")
    def make_comment(self, call: Call) -> Reply:
        """Say something."""
        home, number, who = self._home(call), self._number(call), self._who(call)
        call.only("body")
        if who is None or not call.body["body"]:
            raise Refused(422, "Body cannot be empty")
        return Reply(201, self.say(home, number, who, call.body["body"]).shape)

    @route("PATCH", f"{REPO}/issues/comments/{{id}}")
    def edit_comment(self, call: Call) -> Reply:
        """Say something else."""
        home, who = self._home(call), self._who(call)
        call.only("body")
        comment = home.comments.get(int(call.names["id"]))
        if comment is None:
            raise _Silent(404)
        if who != comment.author and RANK.index(home.right(who)) < RANK.index("admin"):
            raise _Silent(403)
        comment.body = call.body["body"]
        return Reply(200, comment.shape)

    @route("GET", f"{REPO}/hooks")
    def hooks(self, call: Call) -> Reply:
        """All webhooks, without their secrets."""
        return Reply(200, [_hook(one) for one in self._home(call, "admin").hooks.values()])

    @route("POST", f"{REPO}/hooks")
    def make_hook(self, call: Call) -> Reply:
        """A new webhook."""
        home = self._home(call, "admin")
        call.only("type", "config", "events", "active")
        config, kind = dict(call.body["config"]), call.body["type"]
        if kind not in {"gogs", "slack", "discord", "dingtalk"}:
            raise Refused(422, "Invalid hook type.")
        if config.get("content_type") not in {"json", "form"}:
            raise Refused(422, "Invalid content type.")
        hook = {
            "id": self.number(),
            "type": kind,
            "secret": config.pop("secret", ""),
            "config": config,
            "events": [one for one in EVENTS if one in call.body.get("events", [])] or ["push"],
            "active": call.body.get("active", False),
        }
        home.hooks[hook["id"]] = hook
        return Reply(201, _hook(hook))

    @route("DELETE", f"{REPO}/hooks/{{id}}")
    def delete_hook(self, call: Call) -> Reply:
        """Away with it; with one that is gone, too."""
        self._home(call, "admin").hooks.pop(int(call.names["id"]), None)
        return Reply(204)

    def _number(self, call: Call) -> int:
        number = int(call.names["number"])
        if number not in self._home(call).pulls:
            raise Refused(
                500, "Something went wrong, please check the server logs for more information."
            )
        return number


class _Silent(Refused):
    """A refusal without a word."""

    def __init__(self, status: int) -> None:
        super().__init__(status, "")
        self.reply = Reply(status)


def _hook(hook: Shape) -> Shape:
    return {name: value for name, value in hook.items() if name != "secret"}
