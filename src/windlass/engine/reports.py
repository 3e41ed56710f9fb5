"""
What the forge learns: statuses on commits and one comment on a pull request.

A report carries a key. What it says is read here, when it is sent, so retries
and reordering cannot make it say something old.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from windlass.core.chat import MOST
from windlass.core.run import ENDED, Run, State
from windlass.engine import comment
from windlass.engine.comment import Standing
from windlass.engine.explain import told
from windlass.engine.names import run_path, status_context
from windlass.engine.wording import because
from windlass.engine.world import World
from windlass.ports.executor import Logs
from windlass.ports.forge import Annotation, Status, StatusState
from windlass.ports.records import (
    ChatCommand,
    CommitStatus,
    ConfigurationCheck,
    Deployment,
    PullRequestState,
    Repository,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)
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

# Commands that the comment on a pull request tells of.
SHOWN = 5

CONFIGURATION = "windlass/configuration"

# As most compilers and linters say it: `src/a.py:12:3: what is wrong`, or pytest's `E` before it.
_AT_A_LINE = re.compile(
    r"(?P<path>(?:\./)?[\w@+-][\w@+./-]{0,200}\.\w{1,12}):(?P<line>[1-9][0-9]{0,6})"
    r"(?::[0-9]{1,6})?:?\s+(?P<message>\S.*)"
)
# What one request to a forge takes.
ANNOTATIONS = 50

DEPLOYED = {
    "succeeded": StatusState.SUCCESS,
    "failed": StatusState.FAILURE,
    "superseded": StatusState.NEUTRAL,
    "cancelled": StatusState.NEUTRAL,
    "rejected": StatusState.ERROR,
    "expired": StatusState.ERROR,
}


@dataclass(frozen=True, slots=True)
class Told:
    """Something to say to a forge: `said` is its value, `send` says it."""

    said: object
    send: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reporter:
    """Finds what is true now, and how to say it by the ports of the repository's forge."""

    world: World

    async def status(self, repository: str, sha: str, context: str) -> Told | None:
        """One status of a commit."""

        def work(tx: Tx) -> tuple[Repository | None, StoredRun | StoredVerdict | None]:
            said = tx.get(CommitStatus, repository, sha, context)
            if said is None:
                return None, None
            newest = (
                tx.get(StoredRun, said.run)
                if said.run
                else tx.get(StoredVerdict, said.event, said.listener)
            )
            return tx.get(Repository, repository), newest

        found, newest = await self.world.store.read(work)
        if found is None or newest is None:
            return None
        if isinstance(newest, StoredVerdict):
            status = skipped(newest, sha, context, self.world.public_url)
        else:
            status = status_of(newest, context, self.world.public_url)
            if status.state is StatusState.FAILURE:
                notes = await asyncio.to_thread(annotated, newest, context, self.world.logs)
                status = replace(status, annotations=notes)
        reports = self.world.forges[found.forge].reports
        return Told(status, lambda: reports.status(found.url, status))

    async def configuration(self, repository: str, sha: str, event: int) -> Told | None:
        """That the configuration of a commit cannot be used, can again, or what it would do."""

        def work(
            tx: Tx,
        ) -> tuple[Repository | None, StoredEvent | None, ConfigurationCheck | None]:
            stored, said = tx.get(StoredEvent, event), tx.get(ConfigurationCheck, event)
            return tx.get(Repository, repository), stored, said

        found, stored, said = await self.world.store.read(work)
        if found is None or stored is None:
            return None
        state, description = _configured(stored, said)
        status = Status(
            sha=sha,
            context=CONFIGURATION,
            state=state,
            description=description,
            url=f"{self.world.public_url}/events/{event}",
        )
        reports = self.world.forges[found.forge].reports
        return Told(status, lambda: reports.status(found.url, status))

    async def comment(self, repository: str, number: int) -> Told | None:
        """The comment on a pull request: how its newest runs stand."""

        def work(tx: Tx) -> tuple[Repository | None, Standing]:
            runs = tx.find(
                StoredRun, repository=repository, pull_request=number, order="-number", limit=50
            )
            newest = {one.listener: one for one in reversed(runs)}
            said = tx.find(
                ChatCommand,
                repository=repository,
                pull_request=number,
                order="-event",
                limit=2 * MOST,
            )
            last = sorted(said, key=lambda one: (one.event, one.position))[-SHOWN:]
            pull = tx.get(PullRequestState, repository, number)
            checks = tx.find(
                ConfigurationCheck,
                repository=repository,
                pull_request=number,
                order="-event",
                limit=1,
            )
            return tx.get(Repository, repository), Standing(
                runs=tuple(newest.values()),
                said=tuple(last),
                checks=tuple(one for one in checks if pull is None or one.sha == pull.head_sha),
                explained=_asked(tx, last),
            )

        found, standing = await self.world.store.read(work)
        if found is None or standing == Standing():
            return None
        body = comment.compose(standing, self.world.logs, self.world.public_url)
        reports = self.world.forges[found.forge].reports
        return Told(body, lambda: reports.comment(found.url, number, body))

    async def deployment(self, number: int) -> Told | None:
        """A deployment, where the forge has such a thing."""

        def work(tx: Tx) -> tuple[Repository | None, Deployment | None]:
            one = tx.get(Deployment, number)
            return tx.get(Repository, one.repository) if one else None, one

        found, one = await self.world.store.read(work)
        if found is None or one is None or not one.sha:
            return None
        status = Status(
            sha=one.sha,
            context=f"windlass/deploy/{one.environment}",
            state=DEPLOYED.get(one.state, StatusState.PENDING),
            description=_cut(f"{one.service}: {one.state} {one.reason}".strip(), ""),
            url=f"{self.world.public_url}{run_path(one.run)}",
        )
        reports = self.world.forges[found.forge].reports
        return Told(status, lambda: reports.deployment(found.url, status, one.environment))


def _configured(stored: StoredEvent, said: ConfigurationCheck | None) -> tuple[StatusState, str]:
    """The status of a configuration, in words."""
    faults = stored.fault.splitlines()
    if not faults and said is not None:
        if said.state != "faulty":
            calm = StatusState.SUCCESS if said.state == "same" else StatusState.NEUTRAL
            return calm, _cut(said.summary, "")
        faults = list(said.lines)
    if not faults:
        return StatusState.SUCCESS, "the configuration is valid again"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return StatusState.FAILURE, _cut(faults[0], more)


def _asked(tx: Tx, said: list[ChatCommand]) -> comment.Explained | None:
    """What was asked about last, as it stands now."""
    number = next((one.explains for one in reversed(said) if one.explains), 0)
    if not number or tx.get(StoredEvent, number) is None:
        return None
    return comment.Explained(number, told(tx, number).lines)


def annotated(stored: StoredRun, context: str, logs: Logs) -> tuple[Annotation, ...]:
    """Messages at lines of files, read from the last lines of the jobs that failed."""
    found: dict[tuple[str, int], Annotation] = {}
    for name, job in stored.run.jobs.items():
        if job.state is not State.FAILED or status_context(job.action) != context:
            continue
        for line in comment.failing_lines(stored.number, name, job, logs).splitlines():
            if match := _AT_A_LINE.match(line):
                path, number = match["path"].removeprefix("./"), int(match["line"])
                note = Annotation(path, number, match["message"].strip()[:500])
                found.setdefault((path, number), note)
    return tuple(found.values())[:ANNOTATIONS]


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


def skipped(verdict: StoredVerdict, sha: str, context: str, public_url: str) -> Status:
    """The status of what was not started: neutral, with the reason, leading to the whole answer."""
    return Status(
        sha=sha,
        context=context,
        state=StatusState.NEUTRAL,
        description=_cut(f"not started: {because(verdict)}", ""),
        url=f"{public_url}/events/{verdict.event}",
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
