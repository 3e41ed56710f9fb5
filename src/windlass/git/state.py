"""
The state repository: what each environment should run, as commits.

A commit is made without a work tree, by one git process, and only if the
branch is still where the caller saw it; else Conflict, and the caller fetches,
asks again and retries. A commit carries its deployment's id as a trailer, so
that a retry can find it instead of making a second one.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Self

from windlass.core.errors import Conflict, Permanent, Transient
from windlass.git.failure import failure
from windlass.git.mirror import Mirror
from windlass.git.objects import Objects
from windlass.git.program import Git
from windlass.git.refs import check_ref, check_sha
from windlass.git.statecommit import Signature, StateCommit, check_trailer, parse_log, script
from windlass.ports.forge import Login

# How far back a deployment is looked for: far more commits than one retry can lie behind.
RECENT = 2000

_DURABLE = {"core.fsync": "all", "fastimport.unpackLimit": "0", "core.logAllRefUpdates": "false"}
_MOVED = re.compile(r"Not updating|but expected|reference already exists")
_REJECTED = re.compile(
    r"\[(?:remote )?rejected\][^\n]*\((?:stale info|fetch first|non-fast-forward"
    r"|cannot lock ref|failed to update ref|reference already exists)"
)
_LOCKED = re.compile(r"\.lock': File exists")
_STALE_AFTER = 60.0
_MOST_PACKS = 40


class StateRepository:
    """
    Desired state in a local bare repository (made when absent) or behind a URL.

    `work` is a folder of ours for the copy of one behind a URL.
    """

    def __init__(
        self,
        git: Git,
        origin: str | Path,
        work: Path,
        *,
        branch: str = "main",
        login: Callable[[], Awaitable[Login | None]] | None = None,
    ) -> None:
        """Nothing is touched before the first question."""
        self._git = git
        self._ref = f"refs/heads/{check_ref(branch)}"
        self._turn = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._open = False
        local = str(origin).removeprefix("file://")
        self._mirror = (
            None
            if local.startswith("/")
            else Mirror(git, work, str(origin), lock=self._turn, login=login)
        )
        self._path = work if self._mirror else Path(local)
        self.objects = self._mirror.objects if self._mirror else Objects(git, self._path)

    async def __aenter__(self) -> Self:
        """Nothing is started before the first question."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """End the reading child."""
        await (self._mirror or self.objects).close()

    async def fetch(self) -> None:
        """Learn what others have written; a local repository always knows."""
        await self._ready()
        if self._mirror:
            await self._mirror.fetch()

    async def head(self) -> str | None:
        """The newest commit that is known here; None before the first."""
        await self._ready()
        return await self.objects.resolve(self._ref)

    async def read(self, sha: str, path: str) -> bytes | None:
        """A file at a commit."""
        await self._ready()
        return await self.objects.read(sha, path)

    async def commit(
        self,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        trailers: Mapping[str, str],
        expect: str | None,
        author: Signature,
    ) -> str:
        """
        Put these files (None removes one) on top of `expect`, durably; the new commit.

        Conflict when the branch is no longer at `expect` (None: when there is one).
        """
        await self._ready()
        if expect is not None and not await self.objects.has(check_sha(expect)):
            raise self._moved()
        ref = f"refs/windlass/next/{uuid.uuid4().hex}" if self._mirror else self._ref
        text = f"{message.strip()}\n"
        if trailers:
            text += "\n" + "".join(
                f"{key}: {check_trailer(key, v)}\n" for key, v in trailers.items()
            )
        async with self._turn:
            sha = await self._write(script(ref, changes, text, parent=expect, author=author))
            if self._mirror:
                await self._push(self._mirror, sha, ref, expect)
            await self._tidy_when_due()
        return sha

    async def find(self, trailer: str, value: str) -> str | None:
        """The newest recent commit with this trailer."""
        check_trailer(trailer, value)
        if await self.head() is None:
            return None
        raw = await self._git.run(
            *("log", f"--max-count={RECENT}", "--first-parent"),
            f"--format=%H%x00%(trailers:key={trailer},valueonly=true,unfold=true,separator=%x00)",
            *("--end-of-options", self._ref, "--"),
            at=self._path,
        )
        for line in raw.decode("utf-8", "replace").split("\n"):
            sha, *values = line.split("\0")
            if value in values:
                return sha
        return None

    async def log(self, path: str | None = None, limit: int = 50) -> tuple[StateCommit, ...]:
        """The newest commits, or the newest that changed `path`."""
        if await self.head() is None:
            return ()
        raw = await self._git.run(
            *("log", "-z", f"--max-count={int(limit)}", StateCommit.FORMAT),
            *("--end-of-options", self._ref, "--", *((path,) if path else ())),
            at=self._path,
            env={"GIT_LITERAL_PATHSPECS": "1"},
        )
        return parse_log(raw)

    async def _ready(self) -> None:
        async with self._opening:
            if self._open:
                return
            await (self._mirror.fetch() if self._mirror else self._make())
            self._open = True

    async def _make(self) -> None:
        """Make the local repository when there is nothing yet, and let git use it."""
        empty = not self._path.exists() or (self._path.is_dir() and not any(self._path.iterdir()))
        if empty:
            branch = self._ref.removeprefix("refs/heads/")
            await self._git.run(
                *("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}"),
                *("--", str(self._path)),
                config=_DURABLE,
            )
        self._path = self._git.allow(self._path)

    async def _write(self, commands: bytes) -> str:
        answer = await self._git.ask(
            "fast-import", "--quiet", "--done", at=self._path, stdin=commands, config=_DURABLE
        )
        if answer.code == 0:
            return answer.out.decode().strip()
        if _LOCKED.search(answer.err):
            await asyncio.to_thread(self._sweep)
            raise Transient(f"the branch {self._ref} is locked by another git", retry_after=1.0)
        if _MOVED.search(answer.err):
            raise self._moved()
        raise failure("fast-import", answer.err, answer.code)

    async def _push(self, mirror: Mirror, sha: str, ref: str, expect: str | None) -> None:
        origin = await mirror.reached()
        answer = await self._git.ask(
            *("push", "--quiet", "--no-verify", f"--force-with-lease={self._ref}:{expect or ''}"),
            *("--end-of-options", origin.address, f"{sha}:{self._ref}"),
            at=self._path,
            env=origin.env,
            config=origin.config,
        )
        moves = f"delete {ref}\n" if answer.code else f"update {self._ref} {sha}\ndelete {ref}\n"
        await self._git.run(
            "update-ref", "--stdin", at=self._path, stdin=moves.encode(), config=_DURABLE
        )
        if answer.code and _REJECTED.search(answer.err):
            raise self._moved()
        if answer.code:
            raise failure("push", answer.err, answer.code)

    async def _tidy_when_due(self) -> None:
        packs = self._path / "objects" / "pack"
        if not self._mirror and sum(one.suffix == ".pack" for one in packs.iterdir()) > _MOST_PACKS:
            try:
                await self._git.run(
                    "repack", "--geometric=2", "-d", "-q", at=self._path, config=_DURABLE
                )
            except (Transient, Permanent):
                return  # The commit stands; the next one tidies.

    def _sweep(self) -> None:
        """Remove a lock that a git which was killed has left; a living one holds it briefly."""
        lock = self._path / f"{self._ref}.lock"
        try:
            if time.time() - lock.stat().st_mtime > _STALE_AFTER:
                lock.unlink()
        except OSError:
            return

    def _moved(self) -> Conflict:
        return Conflict(
            "the state repository has moved on",
            hint="fetch it, ask again and retry",
            code="state-moved",
        )
