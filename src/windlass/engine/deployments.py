"""
A deploy job asks for its place: which build, to which environment, under which rules.

What is written here is only the wish. `reconcile` admits it, writes it to the
state repository and makes it so, one place at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from windlass.core.errors import Permanent, UserError
from windlass.core.event import Kind
from windlass.core.expression import render
from windlass.core.pipeline import JobKind
from windlass.core.run import JobEnded, JobRun, State, job_variables
from windlass.engine import builds, desired, effects, replays
from windlass.engine.advance import advance
from windlass.engine.configurations import Configurations
from windlass.engine.jobs import Key
from windlass.engine.names import place_name
from windlass.engine.world import World
from windlass.ports.records import Build, Deployment, Place, Repository, StoredRun
from windlass.ports.store import Tx

OVER = ("succeeded", "failed", "superseded", "cancelled", "rejected", "expired")
OPEN = ("waiting", "approval", "admitted", "deploying")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """
    The build that a deployment takes, and what the state repository will say of it.

    `sha` and `branch` are those that admission asks about: a promoted build keeps its own.
    """

    digest: str
    sha: str
    branch: str
    content: str = ""


async def request(world: World, configurations: Configurations, key: Key) -> None:
    """Write down what a deploy job wants, once per attempt; a wish that cannot be ends the job."""
    loaded = await world.store.read(lambda tx: tx.get(StoredRun, key.run))
    job = loaded.run.jobs.get(key.job) if loaded else None
    if (
        loaded is None
        or job is None
        or job.attempt != key.attempt
        or job.state is not State.RUNNING
    ):
        return
    now = world.clock.now()
    try:
        chosen = await _choose(world, configurations, loaded, job)
    except (Permanent, UserError) as error:
        hint = f" ({error.hint})" if isinstance(error, UserError) and error.hint else ""
        reason = f"{error}{hint}"
        ended = JobEnded(
            job=key.job, attempt=key.attempt, at=now, state=State.FAILED, reason=reason
        )
        unique = f"{key.id}:refused"
        await world.store.transaction(lambda tx: advance(tx, key.run, ended, unique, now))
        return
    await world.store.transaction(lambda tx: _write(tx, loaded, job, chosen, now))


def _write(tx: Tx, stored: StoredRun, job: JobRun, chosen: Chosen, now: float) -> None:
    place = place_name(stored.repository, job.job.environment, job.job.service)
    if tx.find(Deployment, run=stored.number, job=job.job.name, attempt=job.attempt):
        return
    current = tx.get(StoredRun, stored.number)
    if current is not None and current.run.cancelled_by and not job.job.final:
        # Its stop may have come and gone before there was anything to withdraw.
        key = Key(stored.number, job.job.name, job.attempt)
        ended = JobEnded(job=key.job, attempt=key.attempt, at=now, state=State.CANCELLED)
        advance(tx, key.run, ended, f"{key.id}:withdrawn", now)
        return
    event = stored.run.event
    tx.add(
        Deployment(
            number=tx.next("deployment"),
            place=place,
            repository=stored.repository,
            environment=job.job.environment,
            service=job.job.service,
            kind="rollback"
            if job.job.rollback
            else "promote"
            if job.job.promote_from
            else "deploy",
            digest=chosen.digest,
            sha=chosen.sha,
            branch=chosen.branch,
            run=stored.number,
            job=job.job.name,
            attempt=job.attempt,
            order=replays.order(tx, stored.event),
            by=event.sender or event.author or "unknown",
            why=_why(stored),
            state="waiting",
            content=chosen.content,
            requested_at=now,
        )
    )
    effects.place(tx, place, now)


def _why(stored: StoredRun) -> str:
    event = stored.run.event
    if event.kind is Kind.MANUAL:
        return event.title or "asked by a person"
    if event.kind is Kind.PULL_REQUEST:
        return f"pull request {event.number} {event.action}: {event.title or ''}".rstrip(": ")
    return f"{event.label} of {event.branch or event.tag or stored.sha[:12]}"


async def _choose(
    world: World, configurations: Configurations, stored: StoredRun, job: JobRun
) -> Chosen:
    """The build it names; else this run's; else the one of this commit's tree; else a clear no."""
    if not stored.run.trusted:
        raise UserError("a stranger's code is never deployed")
    chosen = await _build(world, configurations, stored, job)
    digest = chosen.digest
    repository = await world.store.read(lambda tx: tx.get(Repository, stored.repository))
    if repository is None:
        raise UserError(f"{stored.repository} is not connected")
    if job.job.rollback and (earlier := await _earlier(world, stored, job, digest)):
        return replace(chosen, content=earlier)
    mirror = world.mirrors.of(repository)
    rules = (await configurations.at(mirror, stored.run.config_sha)).configuration
    environment = rules.environments.get(job.job.environment)
    if environment is None:
        known = ", ".join(rules.environments) or "none"
        raise UserError(
            f"there is no environment {job.job.environment} on {repository.default_branch}",
            hint=f"environments come from the default branch; it has: {known}",
        )
    source = (await configurations.at(mirror, stored.run.sha)).configuration
    service = source.services.get(job.job.service)
    seen = {**job_variables(stored.run, job.job), "environment": {"name": environment.name}}
    url = render(environment.url, seen)
    seen["environment"] = {"name": environment.name, "url": url}
    said = desired.State(
        repository=stored.repository,
        environment=environment.name,
        service=job.job.service,
        digest=digest,
        commit=chosen.sha,
        url=url,
        target=environment.target.kind,
        options={name: render(text, seen) for name, text in environment.target.options.items()},
        health=desired.health(service.health if service else None, seen),
        drift=environment.drift,
        every=environment.reconcile_every,
    )
    return replace(chosen, content=desired.dump(said))


async def _build(
    world: World, configurations: Configurations, stored: StoredRun, job: JobRun
) -> Chosen:
    if job.job.promote_from:
        return await _promoted(world, stored, job)
    if job.job.digest and not job.job.rollback:
        await _ours(world, stored.repository, job)
    digest = job.job.digest or await _digest(world, configurations, stored, job)
    return Chosen(digest=digest, sha=stored.run.sha, branch=stored.branch)


async def _ours(world: World, repository: str, job: JobRun) -> None:
    """Refuse a digest that is no build of the service, or a stranger's."""
    wanted, service = job.job.digest, job.job.service
    made = await world.store.read(lambda tx: tx.find(Build, digest=wanted, repository=repository))
    if not any(one.trusted and one.service == service for one in made):
        raise UserError(
            f"there is no build {wanted[:19]} of {service} that may be deployed",
            hint="windlass builds list shows them; a stranger's is never deployed",
        )


async def _promoted(world: World, stored: StoredRun, job: JobRun) -> Chosen:
    """What the other environment runs, with the commit and branch that it came from."""
    source, service = job.job.promote_from, job.job.service
    name = place_name(stored.repository, source, service)

    def work(tx: Tx) -> Deployment | None:
        place = tx.get(Place, name)
        digest = place.observed if place else ""
        came = tx.find(
            Deployment, place=name, state="succeeded", digest=digest, order="-number", limit=1
        )
        return next(iter(came), None) if digest else None

    came = await world.store.read(work)
    if came is None:
        raise UserError(f"{source} runs no {service} that was deployed there")
    return Chosen(digest=came.digest, sha=came.sha, branch=came.branch)


async def _digest(
    world: World, configurations: Configurations, stored: StoredRun, job: JobRun
) -> str:
    service = job.job.service
    for other in stored.run.jobs.values():
        mine = other.job.kind is JobKind.BUILD and other.job.service == service
        # One that may fail passes, and has made nothing.
        if mine and other.state is State.SUCCEEDED:
            return other.outputs["digest"]
    this = await builds.wanted(world, configurations, stored.repository, service, stored.run.sha)
    build = await world.store.read(lambda tx: tx.get(Build, this.identity))
    if build is None or not build.trusted:
        raise UserError(
            f"there is no build of {service} for this commit",
            hint=f"add `build: {service}` before the deploy",
        )
    return build.digest


async def _earlier(world: World, stored: StoredRun, job: JobRun, digest: str) -> str:
    """What the state repository said when this build ran there before; configuration and digest."""
    place = place_name(stored.repository, job.job.environment, job.job.service)

    def work(tx: Tx) -> str:
        ran = tx.find(Deployment, place=place, state="succeeded", order="-number")
        return next((one.content for one in ran if one.digest == digest), "")

    earlier = await world.store.read(work)
    if not earlier:
        raise UserError(
            f"{digest[:19]} never ran in {job.job.environment}",
            hint="a rollback goes to what was there before: windlass builds list",
        )
    return earlier


async def withdraw(world: World, key: Key) -> None:
    """The run was cancelled: what still waits ends, what is under way goes on to its end."""
    now = world.clock.now()

    def work(tx: Tx) -> None:
        for one in tx.find(Deployment, run=key.run, job=key.job, attempt=key.attempt):
            if one.state in {"waiting", "approval"}:
                tx.save(replace(one, state="cancelled", reason="run cancelled", ended_at=now))
                effects.place(tx, one.place, now)
                ended = JobEnded(job=key.job, attempt=key.attempt, at=now, state=State.CANCELLED)
                advance(tx, key.run, ended, f"{key.id}:withdrawn", now)

    await world.store.transaction(work)
