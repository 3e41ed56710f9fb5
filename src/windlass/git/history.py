"""
What the commits of one repository have to do with each other.

Answers depend on nothing but the ids asked about: a merge of the same two
commits is the same commit each time, on every server.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from windlass.git.failure import failure
from windlass.git.objects import Objects
from windlass.git.program import Git
from windlass.git.refs import check_ref, check_sha, is_zero
from windlass.git.tree import CommitInfo

# The id of a tree without entries, by the length of the repository's ids.
_EMPTY = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}

_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Windlass"), ("EMAIL", "windlass@localhost"))
}


@dataclass(frozen=True, slots=True)
class MergedTree:
    """A merge that went well: a commit that no branch has, and its tree."""

    commit: str
    tree: str


@dataclass(frozen=True, slots=True)
class Conflicts:
    """A merge that needs a person: the files both sides changed."""

    paths: tuple[str, ...]


class History:
    """Questions about commits that are in the repository at `path`."""

    def __init__(self, git: Git, path: Path, objects: Objects) -> None:
        """Ask in the bare repository at `path`, whose objects are read by `objects`."""
        self.git = git
        self.path = path
        self.objects = objects

    async def has(self, sha: str) -> bool:
        """Whether this commit is here."""
        return (self.path / "HEAD").is_file() and await self.objects.has(sha)

    async def commit(self, sha: str) -> CommitInfo:
        """The commit; NotFound when it is not here."""
        return await self.objects.commit(sha)

    async def merge(self, base_sha: str, head_sha: str) -> MergedTree | Conflicts:
        """Head merged into base; the same two commits always give the same commit."""
        answer = await self.git.ask(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"),
            *("--end-of-options", check_sha(base_sha), check_sha(head_sha)),
            at=self.path,
        )
        if answer.code not in {0, 1}:
            raise failure("merge-tree", answer.err, answer.code)
        tree, *paths = _names(answer.out)
        if answer.code:
            return Conflicts(tuple(dict.fromkeys(paths)))
        moment = f"@{(await self.commit(head_sha)).at} +0000"
        made = await self.git.run(
            *("commit-tree", tree, "-p", base_sha, "-p", head_sha),
            *("-m", f"Merge {head_sha} into {base_sha}"),
            at=self.path,
            env={**_WHO, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment},
        )
        return MergedTree(made.decode().strip(), tree)

    async def is_ancestor(self, a: str, b: str) -> bool:
        """Whether `b` contains `a` (a commit contains itself)."""
        answer = await self.git.ask(
            "merge-base", "--is-ancestor", check_sha(a), check_sha(b), at=self.path
        )
        if answer.code not in {0, 1}:
            raise failure("merge-base", answer.err, answer.code)
        return answer.code == 0

    async def merge_base(self, a: str, b: str) -> str | None:
        """The best common ancestor; None when the histories have nothing in common."""
        answer = await self.git.ask("merge-base", check_sha(a), check_sha(b), at=self.path)
        if answer.code not in {0, 1}:
            raise failure("merge-base", answer.err, answer.code)
        return answer.out.decode().strip() or None

    async def changed(
        self, before: str, after: str, *, branch: str = "", default: str = "HEAD"
    ) -> tuple[str, ...]:
        """
        Every path that differs, sorted; a rename counts with both names.

        When `before` is zero or unknown, it is what `after` adds to the branch `default`,
        and everything when there is none or when `branch` is that branch. A name that is
        not UTF-8 keeps its bytes by surrogate escapes.
        """
        check_sha(after)
        start = before if not is_zero(check_sha(before)) and await self.has(before) else None
        if start is None and not (branch and branch == default):
            start = await self._fork(after, default)
        raw = await self.git.run(
            *("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id"),
            *("--end-of-options", start or _EMPTY[len(after)], after),
            at=self.path,
        )
        return tuple(sorted(_names(raw)))

    async def _fork(self, sha: str, default: str) -> str | None:
        """Where a commit left the default branch."""
        name = default if default == "HEAD" else f"refs/heads/{check_ref(default)}"
        tip = await self.objects.resolve(name)
        return await self.merge_base(tip, sha) if tip else None


def _names(raw: bytes) -> list[str]:
    return [name.decode("utf-8", "surrogateescape") for name in raw.split(b"\0") if name]
