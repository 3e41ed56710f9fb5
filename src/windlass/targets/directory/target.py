"""
The directory target itself: `apply`, `observe`, `remove`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from windlass.core.errors import Conflict, Permanent, Transient, UserError
from windlass.ports.target import Desired, Observed
from windlass.targets import health
from windlass.targets.directory.change import Change, Rules
from windlass.targets.directory.folder import Folder, Journal, Phase, Release, State
from windlass.targets.directory.manifest import differences
from windlass.targets.directory.unpack import Quota

T = TypeVar("T")

OPTIONS = frozenset({"path", "after"})
SHOWN = 5

# Failures of a disk or a kernel that may pass.
PASSING = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.EAGAIN,
        errno.EBUSY,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ESTALE,
    }
)


@dataclass(frozen=True, slots=True)
class DirectoryTarget:
    """Releases in a folder, and a link `current` to the one that runs."""

    rules: Rules

    @classmethod
    def make(
        cls,
        environ: Mapping[str, str],
        *,
        quota: Quota | None = None,
        after_limit: float = 600.0,
        passing: Callable[[str], None] = lambda _: None,
    ) -> DirectoryTarget:
        """
        A target whose commands get `PATH` and `HOME` of `environ`.

        `after_limit` is how long `after` may run, in seconds. `passing` is for
        crash tests: it is told of every point at which a crash matters.
        """
        return cls(
            Rules(environ=environ, quota=quota or Quota(), after_limit=after_limit, passing=passing)
        )

    async def apply(self, desired: Desired) -> str:
        """
        Unpack, switch, run `after`, wait for health; the release folder when all is well.

        Raises `Conflict` for a folder that is not ours or a generation that is too
        low, `Transient` while another apply goes on, and `Permanent` with the tail of
        the output when it does not work; then the old release runs again.
        """
        with _plain_errors(desired):
            change = self._change(desired)
            with change.folder.locked(desired.place):
                change.state = await _in_thread(lambda: change.folder.claim(desired.place))
                _refuse_older(change.state, desired)
                if await self._stands(change):
                    return str(change.folder.release(change.state.running))
                await _in_thread(change.prepare)
                if why := await change.start():
                    raise Permanent(f"{desired.place}: {why}\n{await change.go_back()}")
                await _in_thread(change.finish)
            return str(change.folder.release(change.name))

    async def observe(self, desired: Desired) -> Observed:
        """What `current` leads to, whether it is as it was unpacked, and whether it works."""
        with _plain_errors(desired):
            change = self._change(desired)
            seen, release = await _in_thread(lambda: _look(change.folder, desired.place))
            if desired.health is None or release is None:
                return seen
            why = await health.check(desired.health, change.look(release))
            detail = "; ".join(filter(None, (seen.detail, why)))
            return replace(seen, healthy=not why, detail=detail)

    async def remove(self, desired: Desired) -> None:
        """Take `current` and all releases away; files of others stay, and the folder with them."""
        with _plain_errors(desired):
            folder = self._change(desired).folder
            if folder.state(desired.place) is None:
                return
            with folder.locked(desired.place):
                await _in_thread(lambda: _remove(folder, desired, self.rules.passing))

    async def _stands(self, change: Change) -> bool:
        """Whether what shall run already does, untouched and healthy."""
        desired, folder = change.desired, change.folder
        seen, release = await _in_thread(lambda: _look(folder, desired.place))
        if release is None or seen.unknown or not seen.intact:
            return False
        if (release.digest, release.generation) != (desired.digest, desired.generation):
            return False
        if desired.health and await health.check(desired.health, change.look(release)):
            return False
        await _in_thread(change.stand)
        return True

    def _change(self, desired: Desired) -> Change:
        options = desired.spec.options
        if unknown := sorted(options.keys() - OPTIONS):
            raise UserError(
                f"the directory target knows no option {', '.join(unknown)}",
                hint="it has `path` and `after`",
            )
        path = Path(options.get("path", ""))
        if not path.is_absolute() or ".." in path.parts or path == Path("/"):
            raise UserError(
                f"the directory target cannot use the path {str(path)!r}",
                hint="give `path` as an absolute path without `..`",
            )
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", desired.digest):
            raise Permanent(f"{desired.digest!r} is no digest of a package")
        return Change(
            folder=Folder(path),
            state=State(place=desired.place),
            desired=desired,
            after=options.get("after", ""),
            rules=self.rules,
        )


def _refuse_older(state: State, desired: Desired) -> None:
    if desired.generation < state.seen:
        raise Conflict(
            f"{desired.place} has seen generation {state.seen}, so generation "
            f"{desired.generation} is too old to be deployed"
        )
    if desired.generation == state.seen and desired.digest != state.seen_digest:
        raise Conflict(
            f"generation {state.seen} of {desired.place} is {state.seen_digest}, "
            f"not {desired.digest}"
        )


def _look(folder: Folder, place: str) -> tuple[Observed, Release | None]:
    """What stands there, and the release that `current` leads to; nothing is locked."""
    for _ in range(3):
        before = folder.state(place), folder.journal(), folder.linked()
        seen = _compare(folder, *before)
        if before == (folder.state(place), folder.journal(), folder.linked()):
            return seen
    raise Transient(f"{folder.path} is being changed", retry_after=5.0)


def _compare(
    folder: Folder, state: State | None, journal: Journal | None, linked: str
) -> tuple[Observed, Release | None]:
    if state is None:
        return Observed(detail=f"nothing was deployed to {folder.path}"), None
    running = state.release(state.running)
    if journal and journal.phase is not Phase.UNPACKING and journal.folders[-1] != state.running:
        detail = f"the deployment of {journal.digest} (generation {journal.generation}) has no end"
        return _observed(running, intact=True, unknown=True, detail=detail), running
    release = state.release(linked)
    if release is None or not folder.release(linked).is_dir():
        detail = f"{folder.current} leads to no release"
        return Observed(intact=running is None, detail=detail), None
    if linked != state.running:
        detail = f"{folder.current} was moved from {state.running} to {linked}"
        return _observed(release, intact=False, detail=detail), release
    manifest = folder.manifest(linked)
    if manifest is None:
        detail = f"the manifest of {linked} is missing"
        return _observed(release, intact=False, detail=detail), release
    found = list(islice(differences(folder.release(linked), manifest), SHOWN + 1))
    detail = ", ".join(found[:SHOWN]) + (" ..." if len(found) > SHOWN else "")
    return _observed(release, intact=not found, detail=detail), release


def _observed(
    release: Release | None, *, intact: bool, detail: str, unknown: bool = False
) -> Observed:
    return Observed(
        digest=release.digest if release else "",
        generation=release.generation if release else 0,
        intact=intact,
        unknown=unknown,
        detail=detail,
    )


def _remove(folder: Folder, desired: Desired, passing: Callable[[str], None]) -> None:
    state = folder.claim(desired.place)
    if desired.generation < state.seen:
        raise Conflict(
            f"{desired.place} has seen generation {state.seen}, so generation "
            f"{desired.generation} is too old to remove it"
        )
    folder.switch("")
    passing("unlinked")
    journal = folder.journal()
    names = {known.folder for known in state.releases} | set(journal.folders if journal else ())
    left = [name for name in sorted(names) if not folder.discard(name)]
    if left:
        raise Permanent(f"{folder.release(left[0])} cannot be removed")
    passing("emptied")
    folder.leave(passing)


async def _in_thread(work: Callable[[], T]) -> T:
    """
    Blocking work, away from the loop.

    When the wait is cancelled the work still comes to its end first: the lock must
    not be given back while something writes.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


@contextmanager
def _plain_errors(desired: Desired) -> Iterator[None]:
    """No error of the operating system leaves as such."""
    try:
        yield
    except OSError as error:
        what = f"{desired.place}: {error.strerror or error}"
        text = f"{what} ({os.fsdecode(error.filename)})" if error.filename else what
        raise (Transient if error.errno in PASSING else Permanent)(text) from error
