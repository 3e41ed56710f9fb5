"""
Deploy, roll back, approve, reject, release a pin.

A deployment that a person asks for is a run with one job, behind an event of
its own: it is admitted, ordered, explained and shown like every other.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from windlass.core import approval
from windlass.core.errors import Conflict, NotAllowed, NotFound, UserError
from windlass.core.run import State
from windlass.engine import effects, places
from windlass.engine.admission import Admissions
from windlass.engine.audit import audit
from windlass.engine.deployments import OPEN
from windlass.engine.names import place_name
from windlass.engine.requests.asked import Asked, commit_of
from windlass.engine.wishes import BY_HAND, Requested, request_deploy
from windlass.git.mirror import Mirror
from windlass.ports.records import Build, Deployment, Place, Repository, StoredEvent, StoredRun
from windlass.ports.store import Tx


class DeploymentRequests(Asked):
    """What may be asked of environments. What is asked again with the same `key` is done once."""

    async def deploy(  # noqa: PLR0913 - what, where, which, who and why
        self,
        repository: str,
        service: str,
        environment: str,
        *,
        ref: str = "",
        digest: str = "",
        by: str,
        why: str = "",
    ) -> StoredRun:
        """Deploy the build of a branch, tag or commit (default: default branch), or a digest."""
        found = await self._repository(repository)
        mirror = self._world.mirrors.of(found)
        await mirror.fetch()
        head = await commit_of(mirror, found.default_branch)
        await self._known(mirror, head, service, environment)
        if digest:
            digest, sha = await self._build(repository, service, digest)
            branch = found.default_branch
        else:
            sha = await commit_of(mirror, ref or found.default_branch)
            branch = await self._branch(mirror, ref or found.default_branch, found)
        asked = Requested(
            repository=found,
            service=service,
            environment=environment,
            sha=sha,
            branch=branch,
            digest=digest,
            by=by,
            why=why or f"deploy of {ref or digest[:19] or found.default_branch}",
            key=secrets.token_hex(12),
        )
        return await self._start(asked)

    async def rollback(  # noqa: PLR0913 - what, where, to which, who and why
        self,
        repository: str,
        service: str,
        environment: str,
        *,
        digest: str = "",
        by: str,
        why: str = "",
        key: str = "",
        pull_request: int = 0,
        by_id: str = "",
    ) -> StoredRun:
        """Back to a build that ran there (default: the one before), and pinned until released."""
        if key and (there := await self._there(key)):
            return there
        found = await self._repository(repository)
        name = place_name(repository, environment, service)

        def work(tx: Tx) -> tuple[Deployment, str]:
            place = tx.get(Place, name)
            ran = tx.find(Deployment, place=name, state="succeeded", order="-number")
            if digest:
                fits = [one for one in ran if one.digest.startswith(_full(digest))]
            else:
                fits = _before(ran, place.digest if place else "")
            if not fits:
                wanted = digest[:19] or "an earlier build"
                raise Conflict(
                    f"{wanted} never ran as {service} in {environment}",
                    hint="it goes to what was healthy there; use windlass deploy for others",
                )
            if digest and len({one.digest for one in fits}) > 1:
                raise UserError(f"{digest} is the beginning of several", hint="give more of it")
            run = tx.get(StoredRun, fits[0].run)
            # The forge does not know the commit that a pull request was merged to for its test.
            return fits[0], run.status_sha if run and run.sha == fits[0].sha else ""

        back, head = await self._world.store.read(work)
        asked = Requested(
            repository=found,
            service=service,
            environment=environment,
            sha=back.sha,
            branch=back.branch,
            digest=back.digest,
            by=by,
            why=why or f"rollback to {back.digest[:19]}",
            key=key or secrets.token_hex(12),
            rollback=True,
            head=head,
            pull_request=pull_request,
            by_id=by_id,
        )
        return await self._start(asked)

    async def unpin(self, repository: str, service: str, environment: str, *, by: str) -> Place:
        """Release the pin of a rollback: what waits behind it may go on."""
        name = place_name(repository, environment, service)
        now = self._now()

        def work(tx: Tx) -> Place:
            place = tx.get(Place, name)
            if place is None:
                raise NotFound(f"{service} was never deployed to {environment}")
            if not place.pinned:
                raise Conflict(f"{service} in {environment} is not pinned")
            after = replace(place, pinned="")
            tx.save(after)
            audit(tx, by, "unpin", name, now, place.pinned)
            effects.place(tx, name, now)
            return replace(after, version=after.version + 1)

        return await self._world.store.transaction(work)

    async def approve(self, deployment: int, *, by: str) -> Deployment:
        """One person's approval of this commit and this digest; twice is once."""
        asked = await self._world.store.read(lambda tx: _open(tx, deployment))
        repository = await self._repository(asked.repository)
        admissions = Admissions(self._world, self._configurations)
        rules = await admissions.rules(repository, asked.environment)
        if rules is None or rules.approval is None:
            raise Conflict(f"deployment {deployment} needs no approval")
        if reason := approval.why_not(rules.approval, by, asked.by):
            raise NotAllowed(reason)
        now = self._now()

        def work(tx: Tx) -> Deployment:
            current = _open(tx, deployment)
            if by in current.approvals:
                return current
            after = replace(current, approvals=(*current.approvals, by))
            tx.save(after)
            audit(tx, by, "approve", f"deployment {deployment}", now, current.digest)
            effects.place(tx, current.place, now)
            return replace(after, version=after.version + 1)

        return await self._world.store.transaction(work)

    async def reject(self, deployment: int, *, by: str, why: str = "") -> Deployment:
        """No: the deployment ends, and with it its job."""
        now = self._now()

        def work(tx: Tx) -> Deployment:
            current = _open(tx, deployment)
            if current.state not in {"waiting", "approval"}:
                raise Conflict(f"deployment {deployment} is {current.state} already")
            reason = f"by {by}" + (f": {why}" if why else "")
            after = replace(current, state="rejected", reason=reason, ended_at=now)
            tx.save(after)
            audit(tx, by, "reject", f"deployment {deployment}", now, why)
            places.end(tx, after, State.FAILED, f"rejected {after.reason}", now)
            effects.place(tx, after.place, now)
            return replace(after, version=after.version + 1)

        return await self._world.store.transaction(work)

    async def _there(self, key: str) -> StoredRun | None:
        """The run of a wish that was asked with this key before."""

        def work(tx: Tx) -> StoredRun | None:
            events = tx.find(StoredEvent, delivery=f"{BY_HAND}-{key}", position=0)
            runs = tx.find(StoredRun, event=events[0].number, cause=BY_HAND) if events else []
            return next(iter(runs), None)

        return await self._world.store.read(work)

    async def _start(self, asked: Requested) -> StoredRun:
        now = self._now()

        def work(tx: Tx) -> StoredRun:
            run = request_deploy(tx, asked, now)
            if run is None:
                raise Conflict("this was asked for already")
            return run

        return await self._world.store.transaction(work)

    async def _known(self, mirror: Mirror, head: str, service: str, environment: str) -> None:
        """Refuse a service or environment that is not there before anything starts."""
        loaded = await self._configurations.at(mirror, head)
        if loaded.fault:
            raise loaded.fault
        for what, names, wanted in (
            ("service", loaded.configuration.services, service),
            ("environment", loaded.configuration.environments, environment),
        ):
            if wanted not in names:
                known = ", ".join(names) or "none"
                raise NotFound(f"there is no {what} {wanted}", hint=f"there is: {known}")

    async def _branch(self, mirror: Mirror, ref: str, repository: Repository) -> str:
        """The branch that admission asks about: the named one, or the default branch's name."""
        named = await mirror.objects.resolve(f"refs/heads/{ref}")
        return ref if named is not None else repository.default_branch

    async def _build(self, repository: str, service: str, digest: str) -> tuple[str, str]:
        def work(tx: Tx) -> list[Build]:
            return tx.find(Build, repository=repository, order="-created_at")

        builds = await self._world.store.read(work)
        fits = [
            one
            for one in builds
            if one.service == service and one.digest.startswith(_full(digest)) and one.trusted
        ]
        if not fits:
            raise NotFound(f"there is no build {digest} of {service}", hint="windlass builds list")
        if len({one.digest for one in fits}) > 1:
            raise UserError(f"{digest} is the beginning of several builds", hint="give more of it")
        return fits[0].digest, fits[0].commits[-1]


def _before(ran: list[Deployment], now: str) -> list[Deployment]:
    """
    What ran before the build that is wanted now came, newest first.

    What a rollback brought back came when it was deployed, so rolling back twice goes
    back twice.
    """
    came = next((one.number for one in ran if one.digest == now and one.kind != "rollback"), None)
    return [one for one in ran if one.digest != now and (came is None or one.number < came)]


def _full(digest: str) -> str:
    if digest in {"sha256:", "sha256"}:
        raise UserError(f"{digest} begins every digest", hint="give more of it")
    return digest if digest.startswith("sha256:") else f"sha256:{digest}"


def _open(tx: Tx, number: int) -> Deployment:
    found = tx.get(Deployment, number)
    if found is None:
        raise NotFound(f"there is no deployment {number}", hint="windlass environments list")
    if found.state not in OPEN:
        raise Conflict(f"deployment {number} has ended: {found.state}")
    return found
