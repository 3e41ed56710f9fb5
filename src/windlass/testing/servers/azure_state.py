"""
What the Azure DevOps of the tests holds: people, repositories on disk, pull requests.

Shapes are those of the API's reference, see `azure`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

# As whom Azure DevOps writes notes of its own.
ITSELF = "00000002-0000-8888-8000-000000000000"

READ, CONTRIBUTE, ADMINISTER = 2, 4, 8192
NOW = "2024-05-02T19:17:13.3309587Z"
EVERY = frozenset({"code", "code_write", "code_status", "threads", "identity", "security"})


def guid(text: str) -> str:
    """An id that is always the same for a name."""
    return str(uuid5(NAMESPACE_URL, text))


@dataclass
class Person:
    """Somebody, or a group; `groups` are the descriptors of what they are in, all of them."""

    name: str
    groups: list[str] = field(default_factory=list)
    active: bool = True

    @property
    def id(self) -> str:
        """The identity."""
        return guid(f"person {self.name}")

    @property
    def descriptor(self) -> str:
        """How access control lists name it."""
        return f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{self.id}\\{self.name}"

    @property
    def shown(self) -> dict[str, Any]:
        """As others see it."""
        return {"id": self.id, "displayName": self.name, "uniqueName": f"{self.name}@acme.example"}


@dataclass
class Repository:
    """A repository with a bare one on disk."""

    project: str
    name: str
    path: Path
    url: str
    default: str = "main"
    # Who may see and change service hooks.
    hookers: set[str] = field(default_factory=set)
    threads: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.path.exists():
            self.git(
                "init",
                "--quiet",
                "--bare",
                "--template=",
                f"--initial-branch={self.default}",
                at=None,
            )

    @property
    def id(self) -> str:
        """The repository's id."""
        return guid(f"repository {self.project}/{self.name}")

    @property
    def project_id(self) -> str:
        """The project's id."""
        return guid(f"project {self.project}")

    @property
    def token(self) -> str:
        """What access control lists name it."""
        return f"repoV2/{self.project_id}/{self.id}"

    @property
    def shown(self) -> dict[str, Any]:
        """A GitRepository."""
        about = {
            "id": self.id,
            "name": self.name,
            "url": f"{self.url}/_apis/git/repositories/{self.id}",
            "project": {"id": self.project_id, "name": self.project, "state": "wellFormed"},
            "remoteUrl": f"{self.url}/_git/{self.name}",
            "webUrl": f"{self.url}/_git/{self.name}",
            "isDisabled": False,
        }
        return {**about, "defaultBranch": f"refs/heads/{self.default}"} if self.refs() else about

    def git(self, *words: str, stdin: str = "", at: str | None = "git-dir") -> str:
        """Run Git on it; what it printed."""
        where = [f"--git-dir={self.path}"] if at else []
        last = [] if at else [str(self.path)]
        author = {
            f"GIT_{who}_{what}": "ada"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        done = subprocess.run(
            ["git", *where, *words, *last],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_NOSYSTEM": "1", **author},
        )
        return done.stdout.strip()

    def commit(self, message: str, *parents: str) -> str:
        """A commit without files."""
        tree = self.git("hash-object", "-t", "tree", "-w", "--stdin")
        before = [word for sha in parents for word in ("-p", sha)]
        return self.git("commit-tree", tree, *before, "-m", message)

    def point(self, refs: Mapping[str, str]) -> None:
        """Let refs point at commits, or be gone with an empty text."""
        lines = [f"update {name} {sha}" if sha else f"delete {name}" for name, sha in refs.items()]
        self.git("update-ref", "--stdin", stdin="\n".join(lines) + "\n")

    def refs(self) -> dict[str, tuple[str, str]]:
        """Branches and tags: the object, and the commit that a tag points at."""
        form = "--format=%(refname) %(objectname) %(*objectname)"
        lines = self.git("for-each-ref", form, "refs/heads", "refs/tags").splitlines()
        found = [line.split(" ") for line in lines]
        return {name: (sha, peeled[0] if peeled else "") for name, sha, *peeled in found}

    def has(self, sha: str) -> bool:
        """Whether there is such a commit."""
        try:
            return self.git("cat-file", "-t", sha) == "commit"
        except subprocess.CalledProcessError:
            return False


@dataclass
class Pull:
    """A pull request; `source` is the repository of its head."""

    number: int
    home: Repository
    author: Person
    title: str
    head: str
    base: str = "main"
    source: Repository | None = None
    status: str = "active"
    merged: str = ""
    tested: bool = True
    more: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    # The heads it has had, and who voted what.
    iterations: list[dict[str, Any]] = field(default_factory=list)
    votes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def iterated(self) -> None:
        """Its head is one more of those that it has had."""
        tip = (self.source or self.home).refs()[f"refs/heads/{self.head}"][0]
        number = len(self.iterations) + 1
        made = {"id": number, "createdDate": self.later(), "sourceRefCommit": {"commitId": tip}}
        self.iterations.append(made)

    def voted(self, person: Person, vote: int) -> None:
        """Somebody votes; a vote is written down among what was said."""
        self.votes[person.id] = {**person.shown, "vote": vote}
        values = {
            "CodeReviewThreadType": "VoteUpdate",
            "CodeReviewVoteResult": str(vote),
            "CodeReviewVotedByIdentity": "1",
        }
        threads = self.home.threads.setdefault(self.number, [])
        author = {"id": ITSELF, "displayName": "Microsoft.VisualStudio.Services.TFS"}
        comment = {"id": 1, "author": author, "content": f"{person.name} voted {vote}"}
        thread = {
            "id": len(threads) + 1,
            "publishedDate": self.later(),
            "comments": [{**comment, "commentType": "system"}],
            "properties": {k: {"$type": "System.String", "$value": v} for k, v in values.items()},
            "identities": {"1": person.shown},
            "isDeleted": False,
        }
        threads.append(thread)

    def later(self) -> str:
        """A time after all that was told of it before."""
        said = len(self.iterations) + len(self.home.threads.get(self.number, []))
        return f"2024-05-02T20:{said // 60:02}:{said % 60:02}.5Z"

    @property
    def shown(self) -> dict[str, Any]:
        """A GitPullRequest, with its labels left out as the forge does."""
        source = self.source or self.home
        tip = source.refs().get(f"refs/heads/{self.head}", ("",))[0]
        about: dict[str, Any] = {
            "repository": self.home.shown,
            "pullRequestId": self.number,
            "status": self.status,
            "createdBy": self.author.shown,
            "creationDate": "2024-05-01T16:55:46.589889Z",
            "title": self.title,
            "description": "",
            "sourceRefName": f"refs/heads/{self.head}",
            "targetRefName": f"refs/heads/{self.base}",
            "mergeStatus": "succeeded",
            "isDraft": False,
            "reviewers": list(self.votes.values()),
            **self.more,
        }
        if self.tested:
            about["lastMergeSourceCommit"] = {"commitId": tip}
            about["lastMergeTargetCommit"] = {
                "commitId": self.home.refs()[f"refs/heads/{self.base}"][0]
            }
            about["lastMergeCommit"] = {"commitId": self.merged or "e" * 40}
        if self.source and self.source is not self.home:
            about["forkSource"] = {"repository": self.source.shown}
        if self.status != "active":
            about["closedDate"] = NOW
        return about


@dataclass
class Acl:
    """An access control list: descriptor -> allowed and denied bits."""

    entries: dict[str, tuple[int, int]] = field(default_factory=dict)
    inherit: bool = True

    def shown(self, token: str, wanted: Iterable[str]) -> dict[str, Any]:
        """The list with the entries of these descriptors."""
        entries = {
            name: {"descriptor": name, "allow": bits[0], "deny": bits[1], "extendedInfo": {}}
            for name, bits in self.entries.items()
            if name in set(wanted)
        }
        return {
            "inheritPermissions": self.inherit,
            "token": token,
            "acesDictionary": entries,
            "includeExtendedInfo": True,
        }
