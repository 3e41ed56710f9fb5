"""
A bare copy of one repository, kept close to its origin.

Everything that Windlass reads of a repository is read here, and workspaces
borrow its objects. Objects are checked as they arrive and none is ever thrown
away: workspaces and merges hang on commits that no branch has any more. Fetches
take turns, and callers who come meanwhile share the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from windlass.core.errors import AdapterError, NotFound, Permanent, Transient
from windlass.git.checkout import template_refs, write_template
from windlass.git.coalesce import Coalesced
from windlass.git.configuration import config_files
from windlass.git.history import History
from windlass.git.local import copy_new, list_refs
from windlass.git.objects import Objects
from windlass.git.program import Git
from windlass.git.refs import check_ref, is_sha
from windlass.git.remote import Remote, remote
from windlass.ports.forge import Login

# Seconds: a cold clone of a large repository takes its time; a fetch of one commit does not.
CLONE_WITHIN = 1800.0
FETCH_WITHIN = 300.0

# Each fetch leaves a pack; reads slow down with their number.
MOST_PACKS = 40

EVERYTHING = frozenset({"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"})

_FETCH = ("--quiet", "--no-auto-maintenance", "--no-write-fetch-head", "--no-tags")

# A workspace knows this path as its origin: nothing may be pushed here.
_OWN = ("receive.hideRefs=refs/", "receive.denyDeletes=true", "core.logAllRefUpdates=false")

# Branches and tags, one or all: what the short way keeps alike.
_ORDINARY = re.compile(r"\+refs/(?:heads|tags)/").match

_GONE = re.compile(r"couldn't find remote ref (\S+)|(?:not our ref|unadvertised object) (\w+)")
_IN_THE_WAY = re.compile(r"cannot lock ref|could not be updated")
_DAMAGED = re.compile(
    r"mismatched algorithms|object file \S+ is empty|loose object \S+ .*is corrupt"
    r"|packfile \S+ .*(?:corrupt|mismatch|truncated)|fatal: bad object|not a git repository"
    r"|unable to read (?:tree|sha1 file)|inflate: data stream error"
)


class Mirror(History):
    """
    One repository's mirror at `path`, of `url` (a URL or a registered local path).

    `login` is asked before each call outside, because tokens are short-lived.
    """

    def __init__(
        self,
        git: Git,
        path: Path,
        url: str,
        *,
        lock: asyncio.Lock | None = None,
        login: Callable[[], Awaitable[Login | None]] | None = None,
    ) -> None:
        """Hand in the same `lock` wherever two objects may share one `path`."""
        super().__init__(git, path, Objects(git, path))
        self._url = url
        self._lock = lock or asyncio.Lock()
        self._login = login
        self._turns = Coalesced(self._fetch, self._tidy_when_due)
        self._swept = False

    async def __aenter__(self) -> Self:
        """Nothing is fetched before the first `fetch`."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Stop what is under way and end the reading child."""
        await self._turns.close()
        await self.objects.close()

    async def fetch(self, *wanted: str | tuple[str, str]) -> None:
        """
        Bring branches and tags up to date, or only the named refs and commits.

        A name without `refs/` is a branch; of a pair the second is the name it has here.
        NotFound when the origin has it no more.
        """
        self.remote()
        await self._turns(frozenset(map(_refspec, wanted)) or EVERYTHING)

    async def default(self) -> str:
        """The branch that the origin's HEAD named when the mirror was made."""
        head = (self.path / "HEAD").read_text(encoding="utf-8").strip()
        return head.removeprefix("ref: refs/heads/")

    async def heads(self) -> dict[str, str]:
        """Every branch and its commit, as of the last fetch."""
        pairs = template_refs(self.path).items()
        start = "refs/heads/"
        return {name.removeprefix(start): sha for name, sha in pairs if name.startswith(start)}

    async def config_files(self, sha: str) -> dict[str, bytes]:
        """The configuration files at a commit, by path."""
        return await config_files(self.objects, sha)

    async def tidy(self) -> None:
        """Join small packs and loose refs, so that reads stay fast; nothing is thrown away."""
        async with self._lock:
            await self.git.run("pack-refs", "--all", at=self.path)
            await self.git.run(
                "repack", "--geometric=2", "-d", "-q", at=self.path, within=CLONE_WITHIN
            )

    def remote(self, login: Login | None = None) -> Remote:
        """Where this mirror's origin is; UserError when it may not be used."""
        return remote(self.git, self._url, login)

    async def reached(self) -> Remote:
        """The same with the login that holds now."""
        found = self.remote(await self._login() if self._login else None)
        return await found.pinned(self.git.reach)

    async def _fetch(self, wanted: frozenset[str]) -> None:
        origin = await self.reached()
        async with self._lock:
            try:
                await self._update(origin, wanted)
            except OSError as error:
                raise Transient(f"the mirror {self.path.name}: {error.strerror}") from None
            except AdapterError as error:
                self._swept = False
                if gone := _GONE.search(str(error)):
                    raise NotFound(
                        f"the repository has no {gone[1] or gone[2]}",
                        hint="it may have been deleted or rewritten meanwhile",
                        code="git-ref-gone",
                    ) from None
                if not _DAMAGED.search(str(error)):
                    raise
                # A mirror is a copy: a damaged one is made again.
                await self._clone(origin)
                await self._update(origin, wanted)

    async def _update(self, origin: Remote, wanted: frozenset[str]) -> None:
        if not (self.path / "HEAD").is_file():
            await self._clone(origin)
            await self._publish(origin)
            wanted -= EVERYTHING
        elif not self._swept:
            await asyncio.to_thread(_sweep, self.path)
        self._swept = True
        if wanted and not await self._copied(origin, wanted):
            await self._fetched(origin, wanted)

    async def _copied(self, origin: Remote, wanted: frozenset[str]) -> bool:
        """Whether the short way from a repository on this disk was enough."""
        if origin.protocol != "file" or not all(map(_ORDINARY, wanted)):
            return False
        known = template_refs(self.path)
        refs = await copy_new(self.git, Path(origin.address), self.path, known)
        if refs is None:
            return False
        if refs != known:
            await asyncio.to_thread(write_template, self.path, origin.address, refs)
        names = {spec.partition(":")[2] for spec in wanted - EVERYTHING}
        return names <= refs.keys()

    async def _fetched(self, origin: Remote, wanted: frozenset[str]) -> None:
        try:
            await self._pull(origin, wanted)
        except Permanent as error:
            # A branch `a` that has become `a/b`: only a whole fetch prunes first.
            if wanted >= EVERYTHING or not _IN_THE_WAY.search(str(error)):
                raise
            await self._pull(origin, wanted | EVERYTHING)
        await self._publish(origin)

    async def _publish(self, origin: Remote) -> None:
        """Write down the refs for `heads` and for the next checkouts."""
        refs = await list_refs(self.git, self.path)
        await asyncio.to_thread(write_template, self.path, origin.address, refs)

    async def _pull(self, origin: Remote, wanted: frozenset[str]) -> None:
        await self.git.run(
            "fetch",
            *_FETCH,
            # Together they would refuse a branch `a/b` where `a` was.
            "--prune" if wanted >= EVERYTHING else "--atomic",
            "--end-of-options",
            origin.address,
            *sorted(wanted),
            at=self.path,
            env=origin.env,
            config=origin.config,
            within=FETCH_WITHIN,
        )

    async def _clone(self, origin: Remote) -> None:
        """Make the mirror beside its place and move it there, so that it is whole or absent."""
        await self.objects.close()
        part = self.path.with_name(self.path.name + ".part")
        await asyncio.to_thread(_remove, part)
        await asyncio.to_thread(self.path.parent.mkdir, parents=True, exist_ok=True)
        own = [word for setting in _OWN for word in ("--config", setting)]
        await self.git.run(
            *("clone", "--bare", "--no-local", "--quiet", "--template=", *own),
            *("--end-of-options", origin.address, str(part)),
            env=origin.env,
            config=origin.config,
            within=CLONE_WITHIN,
        )
        await asyncio.to_thread(_remove, self.path)
        part.rename(self.path)

    async def _tidy_when_due(self) -> None:
        # It is only tidying: what cannot be done now is done after another fetch.
        with contextlib.suppress(AdapterError, OSError):
            packs = self.path / "objects" / "pack"
            if sum(name.suffix == ".pack" for name in packs.iterdir()) > MOST_PACKS:
                await self.tidy()


def _refspec(wanted: str | tuple[str, str]) -> str:
    if isinstance(wanted, tuple):
        return f"+{_full(wanted[0])}:{_full(wanted[1])}"
    if is_sha(wanted):
        # Named, so that the next fetch need not ask for its history again.
        return f"+{wanted}:refs/windlass/commit/{wanted}"
    return f"+{_full(wanted)}:{_full(wanted)}"


def _full(name: str) -> str:
    return check_ref(name) if name.startswith("refs/") else f"refs/heads/{check_ref(name)}"


def _sweep(path: Path) -> None:
    """Remove what a git that was killed has left: locks would stop every later fetch."""
    for folder in (path, path / "refs"):
        deep = "**/*.lock" if folder.name == "refs" else "*.lock"
        for lock in folder.glob(deep):
            lock.unlink(missing_ok=True)
    for part in (path / "objects" / "pack").glob("tmp_*"):
        part.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
