"""
How the server is.
"""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from windlass.ports.records import Deployment, StoredRun
from windlass.ports.store import Tx
from windlass.web.api.asking import With
from windlass.web.api.models.shape import Answer, Listed, when
from windlass.web.health import ACTIVE, MOST
from windlass.web.views.board import WAITING
from windlass.web.views.runs import last_number, list_repositories

router = APIRouter(tags=["status"])


class Counts(Answer):
    """How many of what; of runs and events: ever. Active runs are counted up to 1000."""

    repositories: int
    events: int
    runs: int
    active_runs: int
    waiting_deployments: int


class CircuitAnswer(Answer):
    """A code host that is left alone since then because of `reason`, and asked again at `until`."""

    host: str
    since: datetime
    until: datetime
    reason: str


class ServerAnswer(Answer):
    """
    Which version, since when, how much there is, and which code hosts are left alone.

    One is left alone after it failed several times in a row, or when it asked for a pause.
    """

    version: str
    url: str
    started_at: datetime
    now: datetime
    counts: Counts
    circuits: list[CircuitAnswer]


def _count(tx: Tx) -> Counts:
    active = tx.find(StoredRun, state=ACTIVE, limit=MOST)
    return Counts(
        repositories=len(list_repositories(tx)),
        events=last_number(tx, "event"),
        runs=last_number(tx, "run"),
        active_runs=len(active),
        waiting_deployments=len(tx.find(Deployment, state=WAITING)),
    )


class FindingAnswer(Answer):
    """One thing that was looked at; `fix` says what to do, empty when it is in order."""

    check: str
    subject: str
    passed: bool
    said: str
    fix: str


@router.post("/doctor", operation_id="examine")
async def doctor(parts: With) -> Listed[FindingAnswer]:
    """Look whether everything is in order around the server; it takes a few seconds."""
    found = await parts.requests.examine()
    return Listed(
        items=[
            FindingAnswer(
                check=one.check, subject=one.subject, passed=one.passed, said=one.said, fix=one.fix
            )
            for one in found
        ]
    )


@router.get("/status", operation_id="showStatus")
async def status(parts: With) -> ServerAnswer:
    """How the server is."""
    return ServerAnswer(
        version=parts.version,
        url=parts.url,
        started_at=when(parts.started_at),
        now=when(parts.clock.now()),
        counts=await parts.store.read(_count),
        circuits=[
            CircuitAnswer(
                host=one.origin, since=when(one.since), until=when(one.until), reason=one.reason
            )
            for one in parts.requests.circuits()
        ],
    )
