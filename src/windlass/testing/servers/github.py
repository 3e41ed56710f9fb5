"""
A GitHub on loopback, as an Enterprise Server is spoken to: its API below `/api/v3`.

Written from the public documents (each file names its own), and as unfriendly as they say.
A deed (`push`, `propose`, `update`, `merge`, `say`) puts its webhooks into a queue, and
`send` delivers them, since the real one delivers after it has answered.

    with GitHub(tmp_path) as forge:
        forge.push("main", {"a": "1"})
        forge.send()
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from windlass.testing.plain import Bench, run
from windlass.testing.servers.github_apps import Apps
from windlass.testing.servers.github_ground import REPO, Bearer, Person, Repository, Said, iso
from windlass.testing.servers.serving import Call, Refused, Reply, basic, paged, route

ZERO = "0" * 40
TOKEN = "ghp_" + "t" * 36
# What the App of a test may do, as our manifest asks for it.
PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "repository_hooks": "write",
    "statuses": "write",
}


class GitHub(Apps):
    """`acme/shop` with Git, whose administrator Ada has the token `TOKEN`; `acme/vault` is Bo's."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.ada, self.bo, self.eve = (self.person(name) for name in ("ada", "bo", "eve"))
        self.shop = self.repository("acme/shop", git=True)
        self.vault = self.repository("acme/vault")
        self.shop.roles[self.ada.id] = "admin"
        self.vault.roles[self.bo.id] = "admin"
        self.tokens[TOKEN] = Bearer(self.ada)

    @property
    def bench(self) -> Bench:
        """The Git of `acme/shop`."""
        assert self.shop.bench
        return self.shop.bench

    @property
    def address(self) -> str:
        """The address of `acme/shop` as people paste it."""
        return f"{self.url}/acme/shop"

    def readable(self, headers: Mapping[str, str]) -> bool:
        """Git over HTTP: a token is the password, of anybody."""
        said = headers.get("authorization", "")
        known = {basic("x-access-token", token) for token in self.tokens}
        return said in known or not (said or self.shop.private)

    @route("GET", REPO)
    def about_repository(self, call: Call) -> Reply:
        """The repository."""
        return Reply(200, self.about(self.let(call, "metadata"), None)["repository"])

    @route("GET", REPO + "/branches")
    def branches(self, call: Call) -> Reply:
        """Each with its commit."""
        return paged(call, _named(self.let(call, "contents"), "refs/heads/"), self.url)

    @route("GET", REPO + "/tags")
    def tags(self, call: Call) -> Reply:
        """Each with its commit, not with the tag's own object."""
        return paged(call, _named(self.let(call, "contents"), "refs/tags/"), self.url)

    @route("GET", REPO + "/pulls")
    def pulls(self, call: Call) -> Reply:
        """Those in a state, `open` where nothing is said."""
        found, state = self.let(call, "pulls"), call.query.get("state", "open")
        there = [one for one in found.pulls.values() if state in {one["state"], "all"}]
        return paged(call, there[::-1], self.url)

    @route("GET", REPO + "/pulls/{number}")
    def pull(self, call: Call) -> Reply:
        """One of them."""
        one = self.let(call, "pulls").pulls.get(int(call.names["number"]))
        if one is None:
            raise Refused(404, "Not Found")
        return Reply(200, one)

    @route("GET", REPO + "/pulls/{number}/reviews")
    def reviews(self, call: Call) -> Reply:
        """Its reviews, oldest first."""
        found, number = self.let(call, "pulls"), int(call.names["number"])
        if number not in found.pulls:
            raise Refused(404, "Not Found")
        return paged(call, found.reviews.get(number, []), self.url)

    def push(self, branch: str, files: Mapping[str, str], by: Person | None = None) -> str:
        """Push a commit; its id."""
        before = self.bench.refs().get(f"refs/heads/{branch}", ZERO)
        self.bench.git("checkout", "--quiet", "--detach", before if before != ZERO else "main")
        sha = self.bench.commit(files, f"Change {branch}")
        self.bench.push(f"{sha}:refs/heads/{branch}")
        self._pushed(branch, before, sha, by or self.ada)
        return sha

    def propose(
        self, branch: str, files: Mapping[str, str], by: Person | None = None, **more: object
    ) -> int:
        """Open a pull request of a new branch to `main`; its number. `more` are its fields."""
        who, number, at = by or self.ada, len(self.shop.pulls) + 1, iso(self.now())
        sha = self.push(branch, files, who)
        self._git("update-ref", f"refs/pull/{number}/head", sha)
        repository = self.about(self.shop, None)["repository"]
        base = {"ref": "main", "sha": self.bench.refs()["refs/heads/main"], "repo": repository}
        self.shop.pulls[number] = {
            "number": number,
            "title": f"Add {branch}",
            "body": None,
            "state": "open",
            "draft": False,
            "merged": False,
            # A merge that GitHub has only tried.
            "merge_commit_sha": "e" * 40,
            "user": who.said(),
            "labels": [],
            "base": base,
            "head": {"ref": branch, "sha": sha, "repo": repository},
            "html_url": f"{self.address}/pull/{number}",
            "created_at": at,
            "updated_at": at,
            **more,
        }
        self._moved(number, "opened", who)
        return number

    def update(self, number: int, files: Mapping[str, str]) -> str:
        """Push to the branch of a pull request; the commit."""
        pull = self.shop.pulls[number]
        before = pull["head"]["sha"]
        sha = self.push(pull["head"]["ref"], files)
        self._git("update-ref", f"refs/pull/{number}/head", sha)
        pull["head"] = {**pull["head"], "sha": sha}
        self._moved(number, "synchronize", self.ada, before=before, after=sha)
        return sha

    def merge(self, number: int) -> str:
        """Merge it; the commit that this makes."""
        pull, before = self.shop.pulls[number], self.bench.refs()["refs/heads/main"]
        self.bench.git("checkout", "--quiet", "--detach", before)
        self.bench.git("merge", "--quiet", "--no-ff", "--message", "Merge", pull["head"]["sha"])
        sha = self.bench.git("rev-parse", "HEAD")
        self.bench.push(f"{sha}:refs/heads/main")
        pull.update(state="closed", merged=True, merge_commit_sha=sha)
        self._pushed("main", before, sha, self.ada)
        self._moved(number, "closed", self.ada)
        return sha

    def review(self, number: int, state: str, by: Person) -> None:
        """Submit a review of the head: APPROVED, CHANGES_REQUESTED or COMMENTED."""
        pull = self.shop.pulls[number]
        made: Said = {
            "id": self.new(),
            "user": by.said(),
            "body": "I looked.",
            "state": state,
            "commit_id": pull["head"]["sha"],
            "submitted_at": iso(self.now()),
            "html_url": f"{self.address}/pull/{number}#pullrequestreview",
        }
        self.shop.reviews.setdefault(number, []).append(made)
        told = {"action": "submitted", "review": {**made, "state": state.lower()}}
        self.tell(self.shop, "pull_request_review", {**told, "pull_request": dict(pull)}, by)

    def say(self, number: int, words: str, by: Person) -> int:
        """Comment on a pull request; the comment's number."""
        made: Said = {
            "id": self.new(),
            "body": words,
            "user": by.said(),
            "performed_via_github_app": None,
            "created_at": iso(self.now()),
            "_number": number,
        }
        self.shop.comments[made["id"]] = made
        issue = {**self.shop.pulls[number], "pull_request": {"url": self.address}}
        comment = {name: value for name, value in made.items() if name != "_number"}
        body = {"action": "created", "issue": issue, "comment": comment}
        self.tell(self.shop, "issue_comment", body, by)
        return int(made["id"])

    def _pushed(self, branch: str, before: str, after: str, by: Person) -> None:
        commit = {
            "id": after,
            "message": self.bench.git("log", "-1", "--format=%B", after).strip(),
            "timestamp": iso(self.now()),
            "author": {"name": by.login, "username": by.login, "email": f"{by.login}@x"},
            "added": [],
            "removed": [],
            "modified": ["README"],
        }
        body = {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "created": before == ZERO,
            "deleted": False,
            "forced": False,
            "compare": f"{self.address}/compare/{before[:12]}...{after[:12]}",
            "commits": [commit],
            "head_commit": commit,
            "pusher": {"name": by.login},
        }
        self.tell(self.shop, "push", body, by)

    def _moved(self, number: int, action: str, by: Person, **more: str) -> None:
        body = {"action": action, "number": number, **more}
        self.tell(
            self.shop, "pull_request", {**body, "pull_request": dict(self.shop.pulls[number])}, by
        )

    def _git(self, *words: str) -> None:
        run(self.bench.bare, "git", f"--git-dir={self.bench.bare}", *words)


def _named(found: Repository, prefix: str) -> list[Said]:
    if found.bench is None:
        return []
    form = "--format=%(refname) %(objectname) %(*objectname)"
    bare = found.bench.bare
    lines = run(bare, "git", f"--git-dir={bare}", "for-each-ref", form, prefix).stdout.splitlines()
    rows = (line.split(" ") for line in lines)
    return [
        {"name": ref.removeprefix(prefix), "commit": {"sha": peeled or sha}}
        for ref, sha, peeled in rows
    ]
