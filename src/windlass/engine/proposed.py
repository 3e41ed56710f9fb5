"""
What the configuration of a pull request would do, told on its head.

An effect of its own, after dispatch: many events are judged, and whoever sent the
webhook has had an answer long before. It is done once for each event, one after the
other, and blocks nothing: it succeeds or is neutral, unless the configuration has faults.
"""

from __future__ import annotations

import asyncio

from windlass.core.filters import is_configuration
from windlass.engine import effects
from windlass.engine import situation as situations
from windlass.engine.configurations import Configurations
from windlass.engine.shadow import DAY, DAYS, Replaying, Shadow, details, summary
from windlass.engine.world import World
from windlass.ports.records import (
    ConfigurationCheck,
    PullRequestState,
    Repository,
    StoredEvent,
)
from windlass.ports.store import Tx

# Differences, or faults, that are told one by one.
MOST = 30


class Proposed:
    """Checks the configurations of pull requests."""

    def __init__(self, world: World, configurations: Configurations) -> None:
        self._world = world
        self._configurations = configurations
        self._turn = asyncio.Lock()

    async def __call__(self, event: int, sha: str) -> None:
        """Check the configuration at `sha`, unless it was done or its head has moved on."""
        async with self._turn:
            found = await self._world.store.read(lambda tx: _wanted(tx, event))
            if found is None:
                return
            repository, stored = found
            mirror = self._world.mirrors.of(repository)
            files = await situations.changed(
                repository, stored.event, mirror, tip=stored.configuration
            )
            if any(map(is_configuration, files)):
                said = await self._check(repository, stored, sha)
                await self._world.store.transaction(lambda tx: _store(tx, said))

    async def _check(
        self, repository: Repository, stored: StoredEvent, sha: str
    ) -> ConfigurationCheck:
        loaded = await self._configurations.at(self._world.mirrors.of(repository), sha)
        now = self._world.clock.now()
        if loaded.fault:
            lines = tuple(str(loaded.fault).splitlines())
            return _said(stored, "faulty", lines[0], lines[:MOST], now)
        replaying = Replaying(self._world, self._configurations, repository, loaded.configuration)
        done = await replaying.since(now - DAYS * DAY)
        state = "differs" if done.differs else "same"
        return _said(stored, state, _summary(done), details(done, MOST), now)


def _summary(done: Shadow) -> str:
    return summary(done) + (f" ({done.cut})" if done.cut else "")


def _said(
    stored: StoredEvent, state: str, summary: str, lines: tuple[str, ...], now: float
) -> ConfigurationCheck:
    return ConfigurationCheck(
        event=stored.number,
        repository=stored.repository,
        pull_request=stored.pull_request,
        sha=stored.sha,
        state=state,
        summary=summary,
        lines=lines,
        at=now,
    )


def _wanted(tx: Tx, event: int) -> tuple[Repository, StoredEvent] | None:
    stored = tx.get(StoredEvent, event)
    if stored is None or tx.get(ConfigurationCheck, event) is not None:
        return None
    repository = tx.get(Repository, stored.repository)
    pull = tx.get(PullRequestState, stored.repository, stored.pull_request)
    moved = pull is not None and pull.head_sha not in {"", stored.sha}
    return None if repository is None or moved else (repository, stored)


def _store(tx: Tx, said: ConfigurationCheck) -> None:
    """Keep it, and have it told."""
    if tx.add(said):
        arguments = {"repository": said.repository, "sha": said.sha, "event": str(said.event)}
        effects.wish(tx, "configuration", arguments, said.at)
        effects.comment(tx, said.repository, said.pull_request, said.at, at_once=False)
