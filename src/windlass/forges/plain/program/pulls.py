"""
Pull requests of a bare repository: what they are, and which a push belongs to.

Opened by `git push origin HEAD:refs/for/BRANCH/TOPIC`; the same branch and topic
again update it. One file holds one pull request, `refs/pull/N/head` its commit.
A change carries the id of what caused it (`cause`), so that doing it again after
a crash changes nothing.
"""

from __future__ import annotations

import json
import os

from windlass.forges.plain.program.folder import Folder
from windlass.forges.plain.program.git import Git

OPEN, MERGED, CLOSED = "open", "merged", "closed"


class Pull:
    """One pull request, as its file says; what the file lacks keeps its first value."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.title = ""
        self.body = ""
        self.author = ""
        self.author_id = ""
        self.base = ""
        self.head = ""
        self.head_sha = ""
        self.base_sha = ""
        self.state = OPEN
        self.draft = False
        self.merge_sha = ""
        self.approvals: dict[str, str] = {}  # who -> the commit that was approved
        self.comment = ""
        self.created_at = 0.0
        self.updated_at = 0.0
        # What the last change was, so that it can be told again after a crash.
        self.cause = ""
        self.action = ""
        self.before = ""
        self.was_draft = False

    @property
    def ref(self) -> str:
        """Where its commit stands."""
        return f"refs/pull/{self.number}/head"

    def approved_by(self) -> list[str]:
        """Who approved the commit that is its head now."""
        return sorted(name for name, sha in self.approvals.items() if sha == self.head_sha)

    def dump(self) -> bytes:
        """The content of its file."""
        return json.dumps(vars(self), indent=1, sort_keys=True).encode() + b"\n"


def parse(content: bytes) -> Pull:
    """A pull request from its file; ValueError, TypeError or KeyError when it is none."""
    tree = dict(json.loads(content))
    pull = Pull(int(tree["number"]))
    for name, first in vars(pull).items():
        kind = (int, float) if isinstance(first, float) else type(first)
        if name in tree and isinstance(tree[name], kind):
            setattr(pull, name, tree[name])
    return pull


class Pulls:
    """The pull requests of one repository; whoever changes them holds the lock `state`."""

    def __init__(self, folder: Folder, git: Git) -> None:
        self.folder = folder
        self.git = git

    def numbers(self) -> list[int]:
        """Their numbers, rising."""
        try:
            names = os.listdir(self.folder.path("pulls"))
        except FileNotFoundError:
            return []
        stems = (name[:-5] for name in names if name.endswith(".json"))
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def get(self, number: int) -> Pull | None:
        """One of them."""
        try:
            with open(self.folder.path("pulls", f"{number}.json"), "rb") as file:
                return parse(file.read())
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def all(self, state: str = "") -> list[Pull]:
        """All of them, or those in one state, rising."""
        found = (self.get(number) for number in self.numbers())
        return [pull for pull in found if pull is not None and state in {"", pull.state}]

    def put(self, pull: Pull) -> None:
        """Store one."""
        path = self.folder.path("pulls", f"{pull.number}.json")
        self.folder.write(path, pull.dump(), durable=True)

    def next_number(self) -> int:
        """A number that nobody has used, also no ref of another origin."""
        out = self.git.run("for-each-ref", "--format=%(refname)", "refs/pull")[1].decode()
        parts = (line.split("/") for line in out.split("\n"))
        refs = (int(part[2]) for part in parts if len(part) > 2 and part[2].isdigit())
        return max([0, *self.numbers(), *refs]) + 1

    def target(self, ref: str, *, fallback: str) -> tuple[str, str] | None:
        """
        The branch and the topic of `refs/for/BRANCH/TOPIC`; None when no branch fits.

        Of several branches that fit, the longest. Without a topic, `fallback`.
        """
        parts = ref[len("refs/for/") :].split("/")
        for length in range(len(parts), 0, -1):
            branch, topic = "/".join(parts[:length]), "/".join(parts[length:])
            if self.git.yes("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"):
                return branch, topic or fallback
        return None

    def find(self, base: str, head: str, cause: str) -> Pull | None:
        """The open pull request of this branch and topic, or the one this cause made."""
        mine = [pull for pull in self.all() if (pull.base, pull.head) == (base, head)]
        for pull in reversed(mine):
            if pull.cause == cause or pull.state == OPEN:
                return pull
        return None

    def point(self, pull: Pull, *, gone: str = "") -> None:
        """Move its ref to its commit, and take `gone` away."""
        self.git.out("update-ref", pull.ref, pull.head_sha)
        if gone:
            self.git.run("update-ref", "-d", gone, pull.head_sha)

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a commit is reachable from a tip."""
        return self.git.yes("merge-base", "--is-ancestor", commit, tip)
