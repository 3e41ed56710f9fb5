"""
Shadow: what a configuration would have done of late.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.errors import NotFound, UserError
from windlass.engine.requests.asked import Asked
from windlass.engine.shadow import DAY, DAYS, Replaying, Shadow
from windlass.ports.records import Repository
from windlass.ports.store import Tx


class ShadowRequests(Asked):
    """What may be asked of a configuration that no commit has yet."""

    async def shadow(
        self, files: Mapping[str, bytes], *, repository: str = "", since: float = 0.0
    ) -> Shadow:
        """
        The recorded events since then (UTC seconds; 14 days without) before these files.

        Raises `ConfigError` with every fault of the files. Nothing is written, nothing starts.
        """
        found = await self._world.store.read(lambda tx: one_repository(tx, repository))
        loaded = await self._configurations.of(files)
        if loaded.fault:
            raise loaded.fault
        replaying = Replaying(self._world, self._configurations, found, loaded.configuration)
        return await replaying.since(since or self._now() - DAYS * DAY)


def one_repository(tx: Tx, name: str) -> Repository:
    """The repository of this name, or the only one there is."""
    hint = "windlass repo list shows what is connected"
    if name:
        found = tx.get(Repository, name)
        if found is None:
            raise NotFound(f"there is no repository {name}", hint=hint)
        return found
    every = tx.find(Repository, active=True, limit=2)
    if not every:
        raise NotFound("no repository is connected", hint="windlass repo add URL")
    if len(every) > 1:
        raise UserError("there is more than one repository: say which", hint=hint)
    return every[0]
