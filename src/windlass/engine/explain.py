"""
Why did, or did not, this happen?

The rows are found here, and the words are of `wording`: page, API, command line and comment
print the same lines. It needs no log and no luck: every verdict was stored when it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

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

# Events of a commit or a pull request that are looked through.
RECENT = 200
# What people mean by what happened to a commit.
_MAIN = (Kind.PUSH, Kind.PULL_REQUEST, Kind.TAG)


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
    Explain a commit: by the event that says most of it, or by why there is none.

    Of its id seven digits are enough, where they are no other commit's, too; UserError when
    it is no id. A commit that was made for the test of a pull request is explained by that.
    """
    sha = wording.commit_id(sha)
    found = await world.store.read(lambda tx: tx.get(Repository, repository))
    if found and found.active and not is_sha(sha):
        sha = await _whole(world, found, sha)

    def work(tx: Tx) -> Explanation | None:
        if events := _of_commit(tx, repository, sha):
            return _first(tx, "commit", events)
        runs = tx.find(StoredRun, repository=repository, sha=sha, order="-number", limit=1)
        return _tested(tx, runs[0]) if runs else None

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
        own = [one for one in events if one.kind == Kind.PULL_REQUEST]
        # What repeats another event is not the last that happened.
        own.sort(key=lambda one: one.origin > 0)
        known = _first(tx, "pull request", own) if own else None
        return tx.get(Repository, repository), known

    found, known = await world.store.read(work)
    if known is not None:
        return known
    if found is None:
        return _not_connected(repository, f"pull request {number}")
    absence = await Search(world, found, number=number)()
    return _absent(found, f"pull request {number}", absence)


def _of_commit(tx: Snapshot, repository: str, sha: str) -> Sequence[StoredEvent]:
    """Events about a commit; what says most comes first, and of the same worth the newest."""
    # From both ends: a schedule may have told of it any number of times since it was pushed.
    found = {
        one.number: one
        for order in ("-number", "number")
        for one in tx.find(StoredEvent, repository=repository, sha=sha, order=order, limit=RECENT)
    }
    if not found:
        return ()
    started = {one.event for one in tx.find(StoredRun, event=tuple(found))}

    def worth(one: StoredEvent) -> tuple[bool, bool, bool, bool, int]:
        aside = one.origin > 0 or one.kind == Kind.MANUAL
        none = one.number not in started
        created = none and one.kind == Kind.BRANCH
        return aside, none, created, one.kind not in _MAIN, -one.number

    return sorted(found.values(), key=worth)


def _first(tx: Snapshot, about: str, events: Sequence[StoredEvent]) -> Explanation:
    """The first event explained, and the others named."""
    known = told(tx, events[0].number)
    return replace(known, lines=(*known.lines, *wording.also(about, events[1:])))


def _tested(tx: Snapshot, run: StoredRun) -> Explanation:
    """The event of a run whose commit no event is about."""
    known = told(tx, run.event)
    made = run.sha != run.status_sha and run.run.event.base
    return replace(known, lines=(wording.merged(run), *known.lines)) if made else known


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
    with suppress(WindlassError):
        return await mirror.objects.abbreviated(sha) or sha
    return sha
