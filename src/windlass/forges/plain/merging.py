"""
The commit that a merge makes, in a bare repository: no work tree, no index.

Only objects are written here; who moves the branch is `pull_requests.py`. A
rebase picks each commit by merging it with a stand-in for the new tip that has
the old parent, so that `merge-tree` finds the right base in every Git since 2.38.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from windlass.core.errors import Conflict, UserError
from windlass.forges.plain.program.git import Git
from windlass.forges.plain.program.pulls import Pull

METHODS = ("merge", "squash", "rebase")
_PERSON = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<email>[^<>]*)>")


@dataclass(frozen=True, slots=True)
class Person:
    """A Git identity."""

    name: str
    email: str

    def environment(self, role: str) -> dict[str, str]:
        """The variables that tell Git so; `role` is AUTHOR or COMMITTER."""
        return {f"GIT_{role}_NAME": self.name, f"GIT_{role}_EMAIL": self.email}


def person(text: str) -> Person:
    """Who `NAME` or `NAME <ADDRESS>` is; a `UserError` when it is nobody."""
    found = _PERSON.fullmatch(text.strip())
    name = found["name"] if found else text.strip()
    if not name.isprintable() or not re.search(r"\w", name) or set(name) & set("<>"):
        raise UserError(f"{text!r} is no name of a person")
    address = found["email"] if found else re.sub(r"[^\w.+-]", "-", name) + "@localhost"
    return Person(name, address)


def merged(git: Git, pull: Pull, method: str, by: Person) -> str:
    """The commit that this method makes of the pull request; `Conflict` with the files."""
    base = git.out("rev-parse", f"refs/heads/{pull.base}")
    match method:
        case "merge":
            text = f"Merge pull request {pull.number} from {pull.head}\n\n{pull.title}"
            tree = merged_tree(git, base, pull.head_sha)
            return _commit(git, tree, (base, pull.head_sha), text, _both(by))
        case "squash":
            text = f"{pull.title} (#{pull.number})\n\n{pull.body}".rstrip()
            return _commit(git, merged_tree(git, base, pull.head_sha), (base,), text, _both(by))
        case "rebase":
            return _rebased(git, base, pull.head_sha, by)
        case _:
            raise UserError(f"{method!r} is no way to merge", hint="say merge, squash or rebase")


def merged_tree(git: Git, base: str, head: str) -> str:
    """The tree of both together; `Conflict` with the files."""
    code, out = git.run("merge-tree", "--write-tree", "--name-only", "-z", base, head)
    tree, *rest = out.decode("utf-8", "replace").split("\0")
    if code == 0:
        return tree
    if code != 1:
        raise Conflict(
            "Git cannot merge these commits",
            hint="they may have no common history, or Git is older than 2.38",
        )
    files = rest[: rest.index("")] if "" in rest else rest
    raise Conflict(
        f"cannot be merged: conflict in {', '.join(dict.fromkeys(files))}",
        hint="bring the branch up to date, solve the conflict, and push it again",
    )


def _rebased(git: Git, base: str, head: str, by: Person) -> str:
    if git.yes("merge-base", "--is-ancestor", base, head) and not _merges(git, base, head):
        return head
    tip = base
    words = ("rev-list", "--reverse", "--topo-order", "--no-merges", f"{base}..{head}")
    for commit in git.out(*words).split():
        tip = _picked(git, tip, commit, by)
    return tip


def _merges(git: Git, base: str, head: str) -> bool:
    return bool(git.out("rev-list", "--merges", "--max-count=1", f"{base}..{head}"))


def _picked(git: Git, tip: str, commit: str, by: Person) -> str:
    """The commit once more, on another tip; the tip itself when nothing is left of it."""
    code, out = git.run("rev-parse", "--verify", "--quiet", f"{commit}^")
    if code != 0:
        raise Conflict("cannot be rebased: the branch has a beginning of its own")
    parent = out.decode().strip()
    stand_in = _commit(git, git.out("rev-parse", f"{tip}^{{tree}}"), (parent,), "tip", _both(by))
    tree = merged_tree(git, stand_in, commit)
    if tree == git.out("rev-parse", f"{tip}^{{tree}}"):
        return tip
    form = "--format=%an%x00%ae%x00%ad%x00%B"
    name, email, date, text = git.out("log", "-1", "--date=raw", form, commit).split("\0", 3)
    author = {**Person(name, email).environment("AUTHOR"), "GIT_AUTHOR_DATE": date}
    return _commit(git, tree, (tip,), text, {**by.environment("COMMITTER"), **author})


def _both(by: Person) -> dict[str, str]:
    return {**by.environment("AUTHOR"), **by.environment("COMMITTER")}


def _commit(
    git: Git, tree: str, parents: tuple[str, ...], text: str, people: dict[str, str]
) -> str:
    words = [word for parent in parents for word in ("-p", parent)]
    return git.out("commit-tree", tree, *words, "-m", text.rstrip() or "-", also=people)
