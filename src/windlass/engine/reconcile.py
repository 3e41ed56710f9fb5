"""
Desired state against actual, one place at a time.

One look at a place does what is next there, whatever it was that asked for it:
go on with the deployment that was admitted, else admit the newest that waits,
else compare what runs with what should. Each part may be cut off anywhere and
is simply done again: the commit in the state repository is found by its
trailer, the target refuses an older generation, and facts are taken in once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from windlass.core.environment import Ask, Go, Refuse, Wait
from windlass.core.errors import AdapterError, NotFound, Transient, UserError
from windlass.core.run import JobEnded, JobResumed, JobWaits, State
from windlass.engine import desired, effects
from windlass.engine.admission import Admissions
from windlass.engine.advance import advance
from windlass.engine.names import job_id
from windlass.engine.world import World
from windlass.git.statecommit import Signature
from windlass.ports.records import Deployment, Place
from windlass.ports.store import Tx
from windlass.ports.target import Desired, Observed, Target

log = structlog.get_logger()

UNDER_WAY = ("admitted", "deploying")
WAITING = ("waiting", "approval")


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to do at a place."""

    place: Place | None
    under_way: Deployment | None
    waiting: tuple[Deployment, ...]


class Reconcile:
    """Brings places to their desired state. At most one look per place at a time."""

    def __init__(self, world: World, admissions: Admissions) -> None:
        self._world = world
        self._admissions = admissions

    async def __call__(self, name: str) -> float | None:
        """Do what is next; returns when (UTC seconds) to look again, if it is known."""
        found = await self._world.store.read(lambda tx: _find(tx, name))
        if found.under_way is not None:
            await self._deploy(found.under_way)
            return self._world.clock.now()
        if found.waiting:
            return await self._admit(found)
        if found.place is not None and found.place.content:
            await self._compare(found.place)
        return None

    async def _admit(self, found: Found) -> float | None:
        """Ask admission for the newest that waits; the older ones are superseded by it."""
        newest, *older = sorted(
            found.waiting,
            key=lambda one: (one.kind == "rollback", one.order, one.number),
            reverse=True,
        )
        for one in older:
            await self._finish(one, "superseded", f"deployment {newest.number} is newer")
        answer = await self._admissions.ask(newest, found.place)
        now = self._world.clock.now()
        match answer:
            case Go():
                await self._world.store.transaction(lambda tx: _take(tx, newest, now))
                return now
            case Refuse(state, reason):
                await self._finish(newest, state, reason)
                return now
            case Wait() | Ask():
                await self._world.store.transaction(lambda tx: _hold(tx, newest, answer, now))
                return answer.until

    async def _deploy(self, deployment: Deployment) -> None:
        """Write the desired state, apply it, and tell how it went."""
        if deployment.state == "admitted":
            commit = await self._commit(deployment)
            await self._world.store.transaction(lambda tx: _committed(tx, deployment, commit))
            deployment = replace(
                deployment, state="deploying", state_commit=commit, version=deployment.version + 1
            )
        state = desired.parse(deployment.content)
        try:
            wanted = await self._desired(state, deployment.generation, deployment.run)
            await self._target(state).apply(wanted)
        except Transient:
            raise
        except (AdapterError, UserError) as error:
            await self._failed(deployment, str(error))
            return
        await self._succeeded(deployment, state)

    async def _commit(self, deployment: Deployment) -> str:
        """One commit per deployment, found again by its trailer after a crash."""
        repository = self._world.state
        trailer = str(deployment.number)
        if (there := await repository.find("Windlass-Deployment", trailer)) is not None:
            return there
        message = f"{_VERBS[deployment.kind]} {deployment.service} {_to(deployment)}"
        return await repository.commit(
            {f"{deployment.place}.yaml": deployment.content.encode()},
            message=f"{message}\n\n{deployment.why}",
            trailers={
                "Windlass-Deployment": trailer,
                "Windlass-Run": f"{self._world.public_url}/runs/{deployment.run}",
                "Windlass-Digest": deployment.digest,
                "Windlass-Source": deployment.sha,
                "Windlass-By": deployment.by,
            },
            expect=await repository.head(),
            author=Signature(deployment.by, "windlass@localhost", int(self._world.clock.now())),
        )

    async def _succeeded(self, deployment: Deployment, state: desired.State) -> None:
        now = self._world.clock.now()
        outputs = {"url": state.url, "digest": state.digest}

        def work(tx: Tx) -> None:
            current = tx.get(Deployment, deployment.number)
            place = tx.get(Place, deployment.place)
            if current is None or place is None or current.state != "deploying":
                return
            tx.save(replace(current, state="succeeded", ended_at=now))
            healthy = place.healthy_since if place.observed == state.digest else now
            tx.save(
                replace(
                    place,
                    observed=state.digest,
                    status="in sync",
                    detail="",
                    healthy_since=healthy or now,
                    checked_at=now,
                )
            )
            _end(tx, deployment, State.SUCCEEDED, "", now, outputs=outputs)
            _wake_followers(tx, place, now)

        await self._world.store.transaction(work)
        log.info("deployed", action="deploy", deployment=deployment.number, place=deployment.place)

    async def _failed(self, deployment: Deployment, reason: str) -> None:
        """It could not be applied: the target put the old one back, or nobody knows."""
        now = self._world.clock.now()

        def work(tx: Tx) -> None:
            place = tx.get(Place, deployment.place)
            current = tx.get(Deployment, deployment.number)
            if current is None or current.state != "deploying":
                return
            tx.save(replace(current, state="failed", reason=reason, ended_at=now))
            if place is not None:
                tx.save(replace(place, status="failed", detail=reason, checked_at=now))
            _end(tx, deployment, State.FAILED, reason, now)

        await self._world.store.transaction(work)

    async def _finish(self, deployment: Deployment, state: str, reason: str) -> None:
        """End a deployment that never began."""
        now = self._world.clock.now()
        superseded = state in {"superseded", "cancelled"}

        def work(tx: Tx) -> None:
            current = tx.get(Deployment, deployment.number)
            if current is None or current.state not in WAITING:
                return
            tx.save(replace(current, state=state, reason=reason, ended_at=now))
            end = State.CANCELLED if superseded else State.FAILED
            _end(tx, current, end, f"{state}: {reason}", now)

        await self._world.store.transaction(work)

    async def _compare(self, place: Place) -> None:
        """What runs against what should; heal it where the environment says so."""
        state = desired.parse(place.content)
        target = self._target(state)
        if place.status == "failed":
            return
        try:
            wanted = await self._desired(state, place.generation, 0)
            seen = await target.observe(wanted)
            drifted = not _same(seen, state.digest)
            if drifted and state.drift == "heal":
                await self._noticed(place, seen, "healing")
                await target.apply(wanted)
                seen = await target.observe(wanted)
                log.info("healed", action="heal", place=place.place)
                await self._noticed(
                    place, seen, "in sync" if _same(seen, state.digest) else "drift", healed=True
                )
                return
            await self._noticed(place, seen, "drift" if drifted else _health(seen))
        except Transient:
            raise
        except (AdapterError, UserError) as error:
            await self._noticed(place, Observed(detail=str(error)), "unknown")

    async def _noticed(
        self, place: Place, seen: Observed, status: str, *, healed: bool = False
    ) -> None:
        now = self._world.clock.now()

        def work(tx: Tx) -> None:
            current = tx.get(Place, place.place)
            if current is None or current.generation != place.generation:
                return
            detail = seen.detail
            if healed:
                detail = f"healed: {current.detail}" if current.detail else "healed"
            elif status == "in sync" and current.detail.startswith("healed"):
                detail = current.detail
            after = replace(
                current,
                observed=seen.digest or current.observed,
                status=status,
                detail=detail,
                checked_at=now,
            )
            if replace(after, checked_at=current.checked_at) != current or _stale(current, now):
                tx.save(after)

        await self._world.store.transaction(work)

    async def _desired(self, state: desired.State, generation: int, run: int) -> Desired:
        place = f"{state.repository}/{state.environment}/{state.service}"
        package = self._world.artifacts.get(state.digest).path
        env = {
            "CI": "true",
            "WINDLASS": "true",
            "CI_REPO": state.repository,
            "CI_SERVICE": state.service,
            "CI_ENVIRONMENT_NAME": state.environment,
            "CI_ENVIRONMENT_URL": state.url,
            "CI_COMMIT_SHA": state.commit,
            "CI_ARTIFACT_DIGEST": state.digest,
            **({"CI_PIPELINE_NUMBER": str(run)} if run else {}),
        }
        return Desired(
            place=place,
            generation=generation,
            digest=state.digest,
            spec=state.spec,
            package=package,
            health=state.check,
            env=env,
        )

    def _target(self, state: desired.State) -> Target:
        try:
            return self._world.targets[state.target]
        except KeyError:
            known = ", ".join(sorted(self._world.targets))
            raise NotFound(f"this server has no target {state.target}, only {known}") from None


_VERBS = {"deploy": "Deploy", "promote": "Promote", "rollback": "Roll back"}


def _to(deployment: Deployment) -> str:
    return f"{deployment.digest.removeprefix('sha256:')[:12]} to {deployment.environment}"


def _same(seen: Observed, digest: str) -> bool:
    return seen.digest == digest and seen.intact and not seen.unknown


def _health(seen: Observed) -> str:
    return "unhealthy" if seen.healthy is False else "in sync"


def _stale(place: Place, now: float) -> bool:
    minute = 60.0
    return now - place.checked_at > minute


def _find(tx: Tx, name: str) -> Found:
    under_way = tx.find(Deployment, place=name, state=UNDER_WAY, order="number", limit=1)
    waiting = tx.find(Deployment, place=name, state=WAITING, order="number")
    return Found(tx.get(Place, name), next(iter(under_way), None), tuple(waiting))


def _hold(tx: Tx, deployment: Deployment, answer: Wait | Ask, now: float) -> None:
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
    waits = JobWaits(job=current.job, attempt=current.attempt, reason=answer.reason)
    advance(tx, current.run, waits, "", now)


def _take(tx: Tx, deployment: Deployment, now: float) -> None:
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
    advance(tx, current.run, resumed, f"{_job(current)}:admitted", now)


def _committed(tx: Tx, deployment: Deployment, commit: str) -> None:
    """The desired state is in the state repository: the place aims at it from now on."""
    current = tx.get(Deployment, deployment.number)
    place = tx.get(Place, deployment.place)
    if current is None or place is None or current.state != "admitted":
        return
    tx.save(replace(current, state="deploying", state_commit=commit))
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


def _end(  # noqa: PLR0913 - one fact, each value of another origin
    tx: Tx,
    deployment: Deployment,
    state: State,
    reason: str,
    now: float,
    *,
    outputs: dict[str, str] | None = None,
) -> None:
    ended = JobEnded(
        job=deployment.job,
        attempt=deployment.attempt,
        at=now,
        state=state,
        reason=reason,
        outputs=outputs or {},
    )
    advance(tx, deployment.run, ended, f"{_job(deployment)}:deployed", now)


def _wake_followers(tx: Tx, place: Place, now: float) -> None:
    """Environments that promote from this one may go on."""
    for other in tx.find(
        Deployment, repository=place.repository, state=WAITING, service=place.service
    ):
        if other.place != place.place:
            effects.place(tx, other.place, now)


def _job(deployment: Deployment) -> str:
    return job_id(deployment.run, deployment.job, deployment.attempt)
