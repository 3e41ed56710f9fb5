"""
Deliveries that never came, found by asking.

First the forge is asked for what it holds and may not have sent; that is taken
in like the webhook itself, under the same key, so that it can come twice and
count once. Then heads are compared with those that events told us of, and what
differs becomes an event of our own, marked `recovered`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping

import msgspec
import structlog

from windlass.core.errors import BadDelivery
from windlass.core.event import ZERO, Event, Kind
from windlass.engine import memory
from windlass.engine.hooks import hook_of, secrets_of
from windlass.engine.ids import Ids
from windlass.engine.receive import Arrival, Receive, kept
from windlass.engine.world import Forge, World
from windlass.ports.forge import PullState
from windlass.ports.records import Delivery, Head, PullRequestState, Repository
from windlass.ports.store import Tx

log = structlog.get_logger()

SOURCE = "recovered"
GRACE = 3.0  # seconds


def encode(event: Event) -> bytes:
    """An event of our own as the body of a delivery."""
    return msgspec.json.encode(event)


def decode(body: bytes) -> Event:
    """The event of a recovered delivery."""
    return msgspec.json.decode(body, type=Event)


class Recovery:
    """Finds what was missed."""

    def __init__(self, world: World, receive: Receive, ids: Ids) -> None:
        self._world = world
        self._receive = receive
        self._ids = ids

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
        return count + await self._heads(repository, told, found)

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
            for event in await self._differs(repository, ref, before, after):
                await self._take(repository, event)
                count += 1
        return count

    async def _differs(
        self, repository: Repository, ref: str, before: str, after: str
    ) -> tuple[Event, ...]:
        if not ref.startswith("refs/pull/"):
            return tuple(_ref_events(repository.name, ref, before, after))
        event = await self._pull(repository, ref, before)
        return () if event is None else (event,)

    async def _pull(self, repository: Repository, ref: str, before: str) -> Event | None:
        source = self._world.forges[repository.forge].source
        number = int(ref.split("/")[2])
        pull = await source.pull(repository.url, number)
        known = await self._world.store.read(
            lambda tx: tx.get(PullRequestState, repository.name, number)
        )
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
        return Event(
            kind=Kind.PULL_REQUEST,
            action=action,
            repository=repository.name,
            number=number,
            base=pull.base,
            head=pull.head,
            sha=pull.merge_sha if action == "merged" else pull.head_sha,
            head_sha=pull.head_sha,
            before=before or None,
            author=pull.author,
            author_id=pull.author_id,
            fork=pull.fork,
            fork_owner=pull.fork_owner,
            draft=pull.draft,
            labels=pull.labels,
            title=pull.title,
            url=pull.web_url or None,
            recovered=True,
        )

    async def _take(self, repository: Repository, event: Event) -> None:
        """One delivery per event, under a key that says what it is, so that twice is once."""
        body = encode(event)
        since = await self._world.store.read(lambda tx: _since(tx, event))
        what = (
            f"{event.label} {event.branch or event.tag or event.number}"
            f" {event.before}-{event.sha} {since}"
        )
        delivery = Delivery(
            id=self._ids.new(),
            endpoint=repository.endpoint,
            delivery_key=f"recovered:{hashlib.sha256(what.encode()).hexdigest()}",
            repository=repository.name,
            received_at=self._world.clock.now(),
            headers=kept({}),
            body=zlib.compress(body, 1),
            digest=hashlib.sha256(body).hexdigest(),
            source=SOURCE,
        )
        await self._world.store.transaction(lambda tx: tx.add(delivery))


def _since(tx: Tx, event: Event) -> str:
    """What was told last of the same ref: the same move missed twice is two events."""
    if event.number:
        pull = tx.get(PullRequestState, event.repository, event.number)
        return str(pull.updated_at) if pull else ""
    head = memory.last(tx, event)
    return str(head.event) if head else ""


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
