"""
Why did, or did not, this happen?

The rows are found here, and the words are of `wording`: page, API, command line and comment
print the same lines. It needs no log and no luck: every verdict was stored when it was given.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from windlass.core.errors import NotFound, WindlassError
from windlass.core.event import Kind
from windlass.engine import wording
from windlass.engine.absence import Absence, Reason
from windlass.engine.absent import Search
from windlass.engine.world import World
from windlass.git.refs import is_sha
from windlass.ports.records import (
    ChatCommand,
    ConfigurationCheck,
    Delivery,
    Repository,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)
from windlass.ports.store import Snapshot, Tx

# Events of a pull request that are looked through for the last that is of itself.
RECENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    What is known of an event, and `lines`, the answer in words.

    Where there is no event, `reason` says why in one word (see `Reason`).
    """

    event: StoredEvent | None
    delivery: Delivery | None
    verdicts: tuple[StoredVerdict, ...]
    runs: tuple[StoredRun, ...]
    lines: tuple[str, ...]
    reason: str = ""


def told(tx: Snapshot, number: int) -> Explanation:
    """Explain one event; `NotFound` when there is none."""
    event = tx.get(StoredEvent, number)
    if event is None:
        raise NotFound(f"there is no event {number}", hint="windlass events list")
    known = wording.Known(
        event=event,
        check=tx.get(ConfigurationCheck, number),
        verdicts=tuple(tx.find(StoredVerdict, event=number)),
        commands=tuple(tx.find(ChatCommand, event=number, order="position")),
        runs=tuple(tx.find(StoredRun, event=number, order="number")),
    )
    return Explanation(
        event=event,
        delivery=tx.get(Delivery, event.delivery),
        verdicts=tuple(known.verdicts),
        runs=tuple(known.runs),
        lines=wording.sentences(known),
    )


async def explain(world: World, number: int) -> Explanation:
    """Explain one event; `NotFound` when there is none."""
    return await world.store.read(lambda tx: told(tx, number))


async def explain_commit(world: World, repository: str, sha: str) -> Explanation:
    """
    Explain a commit: by its newest event, or by why there is none.

    Of its id seven digits are enough, where they are no other commit's, too.
    """
    found = await world.store.read(lambda tx: tx.get(Repository, repository))
    sha = sha.strip().lower()
    if found and found.active and not is_sha(sha):
        sha = await _whole(world, found, sha)

    def work(tx: Tx) -> Explanation | None:
        events = tx.find(StoredEvent, repository=repository, sha=sha, order="-number", limit=1)
        return told(tx, events[0].number) if events else None

    if (known := await world.store.read(work)) is not None:
        return known
    if found is None:
        return _not_connected(repository, f"commit {sha}")
    return _absent(found, f"commit {sha}", await Search(world, found, sha=sha)())


async def explain_pull_request(world: World, repository: str, number: int) -> Explanation:
    """Explain a pull request: by the newest event of itself, or by why there is none."""

    def work(tx: Tx) -> tuple[Repository | None, Explanation | None]:
        events = tx.find(
            StoredEvent,
            repository=repository,
            pull_request=number,
            order="-number",
            limit=RECENT,
        )
        newest = next((one for one in events if one.kind == Kind.PULL_REQUEST), None)
        return tx.get(Repository, repository), told(tx, newest.number) if newest else None

    found, known = await world.store.read(work)
    if known is not None:
        return known
    if found is None:
        return _not_connected(repository, f"pull request {number}")
    absence = await Search(world, found, number=number)()
    return _absent(found, f"pull request {number}", absence)


def _not_connected(name: str, subject: str) -> Explanation:
    stranger = Repository(name=name, forge="", url="URL", endpoint="", default_branch="")
    return _absent(stranger, subject, Absence(Reason.NOT_CONNECTED))


def _absent(repository: Repository, subject: str, found: Absence) -> Explanation:
    lines = wording.absent(repository, subject, found)
    return Explanation(
        event=None, delivery=None, verdicts=(), runs=(), lines=lines, reason=found.reason
    )


async def _whole(world: World, repository: Repository, sha: str) -> str:
    """The whole id of a commit, where its beginning is clear."""
    mirror = world.mirrors.of(repository)
    with suppress(WindlassError):
        await mirror.fetch()
        return await mirror.objects.abbreviated(sha) or sha
    return sha
