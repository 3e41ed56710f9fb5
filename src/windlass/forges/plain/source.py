"""
What can be asked of a bare repository: `Source` of plain Git.

Plain Git has no accounts. Who may push is who the operating system lets write,
and that is what `permission` answers; a Git author decides nothing.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Mapping

from windlass.core.errors import Permanent, UserError
from windlass.forges.plain.program.pulls import OPEN
from windlass.forges.plain.pull_requests import show
from windlass.forges.plain.repository import Repository, opened
from windlass.ports.forge import Permission, PullRequest


class PlainSource:
    """`Source` of plain Git."""

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests."""
        return await asyncio.to_thread(_heads, url)

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What this user of the machine may do there; `sender_id` is `os:NAME`."""
        return await asyncio.to_thread(_permission, url, sender_id)

    async def default_branch(self, url: str) -> str:
        """The branch that HEAD names."""
        return await asyncio.to_thread(_default_branch, url)

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now."""
        return await asyncio.to_thread(show, url, number)

    async def credential(self, _url: str) -> None:
        """A repository on this disk needs none."""


def _heads(url: str) -> dict[str, str]:
    repository = opened(url)
    form = "--format=%(refname) %(objectname) %(*objectname)"
    code, out = repository.git.run("for-each-ref", form, "refs/heads", "refs/tags", "refs/pull")
    if code != 0:
        raise Permanent(f"{url}: the refs cannot be read")
    proposed = {pull.ref for pull in repository.pulls.all(OPEN)}
    found = {}
    for line in out.decode("utf-8", "replace").split("\n")[:-1]:
        ref, sha, peeled = line.split(" ", 2)
        if not ref.startswith("refs/pull/") or ref in proposed:
            found[ref] = peeled or sha
    return found


def _permission(url: str, sender_id: str) -> Permission:
    kind, _, name = sender_id.partition(":")
    repository = opened(url)
    try:
        account = pwd.getpwnam(name)
    except (KeyError, ValueError):
        return Permission.NONE
    if kind != "os":
        return Permission.NONE
    rights = _rights(repository, account)
    if rights & 2:
        return Permission.WRITE
    return Permission.READ if rights & 4 else Permission.NONE


def _rights(repository: Repository, account: pwd.struct_passwd) -> int:
    """The rwx bits that this account has on the repository's objects."""
    folder = repository.folder
    if account.pw_uid in {0, folder.uid}:
        return 7
    if folder.gid in os.getgrouplist(account.pw_name, account.pw_gid):
        return folder.mode >> 3 & 7
    return folder.mode & 7


def _default_branch(url: str) -> str:
    repository = opened(url)
    code, out = repository.git.run("symbolic-ref", "HEAD")
    ref = out.decode("utf-8", "replace").strip()
    if code != 0 or not ref.startswith("refs/heads/"):
        raise UserError(
            f"{repository.path}: HEAD names no branch",
            hint=f"run: git --git-dir={repository.path} symbolic-ref HEAD refs/heads/main",
        )
    return ref.removeprefix("refs/heads/")
