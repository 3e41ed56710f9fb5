"""
Cancel a run, run it again, let a held one go.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.errors import Conflict, NotAllowed
from windlass.core.pipeline import JobKind
from windlass.core.policy import barred
from windlass.core.run import ENDED, CancelAsked, JobRun, Run, State
from windlass.engine import groups
from windlass.engine.advance import advance
from windlass.engine.audit import audit
from windlass.engine.replays import UNDEPLOYED
from windlass.engine.requests.asked import Asked, reload
from windlass.engine.start import STRANGER
from windlass.engine.write import new_run
from windlass.ports.records import Repository, StoredFact, StoredRun
from windlass.ports.store import Tx


class RunRequests(Asked):
    """What may be asked of a run. What is asked again with the same `key` is done once."""

    async def cancel(self, run: int, *, by: str, reason: str = "", key: str = "") -> StoredRun:
        """End it: what has not started never will, what runs is stopped."""
        now = self._now()
        fact = fact_key("cancel", run, key)

        def work(tx: Tx) -> StoredRun:
            stored = reload(tx, run)
            if key and tx.get(StoredFact, fact) is not None:
                return stored
            if State(stored.state) in ENDED:
                raise Conflict(f"run {run} has {stored.state} already")
            audit(tx, by, "cancel", f"run {run}", now, reason)
            said = f"cancelled by {by}" + (f": {reason}" if reason else "")
            return advance(tx, run, CancelAsked(by=by, at=now, reason=said), fact, now)

        return await self._world.store.transaction(work)

    async def rerun(self, run: int, *, by: str, key: str = "") -> StoredRun:
        """A new run of the same jobs on the same commit; the old one stays as it is."""
        now = self._now()

        def work(tx: Tx) -> StoredRun:
            old = reload(tx, run)
            cause = f"rerun:{run}:{key}"
            if key and (there := tx.find(StoredRun, event=old.event, cause=cause)):
                return there[0]
            if State(old.state) not in ENDED:
                raise Conflict(
                    f"run {run} is still {old.state}", hint=f"windlass runs cancel {run} first"
                )
            if old.run.unmergeable:
                raise Conflict(
                    f"run {run} has nothing to run: its pull request did not merge",
                    hint="solve the conflict and push; that starts a run of its own",
                )
            audit(tx, by, "rerun", f"run {run}", now)
            number = tx.next("run")
            fresh = replace(_fresh(old.run, _barred(tx, old)), number=number, created_at=now)
            if fresh.state is not State.HELD:
                fresh = groups.enter(tx, old.concurrency, fresh)
            cause = f"rerun:{run}:{key or number}"
            return new_run(tx, fresh, old.event, now, cause=cause, concurrency=old.concurrency)

        return await self._world.store.transaction(work)

    async def release(self, run: int, *, by: str, key: str = "") -> StoredRun:
        """Let a held run go: this commit was looked at by somebody who may."""
        now = self._now()
        fact = fact_key("release", run, key)

        def work(tx: Tx) -> StoredRun:
            stored = reload(tx, run)
            if key and tx.get(StoredFact, fact) is not None:
                return stored
            if State(stored.state) is not State.HELD:
                raise Conflict(f"run {run} is not held, it is {stored.state}")
            if stored.concurrency and groups.waits(stored.run):
                raise Conflict(
                    f"run {run} {stored.run.reason}",
                    hint="it goes by itself when there is a place; cancel a run before it to hurry",
                )
            if why := _barred(tx, stored):
                raise NotAllowed(why, hint=f"windlass repo policy {stored.repository}")
            audit(tx, by, "release", f"run {run}", now, stored.status_sha)
            return groups.allow(tx, stored, by, now, fact)

        return await self._world.store.transaction(work)


def fact_key(what: str, run: int, key: str) -> str:
    """What a fact about a run is known by; `key` tells the wish."""
    return f"{what}:{run}:{key}" if key else f"{what}:{run}"


def _barred(tx: Tx, stored: StoredRun) -> str:
    """Why the present policy of its repository lets nothing of it run."""
    repository = tx.get(Repository, stored.repository)
    return barred(repository.policy, stored.run.event) if repository else ""


def _fresh(run: Run, why: str) -> Run:
    """
    The same run before anything happened; a stranger's is held anew, and deploys nothing.

    Neither does a replay that was not allowed to. `why` says that the policy lets it not run.
    """
    run = replace(run, trusted=run.trusted and not why)
    jobs = {
        name: JobRun(job=job.job, action=job.action)
        if job.job.kind is not JobKind.DEPLOY or (run.trusted and job.reason != UNDEPLOYED)
        else job
        for name, job in run.jobs.items()
    }
    state = State.RUNNING if run.trusted else State.HELD
    reason = "" if run.trusted else why or STRANGER
    return replace(
        run, jobs=jobs, state=state, reason=reason, queued=False, cancelled_by="", ended_at=None
    )
