"""
What every kind of request shares: the world, and what it looks up first.
"""

from __future__ import annotations

from collections.abc import Callable

from windlass.core.errors import Conflict, NotFound
from windlass.engine.configurations import Configurations
from windlass.engine.ids import Ids
from windlass.engine.world import Forge, World
from windlass.git.failure import scrub
from windlass.git.mirror import Mirror
from windlass.ports.records import Repository, StoredRun
from windlass.ports.store import Tx


class Asked:
    """The ground that requests stand on."""

    def __init__(
        self,
        world: World,
        configurations: Configurations,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called when a repository or one of its secrets has changed."""
        self._world = world
        self._configurations = configurations
        self._changed = changed
        self._ids = Ids(world.clock.now)

    async def _repository(self, name: str) -> Repository:
        found = await self._world.store.read(lambda tx: tx.get(Repository, name))
        if found is None:
            raise unknown(name)
        return found

    async def _connected(self, name: str) -> Repository:
        """The repository; `Conflict` when it is disconnected."""
        found = await self._repository(name)
        if not found.active:
            raise disconnected(found)
        return found

    def _forge(self, repository: Repository) -> Forge:
        return self._world.forges[repository.forge]

    def _now(self) -> float:
        return self._world.clock.now()


async def commit_of(mirror: Mirror, ref: str, kinds: tuple[str, ...] = ("heads", "tags")) -> str:
    """
    The commit that `ref` names: a branch or tag, if it is of these kinds, or by its id.

    An id may be abbreviated. Raises `NotFound`.
    """
    for kind in kinds:
        if (sha := await mirror.objects.resolve(f"refs/{kind}/{ref}")) is not None:
            return sha
    if (sha := await mirror.objects.abbreviated(ref)) is not None:
        return sha
    wanted = "branch, tag" if "heads" in kinds else "tag"
    raise NotFound(
        f"there is no {wanted} or commit {ref}",
        hint="a commit is named by its id, or by so many of its digits that no other fits",
    )


def unknown(name: str) -> NotFound:
    """What is said of a repository that is not there."""
    return NotFound(
        f"there is no repository {name}", hint="windlass repo list shows what is connected"
    )


def disconnected(repository: Repository) -> Conflict:
    """What is said of a repository that was removed, and of which only the record is left."""
    return Conflict(
        f"{repository.name} is disconnected",
        hint=f"windlass repo add {scrub(repository.url)} connects it again",
    )


def reload(tx: Tx, number: int) -> StoredRun:
    """A run as it is now; NotFound when there is none."""
    found = tx.get(StoredRun, number)
    if found is None:
        raise NotFound(f"there is no run {number}", hint="windlass runs list shows the last ones")
    return found
