"""
The world of one server: its adapters, made from its settings.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from windlass.artifacts.local import LocalArtifacts
from windlass.engine.world import Forge, World
from windlass.executors.process import ProcessExecutor
from windlass.forges.by_hand import ByHand
from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.plain.forge import PlainForge
from windlass.git.mirror import Mirror
from windlass.git.program import Git
from windlass.git.state import StateRepository
from windlass.logs.local import LocalLogs
from windlass.ports.records import Repository, SealedSecret
from windlass.ports.store import Store
from windlass.ports.target import Vault
from windlass.settings.table import Settings
from windlass.targets.directory.target import DirectoryTarget
from windlass.vaults.env import EnvVault
from windlass.vaults.local import Keys, LocalVault

PLAIN = "plain"


class SystemClock:
    """Real time."""

    def now(self) -> float:
        """UTC seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Sealed:
    """Sealed values in memory; they are few, and `Secrets` writes each to the store as well."""

    values: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def load(self, name: str, scope: str) -> bytes | None:
        """The sealed value, None when there is none."""
        return self.values.get((scope, name))

    def save(self, name: str, scope: str, sealed: bytes) -> None:
        """Keep a sealed value in place of the one before."""
        self.values[scope, name] = sealed


@dataclass(frozen=True, slots=True)
class Secrets:
    """Seals new values, and stores them."""

    store: Store
    sealed: Sealed
    vault: LocalVault

    async def put(self, name: str, scope: str, value: bytes) -> None:
        """Seal and store a value; it can be read when this returns."""
        self.vault.put(name, scope, value)
        record = SealedSecret(
            scope=scope, name=name, sealed=self.sealed.values[scope, name], created_at=time.time()
        )
        await self.store.transaction(lambda tx: tx.save(record))


@dataclass(frozen=True, slots=True)
class Vaults:
    """Asks one vault after the other: the environment's values win."""

    vaults: tuple[Vault, ...]

    def get(self, name: str, scope: str) -> bytes | None:
        """The first vault's answer."""
        answers = (vault.get(name, scope) for vault in self.vaults)
        return next((value for value in answers if value is not None), None)


@dataclass(slots=True)
class Mirrors:
    """One mirror per repository, kept open."""

    git: Git
    root: Path
    _open: dict[str, Mirror] = field(default_factory=dict)

    def of(self, repository: Repository) -> Mirror:
        """The mirror of this repository; a plain one's path is let in first."""
        key = f"{repository.name}\0{repository.url}"
        if key not in self._open:
            if repository.forge == PLAIN:
                self.git.allow(Path(repository.url))
            folder = repository.name.replace("/", "~")
            self._open[key] = Mirror(self.git, self.root / f"{folder}.git", repository.url)
        return self._open[key]

    async def close(self) -> None:
        """End their readers."""
        for mirror in self._open.values():
            await mirror.close()


async def make_world(settings: Settings, store: Store, public_url: str) -> tuple[World, Mirrors]:
    """The world of this server; reads the sealed secrets, starts nothing."""
    data = settings.data
    git = Git(data / "git")
    mirrors = Mirrors(git, data / "mirrors")
    logs = LocalLogs(data / "logs")
    sealed = Sealed()
    for one in await store.read(lambda tx: tx.find(SealedSecret)):
        sealed.save(one.name, one.scope, one.sealed)
    vault = LocalVault(sealed, Keys.open(data / "keys"))
    world = World(
        store=store,
        clock=SystemClock(),
        forges=_forges(settings),
        mirrors=mirrors,
        state=_state(settings, git),
        executor=ProcessExecutor(data / "jobs", logs),
        logs=logs,
        artifacts=LocalArtifacts(data / "artifacts"),
        targets={"directory": DirectoryTarget.make(dict(os.environ))},
        vault=Vaults((EnvVault(dict(os.environ)), vault)),
        secrets=Secrets(store, sealed, vault),
        data=data,
        public_url=public_url,
        version=version("windlass"),
    )
    return world, mirrors


def _forges(settings: Settings) -> dict[str, Forge]:
    plain = PlainForge(str(settings.hook_python))
    github = ByHand("GitHub")
    return {
        PLAIN: Forge(
            dialect=PlainDialect(),
            webhooks=plain,
            reports=plain,
            source=plain,
            pull_requests=plain,
        ),
        "github": Forge(dialect=GitHubDialect(), webhooks=github, reports=github, source=github),
    }


def _state(settings: Settings, git: Git) -> StateRepository:
    """The state repository: in the data folder, or where the operator says."""
    origin = settings.state_repository
    if origin.startswith("/") and Path(origin).exists():
        git.allow(Path(origin))
    return StateRepository(git, origin, settings.data / "state-copy.git")
