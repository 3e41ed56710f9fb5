"""
Reviews that no webhook told of, found by asking.

What the forge says now of who approves the head of a pull request is compared with what
events said, and each difference becomes an event of our own. Who it is comes from the
forge's id of the person, as webhooks tell it, and never from a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from windlass.core.event import Event, Kind
from windlass.engine import found
from windlass.engine.ids import Ids
from windlass.engine.world import World
from windlass.ports.forge import Approval, PullRequest
from windlass.ports.records import Delivery, PullRequestState, Repository
from windlass.ports.store import Snapshot, Tx


class Reviews:
    """Compares approvals with what we know of them."""

    def __init__(self, world: World, ids: Ids) -> None:
        self._world = world
        self._ids = ids

    async def look(self, repository: Repository, number: int) -> int | None:
        """
        Take in what nobody told of one pull request, as the forge has it now; see `take`.

        Raises `Transient`, `Permanent` or a `UserError` when the forge cannot tell.
        """
        before, late = await self._world.store.read(
            lambda tx: (known(tx, repository, number), waiting(tx, repository.name))
        )
        if late:
            return None
        pull = await self._world.forges[repository.forge].source.pull(repository.url, number)
        return await self.take(repository, pull, before)

    async def take(
        self, repository: Repository, pull: PullRequest, before: PullRequestState | None
    ) -> int | None:
        """
        Store the differences; how many there were, None when a webhook may still tell of them.

        `before` is what was known before the forge was asked: what came meanwhile is newer
        than its answer, and what waits may be.
        """
        events = tuple(differences(repository.name, pull, before))
        if not events:
            return 0
        now = self._world.clock.now()
        ids = [self._ids.new() for _ in events]

        def work(tx: Tx) -> int | None:
            if known(tx, repository, pull.number) != before or waiting(tx, repository.name):
                return None
            return sum(
                found.take(tx, repository, event, identity, now)
                for event, identity in zip(events, ids, strict=True)
            )

        return await self._world.store.transaction(work)


def known(tx: Snapshot, repository: Repository, number: int) -> PullRequestState | None:
    """What we know of a pull request."""
    return tx.get(PullRequestState, repository.name, number)


def waiting(tx: Snapshot, repository: str) -> bool:
    """Whether a webhook waits to be dispatched."""
    return bool(
        tx.find(Delivery, repository=repository, state="received", source="webhook", limit=1)
    )


def coming(tx: Snapshot, repository: str) -> bool:
    """Whether anything waits to be dispatched: what was found and is not taken in yet, too."""
    return bool(tx.find(Delivery, repository=repository, state="received", limit=1))


def differences(
    repository: str, pull: PullRequest, known: PullRequestState | None
) -> Iterator[Event]:
    """
    The reviews of its head that we do not know, and those that are gone.

    Those of older heads let nothing through, and not every forge keeps them. One of an
    unknown commit is not new, and as long as it stands it is not gone.
    """
    if pull.approvals is None:
        return
    theirs = {one.by: one for one in pull.approvals if one.sha == pull.head_sha and one.by}
    standing = theirs.keys() | {one.by for one in pull.approvals if not one.sha}
    ours = {
        who
        for who, _, sha in (one.rpartition("@") for one in (known.approved if known else ()))
        if sha == pull.head_sha
    }
    for who in sorted(theirs.keys() - ours):
        yield _event(repository, pull, theirs[who], "approved")
    for who in sorted(ours - standing):
        yield _event(repository, pull, Approval(who, pull.head_sha), "dismissed")


def _event(repository: str, pull: PullRequest, said: Approval, action: str) -> Event:
    return replace(
        found.about(repository, pull, Kind.REVIEW, action),
        sha=said.sha,
        head_sha=said.sha,
        sender=said.name or None,
        sender_id=said.by,
    )
