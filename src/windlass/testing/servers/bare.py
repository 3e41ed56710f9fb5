"""
A bare repository that a code host of the tests keeps: commits and refs, by Git itself.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from windlass.testing.plain import ENVIRONMENT

ZERO = "0" * 40


class Bare:
    """The repository at `path`, with one commit on `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)],
            env=ENVIRONMENT,
            check=True,
        )
        self.move("refs/heads/main", self.commit("Begin"))

    def git(self, *words: str, said: str = "") -> str:
        """What git answers; it must succeed."""
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *words],
            input=said,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, message: str, *parents: str) -> str:
        """A commit with one file that says `message`; no ref leads to it yet."""
        blob = self.git("hash-object", "-w", "--stdin", said=message)
        tree = self.git("mktree", said=f"100644 blob {blob}\tREADME\n")
        behind = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, "-m", message, *behind)

    def move(self, ref: str, sha: str) -> str:
        """Let a ref be at a commit, or be gone (`ZERO`); where it was before, or `ZERO`."""
        before = self.refs(ref).get(ref, ZERO)
        if sha == ZERO:
            self.git("update-ref", "-d", ref)
        else:
            self.git("update-ref", ref, sha)
        return before

    def fill(self, refs: Mapping[str, str]) -> None:
        """Make many refs at once."""
        lines = "".join(f"create {ref} {sha}\n" for ref, sha in refs.items())
        self.git("update-ref", "--stdin", said=lines)

    def refs(self, under: str) -> dict[str, str]:
        """Every ref below this one, with its commit; an annotated tag's is the tagged one."""
        form = "--format=%(refname) %(objectname) %(*objectname)"
        lines = self.git("for-each-ref", form, under).splitlines()
        return {(parts := line.split())[0]: parts[-1] for line in lines}

    def has(self, sha: str) -> bool:
        """Whether there is such a commit."""
        words = ["git", f"--git-dir={self.path}", "cat-file", "-e", f"{sha}^{{commit}}"]
        return not subprocess.run(
            words, env=ENVIRONMENT, check=False, capture_output=True
        ).returncode
