"""
Deliveries that never came, found by asking.

First the forge is asked for what it holds and may not have sent; that is taken
in like the webhook itself, under the same key, so that it can come twice and
count once. Then heads are compared with those that events told us of, and what
differs becomes an event of our own, marked `recovered`. So it is with the reviews of
pull requests: of each that is open, and of one that was merged before its merge is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from windlass.core.errors import BadDelivery, Permanent, Transient, UserError
from windlass.core.event import ZERO, Event, Kind
from windlass.engine import found as events
from windlass.engine.hooks import hook_of, secrets_of
from windlass.engine.ids import Ids
from windlass.engine.receive import Arrival, Receive
from windlass.engine.reviews import Reviews, waiting
from windlass.engine.world import Forge, World
from windlass.ports.forge import PullRequest, PullState
from windlass.ports.records import Delivery, Head, PullRequestState, Repository
from windlass.ports.store import Tx

log = structlog.get_logger()

GRACE = 3.0  # seconds
# Open pull requests whose reviews are asked for in one look, and for how long an answer does
# (seconds): each is a question or two, and forges count them.
ASKED = 50
FRESH = 290.0


class Recovery:
    """Finds what was missed."""

    def __init__(self, world: World, receive: Receive, ids: Ids) -> None:
        self._world = world
        self._receive = receive
        self._ids = ids
        self._reviews = Reviews(world, ids)
        # Repository -> number of an open pull request -> when its reviews were asked for.
        self._asked: dict[str, dict[int, float]] = {}

    async def __call__(self, repository: Repository, since: float = 0.0) -> int:
        """
        Take in what this repository's forge did not get through; returns how many.

        `since` (UTC seconds) is how far back the forge's own log is looked through.
        """
        forge = self._world.forges[repository.forge]
        count = await self._spooled(repository, forge, since)
        told = await self._told(repository.name)
        found = await forge.source.heads(repository.url)
        if count == 0:
            # A webhook that is on its way has time to arrive before it counts as missed.
            await self._world.clock.sleep(GRACE)
        count += await self._heads(repository, told, found)
        return count + await self._open(repository, found)

    async def _spooled(self, repository: Repository, forge: Forge, since: float) -> int:
        """What the forge holds itself, by its own ids."""
        count = 0
        for request in await forge.webhooks.missed(
            repository.url, hook_of(self._world, repository), since
        ):
            try:
                now = self._world.clock.now()
                secrets = secrets_of(self._world.vault, repository, now)
                verified = forge.dialect.verify(request, secrets)
            except BadDelivery as error:
                log.warning("a kept delivery is not trusted", action="recover", why=str(error))
                continue
            if await self._known(repository, verified.delivery_key):
                continue
            await self._receive(
                Arrival(
                    endpoint=repository.endpoint,
                    repository=repository.name,
                    key=verified.delivery_key,
                    headers=request.headers,
                    body=request.body,
                    digest=hashlib.sha256(request.body).hexdigest(),
                    at=self._world.clock.now(),
                )
            )
            count += 1
        return count

    async def _known(self, repository: Repository, key: str) -> bool:
        found = await self._world.store.read(
            lambda tx: tx.find(Delivery, endpoint=repository.endpoint, delivery_key=key, limit=1)
        )
        return bool(found)

    async def _told(self, name: str) -> Mapping[str, str]:
        """Heads that events told us of."""

        def work(tx: Tx) -> Mapping[str, str]:
            heads = {head.ref: head.sha for head in tx.find(Head, repository=name) if head.sha}
            pulls = tx.find(PullRequestState, repository=name, state="open")
            return heads | {f"refs/pull/{one.number}/head": one.head_sha for one in pulls}

        return await self._world.store.read(work)

    async def _busy(self, name: str) -> bool:
        """Whether deliveries wait that may tell of it."""
        found = await self._world.store.read(
            lambda tx: tx.find(Delivery, repository=name, state="received", limit=1)
        )
        return bool(found)

    async def _heads(
        self, repository: Repository, told: Mapping[str, str], found: Mapping[str, str]
    ) -> int:
        """Heads that no event told of; `told` is what events had told before `found`."""
        if await self._busy(repository.name):
            return 0
        known = await self._told(repository.name)
        count = 0
        for ref in sorted({*known, *found}):
            before, after = known.get(ref, ""), found.get(ref, "")
            # What an event told of meanwhile is newer than what was found.
            if before == after or before != told.get(ref, ""):
                continue
            if ref.startswith("refs/pull/"):
                count += await self._pull(repository, _number(ref), before)
                continue
            for event in _ref_events(repository.name, ref, before, after):
                await self._take(repository, event)
                count += 1
        return count

    async def _open(self, repository: Repository, found: Mapping[str, str]) -> int:
        """Reviews of open pull requests that no event told of, the longest unasked first."""
        if await self._world.store.read(lambda tx: waiting(tx, repository.name)):
            return 0
        now, count = self._world.clock.now(), 0
        numbers = {_number(ref) for ref in found if ref.startswith("refs/pull/")}
        before = self._asked.get(repository.name, {})
        asked = {number: before.get(number, 0.0) for number in numbers}
        self._asked[repository.name] = asked
        due = sorted((at, number) for number, at in asked.items() if now - at >= FRESH)
        failed: Transient | None = None
        for _, number in due[:ASKED]:
            try:
                more = await self._reviews.look(repository, number)
            except (Permanent, Transient, UserError) as error:
                # The others are no worse for it.
                log.warning("reviews not asked for", action="recover", pull=number, why=str(error))
                failed, more = failed or _passing(error), 0
            if more is not None:
                asked[number] = now
                count += more
        if failed is not None and not count:
            raise failed
        return count

    async def _pull(self, repository: Repository, number: int, before: str) -> int:
        """What became of a pull request; who approved it comes before that it was merged."""
        source = self._world.forges[repository.forge].source
        known = await self._world.store.read(
            lambda tx: tx.get(PullRequestState, repository.name, number)
        )
        try:
            pull = await source.pull(repository.url, number)
        except (Permanent, UserError) as error:
            # The other heads are no worse for it.
            log.warning("not asked for", action="recover", pull=number, why=str(error))
            return 0
        event = _pull_event(repository.name, pull, known, before)
        if event is None:
            return 0
        ended = pull.state is not PullState.OPEN
        count = (await self._reviews.take(repository, pull, known) or 0) if ended else 0
        await self._take(repository, event)
        return count + 1

    async def _take(self, repository: Repository, event: Event) -> None:
        identity, now = self._ids.new(), self._world.clock.now()
        await self._world.store.transaction(
            lambda tx: events.take(tx, repository, event, identity, now)
        )


def _passing(error: Exception) -> Transient | None:
    return error if isinstance(error, Transient) else None


def _number(ref: str) -> int:
    """The number of a pull request, of the ref of its head."""
    return int(ref.split("/")[2])


def _pull_event(
    repository: str, pull: PullRequest, known: PullRequestState | None, before: str
) -> Event | None:
    """What became of a pull request, as an event; None when that is known, or not worth one."""
    action = (
        {PullState.MERGED: "merged", PullState.CLOSED: "closed"}[pull.state]
        if pull.state is not PullState.OPEN
        else "updated"
        if known
        else "opened"
    )
    if known and known.state == pull.state and known.head_sha == pull.head_sha:
        return None
    if pull.state is not PullState.OPEN and known is None:
        return None
    event = events.about(repository, pull, Kind.PULL_REQUEST, action)
    sha = pull.merge_sha if action == "merged" else pull.head_sha
    return replace(event, sha=sha, before=before or None)


def _ref_events(repository: str, ref: str, before: str, after: str) -> Iterable[Event]:
    kind, _, name = ref.removeprefix("refs/").partition("/")
    place = {"branch": name} if kind == "heads" else {"tag": name}
    sort = Kind.BRANCH if kind == "heads" else Kind.TAG
    if kind == "heads" and after:
        yield Event(
            kind=Kind.PUSH,
            action="pushed",
            repository=repository,
            sha=after,
            before=before or ZERO,
            recovered=True,
            branch=name,
        )
    if not before or not after:
        yield Event(
            kind=sort,
            action="created" if after else "deleted",
            repository=repository,
            sha=after or None,
            before=before or ZERO,
            recovered=True,
            branch=place.get("branch"),
            tag=place.get("tag"),
        )
