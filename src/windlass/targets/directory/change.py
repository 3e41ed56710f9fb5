"""
One change of a place: unpack, switch, start, and go back when it does not work.

The journal is written before anything is, and says `switching` before the link
moves; from there until the end is recorded, whoever looks is told `unknown`.
A journal that an earlier change left behind is kept until this one has ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from windlass.core.errors import Permanent
from windlass.ports.target import Desired
from windlass.targets import command, health
from windlass.targets.directory.folder import Folder, Journal, Phase, Release, State
from windlass.targets.directory.manifest import Entry, hash_file, settle
from windlass.targets.directory.unpack import Quota, unpack

# Releases that are kept beside the one that runs.
KEPT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    What holds for every change.

    `environ` is what commands get beside their own variables; `after_limit` is in
    seconds; `passing` is told the name of every point at which a crash matters.
    """

    environ: Mapping[str, str]
    quota: Quota
    after_limit: float
    passing: Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Change:
    """An apply that is going on; the lock of the folder is held."""

    folder: Folder
    state: State
    desired: Desired
    after: str
    rules: Rules
    prior: Journal | None = None
    name: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)

    def prepare(self) -> None:
        """Unpack the package into a new release and make `current` lead to it."""
        self.prior = self.folder.journal()
        self.state = replace(
            self.state, seen=self.desired.generation, seen_digest=self.desired.digest
        )
        self.folder.save(self.state)
        self.name = self.folder.free_name(self.desired.digest, self.desired.generation)
        cut_off = self.prior is not None and self.prior.phase is not Phase.UNPACKING
        self._note(Phase.SWITCHING if cut_off else Phase.UNPACKING)
        self.rules.passing("journalled")
        try:
            self._unpack()
        except BaseException:
            self._forget_new(keep=self.prior if cut_off else None)
            raise
        self._note(Phase.SWITCHING)
        self.rules.passing("switching")
        self.folder.switch(self.name)
        self.rules.passing("switched")

    def _unpack(self) -> None:
        found = f"sha256:{hash_file(self.desired.package)}"
        if found != self.desired.digest:
            raise Permanent(f"the package is {found}, but {self.desired.digest} was to be deployed")
        self.entries = unpack(
            self.desired.package, self.folder.release(self.name), self.rules.quota
        )
        self.rules.passing("unpacked")
        # The link must never survive a power cut that its release does not; one sync is
        # many times faster than one for each file.
        os.sync()

    async def start(self) -> str:
        """Run `after` and wait for health; empty when it works, else why not."""
        new = self._release()
        if self.after and (why := await self._after(new)):
            return f"after: {why}"
        self.rules.passing("started")
        if self.desired.health and (why := await health.wait(self.desired.health, self.look(new))):
            return f"health: {why}"
        self.rules.passing("healthy")
        return ""

    def stand(self) -> None:
        """Nothing is to be done but to clear away what a change left that was cut off."""
        self.prior = self.folder.journal()
        self._clear(self._leftovers())
        self.folder.close_journal()

    def finish(self) -> None:
        """Record the new release as the one that runs, and clear away what is too old."""
        release = self.folder.release(self.name)
        self.folder.describe(self.name, settle(release, self.entries))
        self.rules.passing("settled")
        self.state = replace(
            self.state,
            running=self.name,
            releases=(*self.state.releases, _to_keep(self._release())),
        )
        self.folder.save(self.state)
        self.rules.passing("recorded")
        self._clear(self._leftovers())
        self.folder.close_journal()
        self.rules.passing("closed")
        self._prune()
        self.rules.passing("pruned")

    async def go_back(self) -> str:
        """Make the old release current and start it again; what came of it, for people."""
        self._note(Phase.RETURNING)
        self.rules.passing("returning")
        old = self.state.release(self.state.running)
        if old and not self.folder.release(old.folder).is_dir():
            old = None
        self.folder.switch(old.folder if old else "")
        self.rules.passing("returned")
        if old and old.after and (why := await self._after(old)):
            return f"going back to {old.digest} failed too: {why}"
        self._forget_new(keep=None)
        return f"{old.digest} runs again" if old else "nothing ran there before"

    def look(self, release: Release) -> health.Run:
        """How a health command of this release is run."""

        async def run(script: str, limit: float) -> str:
            return await self._run(release, script, "health", limit)

        return run

    async def _after(self, release: Release) -> str:
        return await self._run(release, release.after, "after", self.rules.after_limit)

    async def _run(self, release: Release, script: str, log: str, limit: float) -> str:
        return await command.run(
            command.Command(
                script=script,
                folder=self.folder.release(release.folder),
                env=_variables(self.desired.place, release, self.rules.environ),
                log=self.folder.log(log),
                timeout=limit,
            )
        )

    def _release(self) -> Release:
        return Release(
            folder=self.name,
            digest=self.desired.digest,
            generation=self.desired.generation,
            after=self.after,
            env=self.desired.env,
        )

    def _note(self, phase: Phase) -> None:
        self.folder.note(
            Journal(
                phase=phase,
                generation=self.desired.generation,
                digest=self.desired.digest,
                folders=(*self._leftovers(), self.name),
            )
        )

    def _leftovers(self) -> tuple[str, ...]:
        """Folders that earlier changes made and did not come to record."""
        made = self.prior.folders if self.prior else ()
        return tuple(name for name in made if self.state.release(name) is None)

    def _forget_new(self, *, keep: Journal | None) -> None:
        """Undo what this change made; an earlier one's journal stays when it is still unknown."""
        self._clear((self.name,) if keep else (*self._leftovers(), self.name))
        if keep:
            self.folder.note(keep)
        else:
            self.folder.close_journal()

    def _clear(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.folder.discard(name)

    def _prune(self) -> None:
        standing = {self.state.running, self.folder.linked()}
        old = [known for known in self.state.releases[: -KEPT - 1] if known.folder not in standing]
        gone = {known.folder for known in old if self.folder.discard(known.folder)}
        if gone:
            kept = tuple(known for known in self.state.releases if known.folder not in gone)
            self.folder.save(replace(self.state, releases=kept))


def _to_keep(release: Release) -> Release:
    """A release as it is written to disk: with the documented variables and no others."""
    env = {name: value for name, value in release.env.items() if name.startswith("CI_")}
    return replace(release, env=env)


def _variables(place: str, release: Release, environ: Mapping[str, str]) -> dict[str, str]:
    return {
        **{name: environ[name] for name in ("PATH", "HOME") if name in environ},
        **release.env,
        "WINDLASS_PLACE": place,
        "WINDLASS_DIGEST": release.digest,
        "WINDLASS_GENERATION": str(release.generation),
    }
