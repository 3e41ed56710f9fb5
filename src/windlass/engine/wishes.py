"""
A deployment that somebody asks for: an event of its own, and a run with one job.

So it is admitted, ordered, explained and shown like every other.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.event import Event, Kind
from windlass.core.pipeline import Job, JobKind
from windlass.core.run import JobRun, Run
from windlass.engine.audit import audit
from windlass.engine.names import place_name
from windlass.engine.write import new_run
from windlass.ports.records import Delivery, Head, Repository, StoredEvent, StoredRun
from windlass.ports.store import Tx

# What such a wish is stored under, in place of a webhook's endpoint.
BY_HAND = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """
    Which build somebody wants where, and why; `digest` empty means that of the commit.

    `key` tells wishes apart: the same one twice is one. Of a pull request the status stands
    on `head`, and `sha` is what was built. `by_id` is the forge's id of the person, if it is known.
    """

    repository: Repository
    service: str
    environment: str
    sha: str
    branch: str
    digest: str
    by: str
    why: str
    key: str
    rollback: bool = False
    head: str = ""
    pull_request: int = 0
    by_id: str = ""

    @property
    def event(self) -> Event:
        """The wish as an event."""
        return Event(
            kind=Kind.MANUAL,
            action="asked",
            repository=self.repository.name,
            branch=self.branch,
            sha=self.head or self.sha,
            number=self.pull_request or None,
            sender=self.by,
            sender_id=self.by_id or None,
            title=self.why,
        )

    @property
    def job(self) -> Job:
        """The one job that it is."""
        verb = "rollback" if self.rollback else "deploy"
        return Job(
            name=f"{verb}-{self.service}-{self.environment}",
            kind=JobKind.DEPLOY,
            service=self.service,
            environment=self.environment,
            digest=self.digest,
            rollback=self.rollback,
        )


def request_deploy(tx: Tx, asked: Requested, now: float) -> StoredRun | None:
    """The run of this wish; None when it was asked before."""
    name = asked.repository.name
    head = tx.get(Head, name, f"refs/heads/{asked.repository.default_branch}")
    configuration = head.sha if head else asked.sha
    stored = _event(tx, asked, configuration, now)
    if stored is None:
        return None
    job = asked.job
    verb = "roll back" if asked.rollback else "deploy"
    subject = place_name(name, asked.environment, asked.service)
    audit(tx, asked.by, verb, subject, now, asked.why)
    run = Run(
        number=tx.next("run"),
        repository=name,
        event=asked.event,
        listener=f"{verb} by {asked.by}",
        sha=asked.sha,
        status_sha=asked.head or asked.sha,
        config_sha=configuration,
        branch=asked.branch,
        jobs={job.name: JobRun(job=job, action=f"deploy/{asked.environment}")},
        created_at=now,
    )
    return new_run(tx, run, stored.number, now, cause="manual")


def _event(tx: Tx, asked: Requested, configuration: str, now: float) -> StoredEvent | None:
    delivery = Delivery(
        id=f"{BY_HAND}-{asked.key}",
        endpoint=BY_HAND,
        delivery_key=asked.key,
        repository=asked.repository.name,
        received_at=now,
        headers={},
        body=b"",
        digest="",
        source=BY_HAND,
        state="done",
    )
    if not tx.add(delivery):
        return None
    stored = StoredEvent(
        number=tx.next("event"),
        delivery=delivery.id,
        position=0,
        repository=asked.repository.name,
        kind=Kind.MANUAL,
        action="asked",
        sha=asked.head or asked.sha,
        branch=asked.branch,
        pull_request=asked.pull_request,
        at=now,
        event=asked.event,
        configuration=configuration,
        matched=1,
    )
    tx.add(stored)
    return stored
