"""
A bare repository behind a Bitbucket of the tests: real commits, made without a work tree.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

ZERO = "0" * 40
WHO = "Ada <ada@example.com>"


class Bare:
    """A bare repository with a first commit on `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made = 0
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main")
        self.commit("refs/heads/main", "Begin")

    def git(self, *arguments: str, said: str = "") -> str:
        """What Git says; it must succeed."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=said.encode(),
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, ref: str, message: str, parent: str = "") -> str:
        """A new commit at `ref`, on top of what is there, or of `parent`."""
        self.made += 1
        here = parent or self.at(ref)
        lines = [
            f"commit {ref}",
            f"committer {WHO} {1_700_000_000 + self.made} +0000",
            f"data {len(message)}",
            message,
            *([f"from {here}"] if here else []),
            f"M 100644 inline file-{self.made}.txt",
            f"data {len(str(self.made))}",
            f"{self.made}\n",
        ]
        self.git("fast-import", "--quiet", "--force", said="\n".join(lines))
        return self.at(ref)

    def at(self, ref: str) -> str:
        """The commit at a ref or the full id of a beginning; empty when there is none."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        except subprocess.CalledProcessError:
            return ""

    def point(self, refs: Mapping[str, str]) -> None:
        """Let refs be at commits; all zeroes take one away."""
        self.git(
            "update-ref", "--stdin", said="".join(f"update {k} {v}\n" for k, v in refs.items())
        )

    def refs(self, prefix: str) -> dict[str, str]:
        """Ref -> commit, below a prefix; annotated tags are peeled."""
        out = self.git("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", prefix)
        rows = (line.split(" ") for line in out.splitlines())
        return {row[0]: row[2] if len(row) > 2 and row[2] else row[1] for row in rows}

    def tag(self, name: str, commit: str) -> None:
        """An annotated tag."""
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        self.git(*identity, "tag", "--annotate", "--message=x", name, commit)
