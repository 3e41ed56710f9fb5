"""
An event that we found ourselves, as a delivery: durable before anything comes of it.
"""

from __future__ import annotations

import hashlib
import zlib

import msgspec

from windlass.core.event import Event, Kind
from windlass.engine import memory
from windlass.engine.receive import kept
from windlass.ports.forge import PullRequest
from windlass.ports.records import Delivery, PullRequestState, Repository
from windlass.ports.store import Tx

SOURCE = "recovered"


def about(repository: str, pull: PullRequest, kind: Kind, action: str) -> Event:
    """What happened to a pull request, as the forge tells it now, at its head."""
    return Event(
        kind=kind,
        action=action,
        repository=repository,
        number=pull.number,
        base=pull.base,
        head=pull.head,
        sha=pull.head_sha,
        head_sha=pull.head_sha,
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


def encode(event: Event) -> bytes:
    """An event of our own as the body of a delivery."""
    return msgspec.json.encode(event)


def decode(body: bytes) -> Event:
    """The event of a recovered delivery."""
    return msgspec.json.decode(body, type=Event)


def take(tx: Tx, repository: Repository, event: Event, identity: str, now: float) -> bool:
    """Store its delivery, under a key that says what it is, so that twice is once; if it is new."""
    body = encode(event)
    where = event.branch or event.tag or event.number
    said = f" {event.sender_id}" if event.sender_id else ""
    what = f"{event.label} {where} {event.before}-{event.sha} {_since(tx, event)}{said}"
    return tx.add(
        Delivery(
            id=identity,
            endpoint=repository.endpoint,
            delivery_key=f"recovered:{hashlib.sha256(what.encode()).hexdigest()}",
            repository=repository.name,
            received_at=now,
            headers=kept({}),
            body=zlib.compress(body, 1),
            digest=hashlib.sha256(body).hexdigest(),
            source=SOURCE,
        )
    )


def _since(tx: Tx, event: Event) -> str:
    """What was told last of the same ref: the same move missed twice is two events."""
    if event.number:
        pull = tx.get(PullRequestState, event.repository, event.number)
        return str(pull.updated_at) if pull else ""
    head = memory.last(tx, event)
    return str(head.event) if head else ""
