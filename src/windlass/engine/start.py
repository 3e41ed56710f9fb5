"""
A match becomes a run: which jobs, on which commit, held or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from windlass.core.event import Event
from windlass.core.listener import Listener, Verdict
from windlass.core.pipeline import JobKind
from windlass.core.plan import plan
from windlass.core.policy import check_images
from windlass.core.run import JobRun, Run, State
from windlass.engine import replays
from windlass.engine.situation import Situation

# Why a stranger's run does not begin.
STRANGER = "waits until a person with write permission allows this commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One event of a delivery, every listener's verdict, and the runs that they start."""

    event: Event
    situation: Situation | None
    verdicts: Mapping[str, Verdict]
    runs: Mapping[str, Run]
    fault: str = ""


def draft(listener: Listener, at: Situation) -> Run:
    """
    The run of one listener, still without a number. Raises `ConfigError`.

    A stranger's code is held, and what could deploy it has ended before anyone looks; so it
    has in a replay that shall deploy nothing.
    """
    seen = {
        "event": at.event,
        "repository": at.repository.name,
        "run": {"sha": at.sha, "listener": listener.name},
    }
    drawn = plan(listener.actions, at.configuration, seen)
    jobs = drawn.jobs
    images = (image for one in jobs.values() for image in one.job.images)
    check_images(at.repository.policy, images)
    held = "" if at.trusted else at.barred or STRANGER
    if not at.trusted:
        jobs = {name: _undeployed(job) for name, job in jobs.items()}
    elif not at.deploys:
        jobs = {name: replays.undeployed(job) for name, job in jobs.items()}
    return Run(
        number=0,
        repository=at.repository.name,
        event=at.event,
        listener=listener.name,
        sha=at.sha,
        status_sha=at.status_sha,
        config_sha=at.config_sha,
        branch=at.branch,
        jobs=jobs,
        state=State.HELD if held else State.RUNNING,
        reason=held,
        trusted=at.trusted,
        values=drawn.values,
    )


def _undeployed(job: JobRun) -> JobRun:
    """The job of a stranger's run; what follows a deploy is skipped with it."""
    if job.job.kind is not JobKind.DEPLOY:
        return job
    return replace(job, state=State.SKIPPED, reason="a stranger's code is never deployed")
