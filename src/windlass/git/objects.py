"""
Reads at a commit, from the object database and never from a work tree.

One `git cat-file` stays open for each mirror in use and answers in a fraction
of a millisecond. It is asked for object ids only; paths are walked here, name
by name, so a symbolic link is seen for what it is and nothing needs quoting.
It ends by itself after a while without questions and starts again when needed.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Self

from windlass.child import Child
from windlass.core.errors import NotFound, Permanent, Transient, UserError
from windlass.git.program import Git, git_folder, stop
from windlass.git.refs import check_ref, check_sha
from windlass.git.tree import CommitInfo, Entry, Kind, parse_commit, parse_tree

LARGEST = 64 << 20
PATIENCE = 30.0

Found = tuple[str, str, int, bytes | None]

# Paths that git's own spelling `commit:path` names without doubt.
_PLAIN = re.compile(r"(?!\.{0,2}(?:/|\Z))[\w.-]+(?:/(?!\.{0,2}(?:/|\Z))[\w.-]+)*", re.ASCII)

_SHORT = re.compile(r"[0-9a-f]{7,64}")

_ANSWER = len(("id", "type", "size"))


class Objects:
    """Reads of one repository. Close it, or use it in `async with`."""

    def __init__(self, git: Git, path: Path, *, idle: float = 30.0) -> None:
        """Read `path`; the child ends after `idle` seconds without a question."""
        self._git = git
        self._path = path
        self._idle = idle
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._ended: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Nothing is started before the first question."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """End the child and wait for it; a later question starts another."""
        async with self._turn:
            await self._end()

    async def has(self, sha: str) -> bool:
        """Whether this commit is here."""
        return await self._ask("info", _commit(check_sha(sha))) is not None

    async def resolve(self, ref: str) -> str | None:
        """The commit that a full ref name leads to, through a tag too."""
        found = await self._ask("info", _commit(check_ref(ref)))
        return found[0] if found else None

    async def abbreviated(self, sha: str) -> str | None:
        """The one commit whose id begins with these digits, None when none or several do."""
        if not _SHORT.fullmatch(sha):
            return None
        found = await self._ask("info", _commit(sha))
        return found[0] if found else None

    async def commit(self, sha: str) -> CommitInfo:
        """The commit (of a tag's id, the one it names); NotFound when it is not here."""
        found = await self._ask("contents", _commit(check_sha(sha)))
        if found is None or found[3] is None:
            raise NotFound(f"there is no commit {sha} in {self._path.name}", code="git-no-commit")
        return parse_commit(found[0], found[3])

    async def tree(self, sha: str, path: str = "") -> str | None:
        """The id of the folder `path` at a commit; None when there is no such folder."""
        entry = await self._walk(sha, path)
        return entry.id if entry and entry.kind is Kind.FOLDER else None

    async def entries(self, sha: str, path: str = "") -> tuple[Entry, ...]:
        """What the folder `path` holds, in git's order; empty when there is no such folder."""
        folder = await self.tree(sha, path)
        return await self._list(folder) if folder else ()

    async def read(self, sha: str, path: str, limit: int = 1 << 20) -> bytes | None:
        """The file at a commit, None when there is none; a UserError for a link or over `limit`."""
        entry = await self._entry(sha, path)
        if entry is None or entry.kind in {Kind.FOLDER, Kind.MODULE}:
            return None
        if entry.kind is Kind.LINK:
            raise UserError(
                f"{path} is a symbolic link, and links are not followed",
                hint="put the file itself there",
                code="git-symlink",
            )
        return await self.blob(entry.id, path, limit)

    async def blob(self, sha: str, name: str, limit: int) -> bytes | None:
        """The content of a blob; `name` is for the error when it is over `limit` bytes."""
        found = await self._ask("contents", check_sha(sha), limit)
        if found is None:
            return None
        if found[3] is None:
            raise UserError(f"{name} has {found[2]} bytes, more than {limit}", code="git-too-large")
        return found[3]

    async def _entry(self, sha: str, path: str) -> Entry | None:
        """The entry at a path: one question for its folder, a walk when that has no answer."""
        folder, _, name = path.rpartition("/")
        if _PLAIN.fullmatch(path):
            found = await self._ask("contents", f"{check_sha(sha)}:{folder}")
            if found and found[1] == "tree" and found[3] is not None:
                entries = parse_tree(found[3], len(found[0]) // 2)
                return next((one for one in entries if one.name == name), None)
        return await self._walk(sha, path)

    async def _walk(self, sha: str, path: str) -> Entry | None:
        """The entry at a path, met through folders only."""
        at = Entry("40000", Kind.FOLDER, (await self.commit(sha)).tree, "")
        for part in path.split("/") if path else ():
            if at.kind is Kind.LINK:
                raise UserError(
                    f"{path} passes the symbolic link {at.name}, and links are not followed",
                    code="git-symlink",
                )
            if at.kind is not Kind.FOLDER:
                return None
            found = next((one for one in await self._list(at.id) if one.name == part), None)
            if found is None:
                return None
            at = found
        return at

    async def _list(self, tree: str) -> tuple[Entry, ...]:
        found = await self._ask("contents", tree)
        if found is None or found[3] is None:
            raise Permanent(f"the folder {tree} of {self._path.name} is missing or too large")
        return parse_tree(found[3], len(tree) // 2)

    async def _ask(self, command: str, name: str, limit: int = LARGEST) -> Found | None:
        """Id, type, size and content (None for `info` or when over `limit`); None: missing."""
        async with self._turn:
            for last in (False, True):
                try:
                    async with asyncio.timeout(PATIENCE):
                        return await self._exchange(command, name, limit)
                except (ConnectionError, EOFError, RuntimeError):
                    await self._end()
                    if last:
                        raise Transient(f"git ended while reading {self._path.name}") from None
                except TimeoutError:
                    await self._end()
                    raise Transient(f"git took more than {PATIENCE:g} s to read") from None
                except BaseException:
                    # Half an answer may be under way: the next question needs a fresh child.
                    await self._end()
                    raise
        raise AssertionError

    async def _exchange(self, command: str, name: str, limit: int) -> Found | None:
        child = self._child
        if child is None or child.returncode is not None:
            await self._end()
            child = self._child = await self._open()
        self._rest()
        if child.stdin is None or child.stdout is None:
            raise AssertionError
        child.stdin.write(f"{command} {name}\n".encode())
        line = await child.stdout.readline()
        words = line.decode("utf-8", "replace").split()
        if len(words) != _ANSWER or not words[2].isdigit():
            if line.endswith((b" missing\n", b" ambiguous\n")):
                return None
            raise EOFError
        size = int(words[2])
        if command == "info":
            return words[0], words[1], size, None
        if size > limit:
            await self._end()
            return words[0], words[1], size, None
        return words[0], words[1], size, (await child.stdout.readexactly(size + 1))[:-1]

    async def _open(self) -> Child:
        git_folder(self._path)
        return await self._git.start(
            "cat-file",
            "--batch-command",
            at=self._path,
            env=self._git.environment(),
            talks=True,
            quiet=True,
        )

    def _rest(self) -> None:
        """Count the idle time from now."""
        if self._ending:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(self._idle, self._expire)

    def _expire(self) -> None:
        self._ended = asyncio.get_running_loop().create_task(self.close())

    async def _end(self) -> None:
        child, self._child = self._child, None
        if self._ending:
            self._ending.cancel()
            self._ending = None
        if child:
            await stop(child)


def _commit(name: str) -> str:
    """Git's spelling for "the commit this leads to"."""
    return f"{name}^{{commit}}"
