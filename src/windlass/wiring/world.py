"""
The world of one server: its adapters, made from its settings.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from windlass.artifacts.local import LocalArtifacts
from windlass.core.errors import UserError
from windlass.engine.world import Forge, Isolation, Looked, Outlook, World
from windlass.executors.process import SEARCH_PATH, ProcessExecutor, ProcessLimits
from windlass.executors.sandbox import NoSandbox, Sandbox, find
from windlass.forges.github.manifest import exchange, manifest
from windlass.forges.http.client import Http
from windlass.git.mirror import Mirror
from windlass.git.program import Git
from windlass.git.state import StateRepository
from windlass.logs.local import LocalLogs
from windlass.ports.records import Repository, SealedSecret
from windlass.ports.store import Store
from windlass.ports.target import Vault
from windlass.reach import Reach
from windlass.settings.table import Sandboxed, Settings
from windlass.stores.database import integrity
from windlass.stores.under_way import UnderWayFile
from windlass.targets.directory.target import DirectoryTarget
from windlass.vaults.env import EnvVault
from windlass.vaults.local import Keys, LocalVault
from windlass.wiring.detect import detect
from windlass.wiring.forges import forges, looked


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
    forges: Mapping[str, Forge]
    _open: dict[str, Mirror] = field(default_factory=dict)

    def of(self, repository: Repository) -> Mirror:
        """The mirror of this repository; a plain one's path is let in first."""
        key = f"{repository.name}\0{repository.url}"
        if key not in self._open:
            if repository.url.startswith("/"):
                self.git.allow(Path(repository.url))
            folder = repository.name.replace("/", "~")
            forge = self.forges[repository.forge]
            self._open[key] = Mirror(
                self.git,
                self.root / f"{folder}.git",
                forge.clone(repository.url),
                login=partial(forge.source.credential, repository.url),
            )
        return self._open[key]

    async def close(self) -> None:
        """End their readers."""
        for mirror in self._open.values():
            await mirror.close()


@dataclass(frozen=True, slots=True)
class Held:
    """What a world holds open, to be closed at its end."""

    mirrors: Mirrors
    http: Http
    world: World
    under_way: UnderWayFile

    async def close(self) -> None:
        """End readers and connections."""
        await self.mirrors.close()
        await self.world.state.close()
        await self.http.close()
        self.under_way.close()


async def make_world(settings: Settings, store: Store, public_url: str) -> tuple[World, Held]:
    """The world of this server; reads the sealed secrets, starts nothing."""
    data = settings.data
    clock = SystemClock()
    reach = Reach(frozenset(settings.private_hosts))
    git = Git(data / "git", reach=reach)
    logs = LocalLogs(data / "logs")
    sealed = Sealed()
    for one in await store.read(lambda tx: tx.find(SealedSecret)):
        sealed.save(one.name, one.scope, one.sealed)
    local = LocalVault(sealed, Keys.open(data / "keys"))
    vault = Vaults((EnvVault(dict(os.environ)), local))
    http = Http(clock, reach)
    known = forges(settings, http, vault, clock)
    mirrors = Mirrors(git, data / "mirrors", known)
    under_way = UnderWayFile(data / "under-way")
    sandbox, isolation = await asyncio.to_thread(_sandbox, settings)
    world = World(
        store=store,
        clock=clock,
        forges=known,
        mirrors=mirrors,
        state=_state(settings, git),
        executor=ProcessExecutor(data / "jobs", logs, ProcessLimits(sandbox=sandbox)),
        logs=logs,
        artifacts=LocalArtifacts(data / "artifacts"),
        targets={"directory": DirectoryTarget.make(dict(os.environ))},
        vault=vault,
        secrets=Secrets(store, sealed, local),
        data=data,
        public_url=public_url,
        version=version("windlass"),
        outlook=_outlook(data, http, clock, public_url),
        isolation=isolation,
        under_way=under_way,
    )
    return world, Held(mirrors, http, world, under_way)


def _sandbox(settings: Settings) -> tuple[Sandbox | None, Isolation]:
    """Where isolated jobs run. Raises `UserError` where all shall be, and none can."""
    everyone = settings.sandbox is Sandboxed.ALL
    try:
        found = find(SEARCH_PATH, readable=tuple(map(str, settings.sandbox_paths)))
    except NoSandbox as error:
        if everyone:
            raise UserError(
                f"every job shall run in a sandbox, and {error}",
                hint="install bubblewrap, or start with --sandbox strangers",
                code="no-sandbox",
            ) from None
        return None, Isolation(missing=str(error))
    isolation = Isolation(missing="", network=settings.sandbox_network, everyone=everyone)
    return found, isolation


def _outlook(data: Path, http: Http, clock: SystemClock, public_url: str) -> Outlook:
    own = urlsplit(public_url)
    # Our own address may be a private one, and may be asked all the same.
    here = Reach(frozenset({own.hostname or ""}))

    async def look(url: str) -> Looked:
        if not url.startswith(f"{own.scheme}://{own.netloc}/"):
            return await looked(http, url)
        asking = Http(clock, here, within=5.0)
        try:
            return await looked(asking, url)
        finally:
            await asking.close()

    return Outlook(
        detect=partial(detect, http),
        look=look,
        circuits=http.circuits,
        manifest=partial(manifest, public_url, f"windlass-{own.hostname or 'server'}"[:34]),
        exchange=partial(exchange, http),
        unsound=partial(integrity, data / "windlass.db"),
    )


def _state(settings: Settings, git: Git) -> StateRepository:
    """The state repository: in the data folder, or where the operator says."""
    origin = settings.state_repository
    if origin.startswith("/") and Path(origin).exists():
        git.allow(Path(origin))
    return StateRepository(git, origin, settings.data / "state-copy.git")
