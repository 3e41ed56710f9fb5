"""A bare repository as a team has it, written by plumbing, so that a commit costs one process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
}


@dataclass
class Origin:
    """The repository; `names` gives every commit the name that a story knows it by."""

    path: Path
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, path: Path) -> Origin:
        new = cls(path)
        subprocess.run(
            ["git", "init", "-q", "--bare", "--template=", "-b", "main", str(path)],
            env=ENVIRONMENT,
            check=True,
        )
        return new

    def git(self, *words: str, stdin: bytes = b"") -> str:
        """What git says, in the repository."""
        moment = f"{1_700_000_000 + len(self.names)} +0000"
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *words],
            input=stdin,
            capture_output=True,
            env={**ENVIRONMENT, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment},
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def at(self, ref: str) -> str:
        """The commit of a ref, or nothing."""
        found = self.git("for-each-ref", "--format=%(objectname)", "--", ref)
        return found.split("\n", maxsplit=1)[0]

    def heads(self) -> dict[str, str]:
        """Branches and tags, as a forge tells them."""
        lines = self.git(
            "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"
        ).splitlines()
        return {ref: sha for sha, ref in (line.rsplit(" ", 1)[::-1] for line in lines)}

    def commit(self, branch: str, files: Mapping[str, str], message: str, start: str = "") -> str:
        """A commit of these changes on the branch, which begins at `start`; None removes a file."""
        ref = f"refs/heads/{branch}"
        parent = self.at(ref) or (self.at(f"refs/heads/{start}") if start else "")
        moment = 1_700_000_000 + len(self.names)
        text = message.encode()
        lines = [
            b"feature done\ncommit %s" % ref.encode(),
            b"committer Ada <ada@example.org> %d +0000\ndata %d" % (moment, len(text)),
            text,
        ]
        if parent:
            lines.append(b"from " + parent.encode())
        for path, content in files.items():
            data = (content or "").encode()
            lines.append(
                b"M 100644 inline %s\ndata %d\n%s" % (path.encode(), len(data), data)
                if content is not None
                else b"D " + path.encode()
            )
        self.git("fast-import", "--quiet", stdin=b"\n".join([*lines, b"done\n"]))
        return self.name(self.at(ref), branch)

    def merge(self, base: str, head: str, how: str, message: str) -> str:
        """Merge a branch into another as a forge does; the commit that comes of it."""
        ours, theirs = self.at(f"refs/heads/{base}"), self.at(f"refs/heads/{head}")
        tree = self.git("merge-tree", "--write-tree", ours, theirs).split("\n", maxsplit=1)[0]
        parents = ["-p", ours, *(["-p", theirs] if how == "merge" else [])]
        sha = self.git("commit-tree", tree, *parents, "-m", message)
        self.git("update-ref", f"refs/heads/{base}", sha)
        return self.name(sha, base)

    def name(self, sha: str, branch: str) -> str:
        """Give a commit the next name of its branch: `FB1.1`, `FB1.2`."""
        count = sum(name.rpartition(".")[0] == branch for name in self.names.values())
        self.names.setdefault(sha, f"{branch}.{count + 1}")
        return sha
