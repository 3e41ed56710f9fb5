"""
Runs, builds and repositories: lists and single ones.
"""

from __future__ import annotations

from windlass.core.errors import NotFound
from windlass.ports.records import Build, Counter, Repository, StoredRun
from windlass.ports.store import Below, Tx, Wanted


def list_runs(
    tx: Tx,
    *,
    repository: str = "",
    state: str = "",
    before: int | None = None,
    limit: int = 50,
) -> tuple[StoredRun, ...]:
    """Runs, newest first; `state` is one state, or several with commas between."""
    where: dict[str, Wanted] = {}
    if repository:
        where["repository"] = repository
    if state:
        where["state"] = tuple(state.split(","))
    if before is not None:
        where["number"] = Below(before)
    return tuple(tx.find(StoredRun, order="-number", limit=limit, **where))


def show_run(tx: Tx, number: int) -> StoredRun:
    """One run; `NotFound` when there is none."""
    found = tx.get(StoredRun, number)
    if found is None:
        raise NotFound(f"there is no run {number}", hint="windlass runs list")
    return found


def list_builds(
    tx: Tx, *, repository: str = "", service: str = "", limit: int = 50
) -> tuple[Build, ...]:
    """Builds, newest first."""
    where: dict[str, Wanted] = {}
    if repository:
        where["repository"] = repository
    if service:
        where["service"] = service
    return tuple(tx.find(Build, order="-created_at", limit=limit, **where))


def show_build(tx: Tx, name: str) -> Build:
    """The build with this identity, or the newest one with this digest."""
    found = tx.get(Build, name)
    if found is not None:
        return found
    same = tx.find(Build, order="-created_at", limit=1, digest=name)
    if not same:
        raise NotFound(f"there is no build {name}", hint="windlass builds list")
    return same[0]


def list_repositories(tx: Tx) -> tuple[Repository, ...]:
    """All repositories, by name."""
    return tuple(tx.find(Repository, order="name"))


def last_number(tx: Tx, counter: str) -> int:
    """The last number given out under this name."""
    found = tx.get(Counter, counter)
    return 0 if found is None else found.value
