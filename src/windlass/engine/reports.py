"""
What the forge learns: statuses on commits and one comment on a pull request.

A report carries a key. What it says is read here, when it is sent, so retries
and reordering cannot make it say something old.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.run import ENDED, Run, State
from windlass.engine import comment
from windlass.engine.names import run_path, status_context
from windlass.engine.world import World
from windlass.ports.forge import Status, StatusState
from windlass.ports.records import CommitStatus, Repository, StoredEvent, StoredRun
from windlass.ports.store import Tx

SAID = {
    State.HELD: (StatusState.PENDING, "waits to be allowed"),
    State.PENDING: (StatusState.PENDING, "waits for its turn"),
    State.RUNNING: (StatusState.PENDING, "is running"),
    State.WAITING: (StatusState.PENDING, "waits"),
    State.SUCCEEDED: (StatusState.SUCCESS, "succeeded"),
    State.FAILED: (StatusState.FAILURE, "failed"),
    State.CANCELLED: (StatusState.ERROR, "was cancelled"),
    State.SKIPPED: (StatusState.NEUTRAL, "was skipped"),
}

# The shortest limit of the forges we know for a status description, in characters.
LONGEST = 140

CONFIGURATION = "windlass/configuration"


@dataclass(frozen=True, slots=True)
class Reporter:
    """Sends reports by the ports of the repository's forge."""

    world: World

    async def status(self, repository: str, sha: str, context: str) -> None:
        """Set one status of a commit to what is true now."""

        def work(tx: Tx) -> tuple[Repository | None, StoredRun | None]:
            said = tx.get(CommitStatus, repository, sha, context)
            newest = tx.get(StoredRun, said.run) if said else None
            return tx.get(Repository, repository), newest

        found, stored = await self.world.store.read(work)
        if found is None or stored is None:
            return
        status = status_of(stored, context, self.world.public_url)
        reports = self.world.forges[found.forge].reports
        await reports.status(found.url, status)

    async def configuration(self, repository: str, sha: str, event: int) -> None:
        """Say on the commit that its configuration cannot be used, or that it can again."""

        def work(tx: Tx) -> tuple[Repository | None, StoredEvent | None]:
            return tx.get(Repository, repository), tx.get(StoredEvent, event)

        found, stored = await self.world.store.read(work)
        if found is None or stored is None:
            return
        faults = stored.fault.splitlines()
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        status = Status(
            sha=sha,
            context=CONFIGURATION,
            state=StatusState.FAILURE if faults else StatusState.SUCCESS,
            description=_cut(faults[0], more) if faults else "the configuration is valid again",
            url=f"{self.world.public_url}/events/{event}",
        )
        await self.world.forges[found.forge].reports.status(found.url, status)

    async def comment(self, repository: str, number: int) -> None:
        """Make the comment on a pull request say how its newest runs stand."""

        def work(tx: Tx) -> tuple[Repository | None, tuple[StoredRun, ...]]:
            runs = tx.find(
                StoredRun, repository=repository, pull_request=number, order="-number", limit=50
            )
            newest = {one.listener: one for one in reversed(runs)}
            return tx.get(Repository, repository), tuple(newest.values())

        found, runs = await self.world.store.read(work)
        if found is None or not runs:
            return
        body = comment.compose(runs, self.world.logs, self.world.public_url)
        await self.world.forges[found.forge].reports.comment(found.url, number, body)


def status_of(stored: StoredRun, context: str, public_url: str) -> Status:
    """The status of one action of a run; its link leads to the failed step, if there is one."""
    run = stored.run
    action = next(one for one in run.actions if status_context(one) == context)
    held = run.state is State.HELD
    state, words = SAID[State.HELD if held else run.action_state(action)]
    return Status(
        sha=stored.status_sha,
        context=context,
        state=state,
        description=_cut(_describe(run, action, words), ""),
        url=f"{public_url}{run_path(stored.number)}{_anchor(run, action)}",
    )


def _describe(run: Run, action: str, words: str) -> str:
    if run.state is State.HELD:
        return run.reason
    telling = [
        job
        for job in run.jobs.values()
        if job.action == action
        and job.state in {State.FAILED, State.CANCELLED, State.WAITING}
        and not job.passed
    ]
    for job in telling:
        if job.reason:
            return f"{job.job.name}: {job.reason}"
        if job.exit_code is not None:
            return f"{job.job.name}: exit code {job.exit_code}"
    jobs = [job for job in run.jobs.values() if job.action == action]
    ended = sum(job.state in ENDED for job in jobs)
    return words if ended in {0, len(jobs)} else f"{words} ({ended} of {len(jobs)} jobs done)"


def _anchor(run: Run, action: str) -> str:
    """Straight to the failed step: one click from the red status to the failing line."""
    for name, job in run.jobs.items():
        if job.action == action and job.state is State.FAILED and not job.job.allow_failure:
            return f"?job={name}#failure"
    return ""


def _cut(text: str, more: str) -> str:
    line = " ".join(text.split())
    room = LONGEST - len(more)
    return (line if len(line) <= room else line[: room - 1] + "…") + more
