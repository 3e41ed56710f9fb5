"""
What becomes of a place and its deployments in the store: each function is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from windlass.core.environment import Ask, Wait
from windlass.core.run import JobEnded, JobResumed, JobWaits, State
from windlass.engine import desired, effects
from windlass.engine.advance import advance
from windlass.engine.names import job_id
from windlass.ports.records import Deployment, Place, StoredRun
from windlass.ports.store import Tx

UNDER_WAY = ("admitted", "deploying")
WAITING = ("waiting", "approval")


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to do at a place."""

    place: Place | None
    under_way: Deployment | None
    waiting: tuple[Deployment, ...]


def find(tx: Tx, name: str) -> Found:
    """What there is to do at a place."""
    under_way = tx.find(Deployment, place=name, state=UNDER_WAY, order="number", limit=1)
    waiting = tx.find(Deployment, place=name, state=WAITING, order="number")
    return Found(tx.get(Place, name), next(iter(under_way), None), tuple(waiting))


def hold(tx: Tx, deployment: Deployment, answer: Wait | Ask, now: float) -> None:
    """It waits: say for what, on the deployment and on its job."""
    current = tx.get(Deployment, deployment.number)
    if current is None or current.state not in WAITING:
        return
    needed = answer.needed if isinstance(answer, Ask) else 0
    state = "approval" if isinstance(answer, Ask) else "waiting"
    after = replace(current, state=state, reason=answer.reason, needed=needed)
    if after == current:
        return
    tx.save(after)
    effects.deployed(tx, after, now)
    waits = JobWaits(job=current.job, attempt=current.attempt, reason=answer.reason)
    advance(tx, current.run, waits, "", now)


def take(tx: Tx, deployment: Deployment, now: float) -> None:
    """Admitted: the place's next generation is its own."""
    current = tx.get(Deployment, deployment.number)
    if current is None or current.state not in WAITING:
        return
    place = tx.get(Place, current.place)
    generation = (place.generation if place else 0) + 1
    tx.save(replace(current, state="admitted", reason="", needed=0, generation=generation))
    if place is None:
        tx.add(
            Place(
                place=current.place,
                repository=current.repository,
                environment=current.environment,
                service=current.service,
                generation=generation,
                status="deploying",
            )
        )
    else:
        tx.save(replace(place, generation=generation, status="deploying", detail=""))
    resumed = JobResumed(job=current.job, attempt=current.attempt)
    # No key: what waits again after it was admitted is admitted again.
    advance(tx, current.run, resumed, "", now)


def back(tx: Tx, deployment: Deployment, now: float) -> None:
    """What changed since it was admitted bars it: it waits again, and says for what."""
    current = tx.get(Deployment, deployment.number)
    place = tx.get(Place, deployment.place)
    if current is None or current.state != "admitted":
        return
    if place is not None:
        status = "in sync" if place.content else "empty"
        tx.save(replace(place, status=status))
    if _cancelled(tx, current):
        # Its withdrawal came when it was admitted, and will not come again.
        reason = "run cancelled"
        tx.save(replace(current, state="cancelled", reason=reason, ended_at=now))
        end(tx, current, State.CANCELLED, reason, now)
        return
    tx.save(replace(current, state="waiting"))
    waits = JobWaits(job=current.job, attempt=current.attempt, reason="is admitted anew")
    advance(tx, current.run, waits, "", now)


def _cancelled(tx: Tx, deployment: Deployment) -> bool:
    stored = tx.get(StoredRun, deployment.run)
    if stored is None or not stored.run.cancelled_by:
        return False
    job = stored.run.jobs.get(deployment.job)
    return job is None or not job.job.final


def committed(tx: Tx, deployment: Deployment, commit: str, now: float) -> None:
    """The desired state is in the state repository: the place aims at it from now on."""
    current = tx.get(Deployment, deployment.number)
    place = tx.get(Place, deployment.place)
    if current is None or place is None or current.state != "admitted":
        return
    tx.save(replace(current, state="deploying", state_commit=commit))
    effects.deployed(tx, current, now)
    rollback = current.kind == "rollback"
    tx.save(
        replace(
            place,
            digest=current.digest,
            sha=current.sha,
            order=place.order if rollback else current.order,
            deployment=current.number,
            content=current.content,
            state_commit=commit,
            pinned=f"by {current.by}: {current.why}" if rollback else "",
            url=desired.parse(current.content).url,
        )
    )


def end(  # noqa: PLR0913 - one fact, each value of another origin
    tx: Tx,
    deployment: Deployment,
    state: State,
    reason: str,
    now: float,
    *,
    outputs: dict[str, str] | None = None,
) -> None:
    """Tell the deployment's job that it has ended."""
    ended = JobEnded(
        job=deployment.job,
        attempt=deployment.attempt,
        at=now,
        state=state,
        reason=reason,
        outputs=outputs or {},
    )
    advance(tx, deployment.run, ended, f"{_job(deployment)}:deployed", now)
    effects.deployed(tx, deployment, now)


def wake_followers(tx: Tx, place: Place, now: float) -> None:
    """Environments that promote from this one may go on."""
    for other in tx.find(
        Deployment, repository=place.repository, state=WAITING, service=place.service
    ):
        if other.place != place.place:
            effects.place(tx, other.place, now)


def _job(deployment: Deployment) -> str:
    return job_id(deployment.run, deployment.job, deployment.attempt)
