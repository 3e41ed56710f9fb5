"""
Commands about environments: deploy, approve, roll back.
"""

from __future__ import annotations

from windlass.core.errors import Conflict, NotAllowed, NotFound, UserError
from windlass.engine.admission import Admissions
from windlass.engine.chat.given import Given, Outcome, short
from windlass.engine.names import run_path
from windlass.engine.requests.asked import commit_of
from windlass.engine.requests.deployments import DeploymentRequests
from windlass.engine.wishes import Requested
from windlass.ports.forge import PullRequest, PullState
from windlass.ports.records import Build, Deployment, Place, StoredRun
from windlass.ports.store import Tx


class DeploymentCommands(DeploymentRequests):
    """What a comment may ask of environments."""

    async def bring(self, given: Given) -> Outcome:
        """Deploy what its present head, or its merge, was built to."""
        run = await self._there(given.key) or await self._start(await self._wish(given))
        return Outcome(f"run {run.number} deploys {short(run.status_sha)}", run_path(run.number))

    async def consent(self, given: Given) -> Outcome:
        """Approve what waits for it there, of its present head or its merge."""
        pull = await given.pull()
        asked = await self._world.store.read(lambda tx: _waiting(tx, given, pull))
        if not asked:
            raise Conflict(f"nothing of this pull request waits for approval in {given.name}")
        await self._not_oneself(given, [one for one, _ in asked], [run for _, run in asked])
        for one, _ in asked:
            await self.approve(one.number, by=given.by)
        told = ", ".join(f"deployment {one.number} ({one.service})" for one, _ in asked)
        return Outcome(f"approved {told}", run_path(asked[-1][0].run))

    async def back(self, given: Given) -> Outcome:
        """Back to what ran there before."""
        service = await self._service(given)
        run = await self.rollback(
            given.repository.name,
            service,
            given.name,
            by=given.by,
            by_id=given.by_id,
            key=given.key,
            pull_request=given.number,
        )
        return Outcome(
            f"run {run.number} rolls {service} in {given.name} back to {short(run.sha)}",
            run_path(run.number),
        )

    async def _wish(self, given: Given) -> Requested:
        pull = await given.pull()
        merged = pull.state is PullState.MERGED
        if pull.state is PullState.CLOSED:
            raise Conflict(f"pull request {given.number} is closed")
        if pull.fork and not merged:
            raise NotAllowed("what comes from a fork is deployed after it was merged")
        service = await self._service(given)
        head = pull.merge_sha if merged else pull.head_sha
        mirror = self._world.mirrors.of(given.repository)
        await mirror.fetch()  # admission asks where the branch is now
        default = await commit_of(mirror, given.repository.default_branch)
        await self._known(mirror, default, service, given.name)
        sha, digest = await self._world.store.read(lambda tx: _built(tx, given, service, head))
        return Requested(
            repository=given.repository,
            service=service,
            environment=given.name,
            sha=sha or head,
            head=head,
            branch=pull.base if merged else pull.head,
            digest=digest,
            by=given.by,
            by_id=given.by_id,
            why=f"pull request {given.number}: {pull.title}"[:200],
            key=given.key,
            pull_request=given.number,
        )

    async def _not_oneself(
        self, given: Given, asked: list[Deployment], runs: list[StoredRun]
    ) -> None:
        """Nobody approves by another name what they asked for: the forge's id tells."""
        rules = await Admissions(self._world, self._configurations).rules(
            given.repository, given.name
        )
        own = [one.number for one, run in zip(asked, runs, strict=True) if _asked(run, given)]
        if own and rules and rules.approval and rules.approval.prevent_self:
            raise NotAllowed(
                f"{given.by} asked for deployment {own[0]}, and `prevent_self` wants somebody else"
            )

    async def _service(self, given: Given) -> str:
        """The named service, or the only one that can be meant."""
        if given.service:
            return given.service
        mirror = self._world.mirrors.of(given.repository)
        head = await commit_of(mirror, given.repository.default_branch)
        loaded = await self._configurations.at(mirror, head)
        if loaded.fault:
            raise loaded.fault
        if given.name not in loaded.configuration.environments:
            known = ", ".join(loaded.configuration.environments) or "none"
            raise NotFound(f"there is no environment {given.name}; there is: {known}")
        services = tuple(loaded.configuration.services)
        if len(services) > 1:
            places = await self._world.store.read(
                lambda tx: tx.find(Place, repository=given.repository.name, environment=given.name)
            )
            services = tuple(one.service for one in places) if len(places) == 1 else services
        if len(services) != 1:
            verb = given.command.verb
            known = ", ".join(services) or "none"
            raise UserError(f"say which service: /{verb} {given.name} <service>; there is: {known}")
        return services[0]


def _built(tx: Tx, given: Given, service: str, head: str) -> tuple[str, str]:
    """What was built of a head, merged into its base, and the build; empty: ask by its tree."""
    name = given.repository.name
    runs = {
        one.number: one.sha
        for one in tx.find(StoredRun, repository=name, status_sha=head)
        if one.run.trusted
    }
    made = {
        job.outputs["digest"]: runs[one.number]
        for one in tx.find(StoredRun, repository=name, status_sha=head, order="number")
        if one.number in runs
        for job in one.run.jobs.values()
        if job.job.service == service and job.outputs.get("digest")
    }
    for digest, sha in reversed(made.items()):
        builds = tx.find(Build, repository=name, digest=digest)
        if any(one.trusted and one.service == service for one in builds):
            return sha, digest
    return "", ""


def _waiting(tx: Tx, given: Given, pull: PullRequest) -> list[tuple[Deployment, StoredRun]]:
    """Deployments there that wait for people, with their runs."""
    name = given.repository.name
    commits = {pull.head_sha, pull.merge_sha} - {""}
    found = []
    for one in tx.find(Deployment, repository=name, state="approval", order="number"):
        run = tx.get(StoredRun, one.run)
        if one.environment == given.name and run and {one.sha, run.status_sha} & commits:
            found.append((one, run))
    return found


def _asked(run: StoredRun, given: Given) -> bool:
    return bool(given.by_id) and run.run.event.sender_id == given.by_id
