"""
Builds: found by their identity, or made once and kept.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from windlass.core.build import Made, identity, provenance, recipe_digest
from windlass.core.errors import UserError, WindlassError
from windlass.core.pipeline import BuildRecipe
from windlass.core.run import JobEnded, JobRun, State
from windlass.engine.configurations import Configurations
from windlass.engine.names import run_path
from windlass.engine.world import World
from windlass.ports.executor import Ended
from windlass.ports.records import Build, Repository, StoredRun
from windlass.ports.store import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which build a job wants: its identity, and how to make it."""

    identity: str
    repository: str
    service: str
    tree: str
    digest_of_recipe: str
    recipe: BuildRecipe
    path: str
    sha: str


async def recipe(
    world: World, configurations: Configurations, stored: StoredRun, job: JobRun
) -> Wanted:
    """What the commit under test says about building the job's service. Raises `UserError`."""
    return await wanted(world, configurations, stored.repository, job.job.service, stored.run.sha)


async def wanted(
    world: World, configurations: Configurations, repository: str, service: str, sha: str
) -> Wanted:
    """The build of a service at a commit."""
    found = await world.store.read(lambda tx: tx.get(Repository, repository))
    if found is None:
        raise UserError(f"{repository} is not connected")
    mirror = world.mirrors.of(found)
    loaded = await configurations.at(mirror, sha)
    written = loaded.configuration.services.get(service)
    if written is None or written.build is None:
        raise UserError(
            f"service {service} has no `build` at commit {sha[:12]}",
            hint="add `build: {steps: [...], artifacts: [...]}` to the service",
        )
    tree = await mirror.objects.tree(sha, written.path)
    if tree is None:
        raise UserError(f"there is no folder {written.path} at commit {sha[:12]}")
    digest = recipe_digest(written.build)
    return Wanted(
        identity=identity(repository, service, tree, digest),
        repository=repository,
        service=service,
        tree=tree,
        digest_of_recipe=digest,
        recipe=written.build,
        path=written.path,
        sha=sha,
    )


async def find(world: World, this: Wanted) -> Build | None:
    """The build that was made before, with this commit added to those it stands for."""

    def work(tx: Tx) -> Build | None:
        build = tx.get(Build, this.identity)
        if build is None or not build.trusted:
            return None
        if this.sha not in build.commits:
            tx.save(replace(build, commits=(*build.commits, this.sha)))
        return build

    return await world.store.transaction(work)


def found(job: str, attempt: int, build: Build, at: float) -> JobEnded:
    """The end of a build job that had nothing to do."""
    return JobEnded(
        job=job,
        attempt=attempt,
        at=at,
        state=State.SUCCEEDED,
        reason=f"found, built by run {build.run}",
        outputs={"digest": build.digest, "identity": build.identity},
    )


async def collect(  # noqa: PLR0913, PLR0917 - what was wanted, what happened, where to put it
    world: World,
    configurations: Configurations,
    stored: StoredRun,
    job: JobRun,
    fact: JobEnded,
    ended: Ended,
) -> JobEnded:
    """Store what a build job made; the fact says its digest, or why it could not be kept."""
    try:
        this = await recipe(world, configurations, stored, job)
        if ended.package is None:
            raise UserError("the build made no artifacts")
        artifact = await asyncio.to_thread(world.artifacts.put, ended.package)
    except WindlassError as error:
        return replace(fact, state=State.FAILED, reason=str(error))
    began = job.started_at or ended.at
    build = Build(
        # A stranger's build must never be found by anyone, so it has a name of its own.
        identity=this.identity if stored.run.trusted else f"{this.identity}.{stored.number}",
        repository=stored.repository,
        service=this.service,
        tree=this.tree,
        recipe=this.digest_of_recipe,
        digest=artifact.digest,
        size=artifact.size,
        run=stored.number,
        job=fact.job,
        trusted=stored.run.trusted,
        created_at=ended.at,
        provenance=provenance(
            Made(
                repository=stored.repository,
                service=this.service,
                source=stored.repository,
                sha=stored.run.sha,
                tree=this.tree,
                recipe=this.digest_of_recipe,
                digest=artifact.digest,
                started_at=began,
                ended_at=ended.at,
                run_url=world.public_url + run_path(stored.number),
                version=world.version,
            )
        ),
        commits=(stored.run.sha,),
    )

    def work(tx: Tx) -> Build:
        """The first one made is the one that counts."""
        if tx.add(build):
            return build
        return tx.get(Build, build.identity) or build

    kept = await world.store.transaction(work)
    return replace(
        fact,
        outputs={**fact.outputs, "digest": kept.digest, "identity": kept.identity},
    )
