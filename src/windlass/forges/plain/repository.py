"""
A bare repository on disk, checked before anything is done with it.

`url` is its path. Each way in which it cannot be used has a text of its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from windlass.core.errors import NotAllowed, NotFound, UserError
from windlass.forges.plain.program.folder import Folder
from windlass.forges.plain.program.git import Git, find
from windlass.forges.plain.program.pulls import Pulls


@dataclass(frozen=True, slots=True)
class Repository:
    """A checked bare repository with what belongs to it."""

    path: Path
    git: Git
    folder: Folder

    @property
    def pulls(self) -> Pulls:
        """Its pull requests."""
        return Pulls(self.folder, self.git)


def opened(url: str) -> Repository:
    """The bare repository at this path; a `UserError` that says why there is none."""
    if "://" in url.removeprefix("file://"):
        raise UserError(
            "plain Git takes the path of a bare repository on the server's machine, not an address",
            hint="of a repository on a code host say on which: --forge github",
        )
    path = Path(url.removeprefix("file://")).expanduser().absolute()
    try:
        _check(path)
        folder = Folder(str(path))
    except PermissionError as error:
        who = f"user {os.geteuid()}"
        raise NotAllowed(f"{path}: {who} may not read it", hint="give that user access") from error
    user = (folder.uid, folder.gid) if os.geteuid() == 0 and folder.uid != 0 else None
    git = Git(str(path), program(), user)
    code, out = git.run("rev-parse", "--is-bare-repository")
    if code != 0:
        raise UserError(f"{path} is not a Git repository that works", hint="run: git fsck")
    if out.strip() != b"true":
        raise _work_tree(path.parent if path.name == ".git" else path)
    return Repository(path, git, folder)


def program() -> str:
    """The `git` to run; a `UserError` when there is none."""
    found = find(os.environ.get("PATH", ""))
    if not found.startswith("/"):
        raise UserError("there is no `git` on this machine", hint="install Git 2.38 or newer")
    return found


def _check(path: Path) -> None:
    if not path.exists():
        raise NotFound(
            f"{path}: there is no such folder", hint="give the path of a bare repository"
        )
    if (path / ".git").exists():
        raise _work_tree(path)
    if not all((path / name).exists() for name in ("HEAD", "objects", "refs")):
        hint = f"make one: git init --bare {path}"
        raise UserError(f"{path} is not a Git repository", hint=hint, code="not-a-repository")
    next(path.iterdir())


def _work_tree(path: Path) -> UserError:
    return UserError(
        f"{path} is a work tree, and Windlass needs a bare repository that people push to",
        hint=f"make one: git clone --bare {path} {path}.git, push there, and add that path",
        code="not-bare",
    )
