"""What the GitLab of the tests keeps: people, tokens, and projects with all that is in them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# GitLab's numbers of roles.
GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50

Row = dict[str, Any]

_GIT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


@dataclass(frozen=True, slots=True)
class Token:
    """Whose it is, and what it may be used for."""

    user: int
    scopes: frozenset[str] = frozenset({"api"})


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare repository."""

    path: Path

    def git(self, *words: str, text: str = "") -> str:
        """What git says; it has to succeed."""
        command = ["git", f"--git-dir={self.path}", *words]
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True, env=_GIT
        )
        return done.stdout.strip()

    def has(self, sha: str) -> bool:
        """Whether there is such a commit."""
        command = ["git", f"--git-dir={self.path}", "cat-file", "-e", f"{sha}^{{commit}}"]
        return subprocess.run(command, capture_output=True, check=False, env=_GIT).returncode == 0

    def commit(self, message: str, *parents: str) -> str:
        """A new commit with the same (empty) tree as every other one."""
        tree = self.git("mktree")
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *words, "-m", message)

    def refs(self, under: str) -> dict[str, str]:
        """Short name -> commit, of the refs below."""
        form = "--format=%(refname:strip=2) %(objectname) %(*objectname)"
        lines = self.git("for-each-ref", form, under).splitlines()
        parts = [f"{line} ".split(" ") for line in lines]
        return {name: peeled or sha for name, sha, peeled, *_ in parts}

    def point(self, refs: dict[str, str]) -> None:
        """Set refs, many at once."""
        self.git(
            "update-ref", "--stdin", text="".join(f"update {k} {v}\n" for k, v in refs.items())
        )


@dataclass(slots=True)
class Project:
    """A project; rows are as the API shows them."""

    id: int
    path: str
    bare: Bare
    public: bool = True
    members: dict[int, int] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    hooks: dict[int, Row] = field(default_factory=dict)
    requests: dict[int, Row] = field(default_factory=dict)
    # Who approves a merge request, and since when.
    approved: dict[int, dict[int, str]] = field(default_factory=dict)
    # The heads that a merge request has had, newest first.
    versions: dict[int, list[Row]] = field(default_factory=dict)
    notes: dict[int, list[Row]] = field(default_factory=dict)
    statuses: list[Row] = field(default_factory=list)
    deployments: list[Row] = field(default_factory=list)
    # What a webhook's row does not show: its secret, its failures, and its log, newest last.
    secrets: dict[int, str] = field(default_factory=dict)
    failures: dict[int, int] = field(default_factory=dict)
    log: list[Row] = field(default_factory=list)

    @property
    def default(self) -> str:
        """The default branch; empty while there is none."""
        name = self.bare.git("symbolic-ref", "--short", "HEAD")
        return name if self.bare.refs("refs/heads/").get(name) else ""


def new_bare(path: Path) -> Bare:
    """An empty bare repository."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)]
    subprocess.run(words, check=True, env=_GIT)
    return Bare(path)


def stamp(at: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
