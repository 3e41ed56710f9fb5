"""
What admission has to know about a deployment, gathered from the store and from Git.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from windlass.core.environment import (
    Admission,
    Environment,
    Refuse,
    Standing,
    Wait,
    Wish,
    admit,
)
from windlass.core.errors import NotFound, Permanent, Transient, UserError
from windlass.engine.configurations import Configurations, Loaded
from windlass.engine.names import place_name
from windlass.engine.reviews import Reviews, coming
from windlass.engine.world import World
from windlass.git.mirror import Mirror
from windlass.ports.records import Deployment, Place, PullRequestState, Repository, StoredRun
from windlass.ports.store import Tx

# Seconds until admission is asked again: once a review was found, and while no forge answers.
SOON, LATER = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class _Known:
    run: StoredRun | None
    verified: frozenset[str]
    healthy: dict[str, float]
    pulls: tuple[PullRequestState, ...]


class Admissions:
    """Asks `admit` with everything it needs."""

    def __init__(
        self, world: World, configurations: Configurations, reviews: Reviews | None = None
    ) -> None:
        """`reviews` asks the forge for those that are not known; without it nobody is asked."""
        self._world = world
        self._configurations = configurations
        self._reviews = reviews

    async def rules(self, repository: Repository, environment: str) -> Environment | None:
        """The environment as the default branch has it now."""
        loaded = await self._loaded(repository)
        return loaded.configuration.environments.get(environment) if loaded else None

    async def _fault(self, repository: Repository) -> str:
        """What is wrong with the configuration of the default branch, in one line."""
        loaded = await self._loaded(repository)
        fault = loaded.fault if loaded else None
        return str(fault).splitlines()[0] if fault else ""

    async def _loaded(self, repository: Repository) -> Loaded | None:
        mirror = self._world.mirrors.of(repository)
        head = await mirror.objects.resolve(f"refs/heads/{repository.default_branch}")
        return await self._configurations.at(mirror, head) if head else None

    async def ask(self, deployment: Deployment, place: Place | None) -> Admission:
        """Whether this deployment may become the desired state of its place now."""
        store = self._world.store
        repository = await store.read(lambda tx: tx.get(Repository, deployment.repository))
        if repository is None or not repository.active:
            return Refuse("rejected", f"{deployment.repository} is no longer connected")
        if fault := await self._fault(repository):
            branch = repository.default_branch
            return Wait(f"the configuration of {branch} cannot be used: {fault}")
        rules = await self.rules(repository, deployment.environment)
        if rules is None:
            return Refuse("rejected", f"there is no environment {deployment.environment} any more")
        known = await store.read(lambda tx: _gather(tx, deployment, rules))
        mirror = self._world.mirrors.of(repository)
        wish = await self._wish(deployment, known, mirror)
        here = place.sha if place else ""
        standing = Standing(
            digest=place.digest if place else "",
            order=place.order if place else 0,
            # The same commit once more is no older one.
            contains=here != deployment.sha and await _contains(mirror, deployment.sha, here),
            pinned=place.pinned if place else "",
            blocked=place.blocked if place else (),
            healthy_since=known.healthy,
        )
        now = self._world.clock.now()
        answer = admit(rules, wish, standing, now)
        if isinstance(answer, Refuse) and self._reviews is not None:
            reviewed = admit(rules, replace(wish, reviewed=True), standing, now)
            if not isinstance(reviewed, Refuse):
                return await self._asked(self._reviews, repository, known.pulls, answer)
        return answer

    async def _asked(
        self,
        reviews: Reviews,
        repository: Repository,
        pulls: tuple[PullRequestState, ...],
        answer: Refuse,
    ) -> Admission:
        """
        The answer where nothing but a review is missing: before it ends so, the forge is asked.

        A webhook may have been lost, and a refusal is for ever.
        """
        now = self._world.clock.now()
        if await self._world.store.read(lambda tx: coming(tx, repository.name)):
            return Wait("its repository's events are being taken in", now + SOON)
        for pull in pulls:
            try:
                missing = await reviews.look(repository, pull.number)
            except Transient as error:
                reason = f"its forge has to be asked who approved pull request {pull.number}"
                return Wait(f"{reason}: {error}", now + (error.retry_after or LATER))
            except (Permanent, UserError) as error:
                reason = f"{answer.reason}; its forge does not tell of reviews: {error}"
                return Refuse(answer.state, reason)
            if missing != 0:
                reason = f"reviews of pull request {pull.number} are being taken in"
                return Wait(reason, now + SOON)
        return answer

    async def older(self, one: Deployment, other: Deployment) -> bool:
        """Whether its commit is before the other's on their branch, whichever was told first."""
        if one.branch != other.branch or one.sha == other.sha:
            return False
        if "rollback" in {one.kind, other.kind}:
            return False
        store = self._world.store
        repository = await store.read(lambda tx: tx.get(Repository, one.repository))
        if repository is None:
            return False
        return await _contains(self._world.mirrors.of(repository), one.sha, other.sha)

    async def _wish(self, deployment: Deployment, known: _Known, mirror: Mirror) -> Wish:
        branch = f"refs/heads/{deployment.branch}"
        tip = await mirror.objects.resolve(branch) if deployment.branch else None
        tested = known.run.status_sha if known.run else deployment.sha
        return Wish(
            digest=deployment.digest,
            branch=deployment.branch,
            order=deployment.order,
            by=deployment.by,
            requested_at=deployment.requested_at,
            rollback=deployment.kind == "rollback",
            approvals=deployment.approvals,
            reviewed=_reviewed(deployment, known.pulls),
            verified=known.verified,
            left=tip is not None and not await _contains(mirror, tested, tip),
            tip=tip is None or tip == tested,
        )


async def _contains(mirror: Mirror, sha: str, later: str) -> bool:
    """Whether `later` has `sha` among its ancestors, or is it."""
    if not sha or not later:
        return False
    try:
        return sha == later or await mirror.is_ancestor(sha, later)
    except NotFound:
        return False


def _gather(tx: Tx, deployment: Deployment, rules: Environment) -> _Known:
    healthy: dict[str, float] = {}
    for name in rules.promote_from:
        place = place_name(deployment.repository, name, deployment.service)
        ran = tx.find(
            Deployment, place=place, state="succeeded", digest=deployment.digest, order="number"
        )
        for one in ran:
            healthy.setdefault(name, one.ended_at or one.requested_at)
    pulls = tx.find(PullRequestState, repository=deployment.repository, merge_sha=deployment.sha)
    return _Known(
        run=_run(tx, deployment),
        verified=_verified(tx, deployment) if rules.verified_by else frozenset(),
        healthy=healthy,
        pulls=tuple(pulls),
    )


def _run(tx: Tx, deployment: Deployment) -> StoredRun | None:
    """The run that its commit came by: not its own when it was promoted."""
    own = tx.get(StoredRun, deployment.run)
    if own is not None and own.sha == deployment.sha:
        return own
    same = tx.find(
        StoredRun, repository=deployment.repository, sha=deployment.sha, order="-number", limit=1
    )
    return next(iter(same), None)


def _verified(tx: Tx, deployment: Deployment) -> frozenset[str]:
    """Pipelines that have passed with this very build."""
    passed: set[str] = set()
    for stored in tx.find(StoredRun, repository=deployment.repository, state="succeeded"):
        if not stored.run.trusted:
            continue  # its pipelines are a stranger's own
        jobs = stored.run.jobs.values()
        if any(job.outputs.get("digest") == deployment.digest for job in jobs):
            passed |= {
                job.action.removeprefix("pipeline/")
                for job in jobs
                if job.action.startswith("pipeline/")
            }
    return frozenset(passed)


def _reviewed(deployment: Deployment, pulls: tuple[PullRequestState, ...]) -> bool:
    """Whether it came by a merged pull request that somebody else approved at its last head."""
    return any(
        approver != pull.author_id and head == pull.head_sha
        for pull in pulls
        for approver, _, head in (one.rpartition("@") for one in pull.approved)
        if pull.merge_sha == deployment.sha
    )
