"""
Jobs on the executor: started once, watched to their end, found again after a restart.

A job lives outside. What the server knows of it is read from its journal, so a
restart only means to go on reading; `slots` bounds how many run at the same time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from windlass.core.errors import Conflict, Permanent, UserError
from windlass.core.pipeline import JobKind
from windlass.core.policy import barred
from windlass.core.run import JobEnded, JobMoved, JobRun, State, StepRun
from windlass.engine import builds
from windlass.engine.advance import advance
from windlass.engine.configurations import Configurations
from windlass.engine.names import job_id, log_key
from windlass.engine.orders import Work, order
from windlass.engine.shown import Shown
from windlass.engine.slots import Slots
from windlass.engine.variables import About
from windlass.engine.world import World
from windlass.ports.executor import Ended, Outcome, Progress, StepEnded, StepStarted
from windlass.ports.records import Repository, StoredEffect, StoredRun
from windlass.ports.store import Tx

log = structlog.get_logger()

# Before a job is watched again after something went wrong, in seconds.
PAUSE = 1.0

_STATES = {
    Outcome.SUCCEEDED: State.SUCCEEDED,
    Outcome.STOPPED: State.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Key:
    """Which job of which run, and which attempt at it."""

    run: int
    job: str
    attempt: int

    @property
    def id(self) -> str:
        """The executor's id."""
        return job_id(self.run, self.job, self.attempt)


class Jobs:
    """The jobs of this server."""

    def __init__(self, world: World, configurations: Configurations, slots: Slots) -> None:
        self._world = world
        self._configurations = configurations
        self._slots = slots
        self._watched: dict[str, asyncio.Task[None]] = {}

    async def start(self, key: Key, repository: str) -> None:
        """Start a job in its repository's turn, and watch it. Twice is once."""
        await self._slots.take(repository)
        watched = False
        try:
            found = await self._load(key)
            if found is not None:
                watched = await self._begin(key, *found)
        except (Permanent, UserError) as error:
            await self.refuse(key, str(error))
        finally:
            if not watched:
                self._slots.release(repository)

    async def stop(self, key: Key) -> None:
        """End a job; one that never started is refused when its start comes late."""
        await self._world.executor.stop(key.id)
        if key.id not in self._watched:
            now = self._world.clock.now()
            ended = JobEnded(job=key.job, attempt=key.attempt, at=now, state=State.CANCELLED)
            await self._tell(key, ended, "stopped")

    async def resume(self) -> None:
        """Watch again what was running when the server ended; what is gone is lost."""
        here = set(await self._world.executor.list())
        for key, job, repository in await self._world.store.read(_running):
            if key.id in self._watched:
                continue
            if key.id in here:
                # It runs already, so there may be more of them than slots for a while.
                place = None if self._slots.full() else repository
                if place is not None:
                    await self._slots.take(place)
                self._watch(key, job, place)
            else:
                reason = "nothing is left of it"
                lost = JobEnded(
                    job=key.job,
                    attempt=key.attempt,
                    at=self._now(),
                    state=State.FAILED,
                    reason=reason,
                    lost=True,
                )
                await self._tell(key, lost, "ended")

    async def close(self) -> None:
        """Stop watching; the jobs go on."""
        tasks = tuple(self._watched.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, key: Key) -> tuple[StoredRun, Repository, JobRun] | None:
        def work(tx: Tx) -> tuple[StoredRun, Repository, JobRun] | None:
            stored = tx.get(StoredRun, key.run)
            job = stored.run.jobs.get(key.job) if stored else None
            repository = tx.get(Repository, stored.repository) if stored else None
            if not stored or not job or not repository or job.attempt != key.attempt:
                return None
            return (stored, repository, job) if job.state is State.RUNNING else None

        return await self._world.store.read(work)

    async def _begin(
        self, key: Key, stored: StoredRun, repository: Repository, job: JobRun
    ) -> bool:
        """Hand the job to the executor; False when it needs none (a build that was found)."""
        if key.id in self._watched:
            return False
        if not stored.run.trusted and (why := self._world.isolation.missing):
            raise UserError(
                f"strangers' code needs a sandbox, and on this server {why}",
                hint="mend that, or push the change that you have read to a branch of your own",
            )
        if why := barred(repository.policy, stored.run.event):
            raise UserError(why)
        mirror = self._world.mirrors.of(repository)
        about = About(
            stored=stored,
            job=job,
            repository=repository,
            public_url=self._world.public_url,
            version=self._world.version,
            forge=repository.forge,
        )
        if job.job.kind is JobKind.BUILD:
            recipe = await builds.recipe(self._world, self._configurations, stored, job)
            if (build := await builds.find(self._world, recipe)) is not None:
                await self._tell(
                    key, builds.found(key.job, key.attempt, build, self._now()), "found"
                )
                return False
            work = Work.of_recipe(recipe.recipe, recipe.path)
        else:
            work = Work(steps=job.job.steps, env=job.job.env, timeout=job.job.timeout)
        try:
            await self._world.executor.start(order(about, work, mirror, self._world))
        except Conflict:
            ended = JobEnded(
                job=key.job, attempt=key.attempt, at=self._now(), state=State.CANCELLED
            )
            await self._tell(key, ended, "stopped")
            return False
        self._watch(key, job, repository.name)
        return True

    def _watch(self, key: Key, job: JobRun, place: str | None) -> None:
        """Follow it; `place` is the repository whose place it has, None for one without."""
        task = asyncio.create_task(self._follow(key, job))
        self._watched[key.id] = task

        def done(_: asyncio.Task[None]) -> None:
            self._watched.pop(key.id, None)
            if place is not None:
                self._slots.release(place)

        task.add_done_callback(done)

    async def _follow(self, key: Key, job: JobRun) -> None:
        """See a job to its end, whatever stands in the way meanwhile."""
        while True:
            try:
                await self._read(key, job)
            except Permanent as error:
                await self.refuse(key, str(error))
            except Exception as error:  # noqa: BLE001 - a job that nobody watches never ends
                log.warning("watching a job failed", action="watch", job=key.id, why=str(error))
                await self._world.clock.sleep(PAUSE)
                continue
            return

    async def _read(self, key: Key, job: JobRun) -> None:
        """Read the journal from its start to its end; facts tell the whole, so twice is once."""
        steps: list[StepRun] = []
        shown = Shown(lambda so_far: self._tell(key, _so_far(key, so_far), ""))
        try:
            async for entry in self._world.executor.watch(key.id):
                if isinstance(entry, Ended):
                    await shown.close()
                    await self._ended(key, job, entry, tuple(steps))
                    return
                steps = _moved(steps, entry)
                if isinstance(entry, StepStarted):
                    shown.say(tuple(steps))
        finally:
            await shown.close()

    async def _ended(self, key: Key, job: JobRun, ended: Ended, steps: tuple[StepRun, ...]) -> None:
        fact = JobEnded(
            job=key.job,
            attempt=key.attempt,
            at=ended.at,
            state=_STATES.get(ended.outcome, State.FAILED),
            exit_code=ended.exit_code,
            step=ended.step,
            reason=ended.reason,
            outputs=ended.outputs,
            steps=steps,
            lost=ended.outcome is Outcome.WORKER_LOST,
        )
        if job.job.kind is JobKind.BUILD and ended.outcome is Outcome.SUCCEEDED:
            stored = await self._load(key)
            if stored is not None:
                fact = await builds.collect(
                    self._world, self._configurations, stored[0], job, fact, ended
                )
        await self._tell(key, fact, "ended")
        await asyncio.to_thread(self._world.logs.close, _log(key))
        await self._world.executor.clear(key.id)

    async def refuse(self, key: Key, reason: str) -> None:
        """End a job that cannot be started, or seen to its end."""
        ended = JobEnded(
            job=key.job, attempt=key.attempt, at=self._now(), state=State.FAILED, reason=reason
        )
        await self._tell(key, ended, "refused")

    async def _tell(self, key: Key, fact: JobMoved | JobEnded, name: str) -> None:
        now = self._now()
        unique = f"{key.id}:{name}" if name else ""
        await self._world.store.transaction(lambda tx: advance(tx, key.run, fact, unique, now))

    def _now(self) -> float:
        return self._world.clock.now()


def _running(tx: Tx) -> list[tuple[Key, JobRun, str]]:
    """Jobs that were started and have not ended, as far as we were told."""
    found = []
    states = (str(State.RUNNING), str(State.WAITING))
    for stored in tx.find(StoredRun, state=states, order="number"):
        for name, job in stored.run.jobs.items():
            if job.state is not State.RUNNING or job.job.kind is JobKind.DEPLOY:
                continue
            start = tx.get(StoredEffect, f"start:{stored.number}:{name}:{job.attempt}")
            if start is not None and start.state != "pending":
                found.append((Key(stored.number, name, job.attempt), job, stored.repository))
    return found


def _log(key: Key) -> str:
    return log_key(key.run, key.job, key.attempt)


def _so_far(key: Key, steps: tuple[StepRun, ...]) -> JobMoved:
    return JobMoved(job=key.job, attempt=key.attempt, steps=steps)


def _moved(steps: list[StepRun], entry: Progress) -> list[StepRun]:
    match entry:
        case StepStarted(at=at, log=offset):
            return [*steps, StepRun(started_at=at, log=offset)]
        case StepEnded(at=at, exit_code=code) if steps:
            return [*steps[:-1], replace(steps[-1], ended_at=at, exit_code=code)]
        case _:
            return steps
