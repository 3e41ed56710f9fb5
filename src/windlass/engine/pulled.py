"""
The state repository, pulled: what people commit there is a wish like any other.

A commit of ours changes nothing here, for the place knows its content already.
A commit of a person that names another build becomes a deployment behind an
event of its own: it is admitted, waits or is refused by the environment's rules,
and until it is admitted reconciliation goes on aiming at the last one that was.
A person's commit chooses the build; how it gets there stays with the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from windlass.core.errors import UserError
from windlass.engine import desired
from windlass.engine.wishes import Requested, request_deploy
from windlass.engine.world import World
from windlass.git.statecommit import StateCommit
from windlass.ports.records import Build, Place, Repository, StoredRun
from windlass.ports.store import Tx

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Change:
    place: Place
    commit: StateCommit
    digest: str


class Pulled:
    """Looks at the state repository whenever its head has moved."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen = ""

    async def __call__(self) -> int:
        """Turn what people committed since the last look into wishes; returns how many."""
        state = self._world.state
        await state.fetch()
        head = await state.head()
        if head is None or head == self._seen:
            return 0
        count = 0
        for place in await self._world.store.read(lambda tx: tx.find(Place)):
            if (change := await self._change(place, head)) is not None:
                await self._ask(change)
                count += 1
        self._seen = head
        return count

    async def _change(self, place: Place, head: str) -> _Change | None:
        path = f"{place.place}.yaml"
        raw = await self._world.state.read(head, path)
        if raw is None or raw.decode(errors="replace") == place.content:
            return None
        newest = next(iter(await self._world.state.log(path, limit=1)), None)
        if newest is None or "Windlass-Deployment" in dict(newest.trailers):
            return None
        try:
            said = desired.parse(raw.decode(errors="replace"))
        except UserError as error:
            log.warning("unreadable state", action="pull", place=place.place, why=error.message)
            return None
        return _Change(place, newest, said.digest) if said.digest != place.digest else None

    async def _ask(self, change: _Change) -> None:
        place, commit = change.place, change.commit
        now = self._world.clock.now()

        def work(tx: Tx) -> None:
            repository = tx.get(Repository, place.repository)
            builds = tx.find(Build, digest=change.digest, repository=place.repository)
            if repository is None:
                return
            sha = builds[0].commits[-1] if builds else place.sha
            runs = tx.find(StoredRun, repository=repository.name, sha=sha, order="-number", limit=1)
            request_deploy(
                tx,
                Requested(
                    repository=repository,
                    service=place.service,
                    environment=place.environment,
                    sha=sha,
                    branch=runs[0].branch if runs else repository.default_branch,
                    digest=change.digest,
                    by=commit.author.name,
                    why=f"{commit.subject} (state repository, {commit.sha[:12]})",
                    key=f"state:{commit.sha}:{place.place}",
                ),
                now,
            )

        await self._world.store.transaction(work)
