"""
Desired state against actual, one place at a time.

One look at a place does what is next there, whatever it was that asked for it:
go on with the deployment that was admitted, else admit the newest that waits,
else compare what runs with what should. Each part may be cut off anywhere and
is simply done again: the commit in the state repository is found by its
trailer, the target refuses an older generation, and facts are taken in once.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from windlass.core.environment import Ask, Go, Refuse, Wait
from windlass.core.errors import AdapterError, Conflict, NotFound, Transient, UserError
from windlass.core.run import State
from windlass.engine import desired, places
from windlass.engine.admission import Admissions
from windlass.engine.said import close, say
from windlass.engine.world import World
from windlass.git.statecommit import Signature
from windlass.ports.records import Deployment, Place
from windlass.ports.records.deployed import NEVER
from windlass.ports.store import Tx
from windlass.ports.target import Desired, Observed, Target

log = structlog.get_logger()


TRAILER = "Windlass-Deployment"


class Reconcile:
    """Brings places to their desired state. At most one look per place at a time."""

    def __init__(self, world: World, admissions: Admissions) -> None:
        self._world = world
        self._admissions = admissions

    async def __call__(self, name: str) -> float | None:
        """Do what is next; returns when (UTC seconds) to look again, if it is known."""
        found = await self._world.store.read(lambda tx: places.find(tx, name))
        if found.under_way is not None:
            await self._deploy(found.under_way, found.place)
            return self._world.clock.now()
        if found.waiting:
            return await self._admit(found)
        if found.place is not None and found.place.content:
            await self._compare(found.place)
        return None

    async def _admit(self, found: places.Found) -> float | None:
        """Ask admission for the newest that waits; the older ones are superseded by it."""
        newest, *older = sorted(
            found.waiting,
            key=lambda one: (one.kind == "rollback", one.order, one.number),
            reverse=True,
        )
        answer = await self._overtaken(newest, older) or await self._admissions.ask(
            newest, found.place
        )
        # What is refused itself pushes nothing out.
        for one in () if isinstance(answer, Refuse) else older:
            await self._finish(one, "superseded", f"deployment {newest.number} is newer")
        now = self._world.clock.now()
        match answer:
            case Go():
                await self._world.store.transaction(lambda tx: places.take(tx, newest, now))
                await say(self._world, newest, f"admitted to {newest.environment}")
                return now
            case Refuse(state, reason):
                await self._finish(newest, state, reason)
                return now
            case Wait() | Ask():
                await self._world.store.transaction(lambda tx: places.hold(tx, newest, answer, now))
                if newest.reason != answer.reason:
                    await say(self._world, newest, answer.reason)
                return answer.until

    async def _overtaken(self, newest: Deployment, others: list[Deployment]) -> Refuse | None:
        """A late webhook makes an older commit the later event; the newer commit stays."""
        for one in others:
            if await self._admissions.older(newest, one):
                reason = f"deployment {one.number} has a newer commit of {one.branch}"
                return Refuse("superseded", reason)
        return None

    async def _deploy(self, deployment: Deployment, place: Place | None) -> None:
        """Write the desired state, apply it, and tell how it went."""
        try:
            if deployment.state == "admitted":
                commit = await self._written(deployment) or await self._write(deployment, place)
                if commit is None:
                    return
                now = self._world.clock.now()
                await self._world.store.transaction(
                    lambda tx: places.committed(tx, deployment, commit, now)
                )
                await say(self._world, deployment, f"desired state is commit {commit[:12]}")
            state = desired.parse(deployment.content)
            wanted = await self._desired(state, deployment.generation, deployment.run)
            await self._target(state).apply(wanted)
        except Transient:
            raise
        except (AdapterError, UserError) as error:
            await self._failed(deployment, str(error))
            return
        await self._succeeded(deployment, state)

    async def _written(self, deployment: Deployment) -> str | None:
        """The commit of this deployment, when it was made before a crash."""
        return await self._world.state.find(TRAILER, _unique(deployment))

    async def _write(self, deployment: Deployment, place: Place | None) -> str | None:
        """Ask admission once more and commit; None when it is no longer admitted."""
        repository = self._world.state
        head = await repository.head()
        answer = await self._admissions.ask(deployment, place)
        if not isinstance(answer, Go):
            now = self._world.clock.now()
            await self._world.store.transaction(lambda tx: places.back(tx, deployment, now))
            return None
        verb = f"{_VERBS[deployment.kind]} {deployment.service} {_to(deployment)}"
        try:
            return await repository.commit(
                {f"{deployment.place}.yaml": deployment.content.encode()},
                message=f"{verb}\n\n{deployment.why}",
                trailers={
                    TRAILER: _unique(deployment),
                    "Windlass-Run": f"{self._world.public_url}/runs/{deployment.run}",
                    "Windlass-Digest": deployment.digest,
                    "Windlass-Source": deployment.sha,
                    "Windlass-By": deployment.by,
                },
                expect=head,
                author=Signature(deployment.by, "windlass@localhost", int(self._world.clock.now())),
            )
        except Conflict as error:
            await repository.fetch()
            raise Transient(error.message, retry_after=0.1) from error

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
                    next_at=now + state.every,
                )
            )
            places.end(tx, deployment, State.SUCCEEDED, "", now, outputs=outputs)
            places.wake_followers(tx, place, now)

        await say(self._world, deployment, f"{deployment.environment} runs {state.digest}")
        await close(self._world, deployment)
        await self._world.store.transaction(work)
        log.info("deployed", action="deploy", deployment=deployment.number, place=deployment.place)

    async def _failed(self, deployment: Deployment, reason: str) -> None:
        """It could not be applied: the target put the old one back, or nobody knows."""
        now = self._world.clock.now()
        await say(self._world, deployment, reason)
        await close(self._world, deployment)

        def work(tx: Tx) -> None:
            place = tx.get(Place, deployment.place)
            current = tx.get(Deployment, deployment.number)
            if current is None or current.state not in places.UNDER_WAY:
                return
            tx.save(replace(current, state="failed", reason=reason, ended_at=now))
            if place is not None:
                # Nothing is compared here until the next deployment.
                tx.save(
                    replace(place, status="failed", detail=reason, checked_at=now, next_at=NEVER)
                )
            places.end(tx, deployment, State.FAILED, reason, now)

        await self._world.store.transaction(work)

    async def _finish(self, deployment: Deployment, state: str, reason: str) -> None:
        """End a deployment that never began."""
        now = self._world.clock.now()
        superseded = state in {"superseded", "cancelled"}
        await say(self._world, deployment, f"{state}: {reason}")
        await close(self._world, deployment)

        def work(tx: Tx) -> None:
            current = tx.get(Deployment, deployment.number)
            if current is None or current.state not in places.WAITING:
                return
            tx.save(replace(current, state=state, reason=reason, ended_at=now))
            end = State.CANCELLED if superseded else State.FAILED
            places.end(tx, current, end, f"{state}: {reason}", now)

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
        every = desired.parse(place.content).every

        def work(tx: Tx) -> None:
            current = tx.get(Place, place.place)
            if current is None or current.generation != place.generation:
                return
            detail = seen.detail
            if healed:
                detail = f"healed: {current.detail}" if current.detail else "healed"
            elif status == "in sync" and current.detail.startswith("healed"):
                detail = current.detail
            tx.save(
                replace(
                    current,
                    observed=seen.digest or current.observed,
                    status=status,
                    detail=detail,
                    checked_at=now,
                    next_at=now + every,
                )
            )

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


def _unique(deployment: Deployment) -> str:
    """Its number alone may come again: the state repository can outlive the store."""
    return f"{deployment.number}-{int(deployment.requested_at * 1000)}"


def _to(deployment: Deployment) -> str:
    return f"{deployment.digest.removeprefix('sha256:')[:12]} to {deployment.environment}"


def _same(seen: Observed, digest: str) -> bool:
    return seen.digest == digest and seen.intact and not seen.unknown


def _health(seen: Observed) -> str:
    return "unhealthy" if seen.healthy is False else "in sync"
