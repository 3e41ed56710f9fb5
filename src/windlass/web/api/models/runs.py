"""
Runs, their jobs and steps.
"""

from __future__ import annotations

from datetime import datetime

from windlass.core.run import JobRun
from windlass.ports.records import StoredRun
from windlass.web.api.models.shape import Answer, Ask, maybe_when, when
from windlass.web.views.jobs import steps_of


class StepAnswer(Answer):
    """
    What became of a step; `number` is -1 for the checkout.

    `log` is where its lines begin in the job's log, in bytes.
    """

    number: int
    name: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    log: int


class JobAnswer(Answer):
    """A job of a run; `step` is the number of the step that decided a failure."""

    name: str
    kind: str
    state: str
    attempt: int
    needs: list[str]
    service: str
    environment: str
    allow_failure: bool
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    step: int | None
    reason: str
    outputs: dict[str, str]
    steps: list[StepAnswer]

    @classmethod
    def of(cls, run: JobRun) -> JobAnswer:
        """The answer for a job."""
        job = run.job
        return cls(
            name=job.name,
            kind=str(job.kind),
            state=str(run.state),
            attempt=run.attempt,
            needs=list(job.needs),
            service=job.service,
            environment=job.environment,
            allow_failure=job.allow_failure,
            started_at=maybe_when(run.started_at),
            ended_at=maybe_when(run.ended_at),
            exit_code=run.exit_code,
            step=run.step,
            reason=run.reason,
            outputs=dict(run.outputs),
            steps=[
                StepAnswer(
                    number=step.number,
                    name=step.name,
                    state=str(step.state),
                    started_at=maybe_when(step.started_at),
                    ended_at=maybe_when(step.ended_at),
                    exit_code=step.exit_code,
                    log=step.log,
                )
                for step in steps_of(run)
            ],
        )


class RunAnswer(Answer):
    """
    A run in a list; `cause` is `event`, `manual` or `rerun:N`.

    `origin` is the event that its own one repeats, by a replay.
    """

    number: int
    repository: str
    listener: str
    cause: str
    state: str
    reason: str
    event: int
    label: str
    title: str
    branch: str
    sha: str
    status_sha: str
    pull_request: int | None
    sender: str
    created_at: datetime
    ended_at: datetime | None
    origin: int | None

    @classmethod
    def of(cls, stored: StoredRun) -> RunAnswer:
        """The answer for a record."""
        run = stored.run
        return cls(
            number=stored.number,
            repository=stored.repository,
            listener=stored.listener,
            cause=stored.cause,
            state=stored.state,
            reason=run.reason,
            event=stored.event,
            label=run.event.label,
            title=run.event.title or (run.event.message or "").partition("\n")[0],
            branch=stored.branch,
            sha=stored.sha,
            status_sha=stored.status_sha,
            pull_request=stored.pull_request or None,
            sender=run.event.sender or "",
            created_at=when(stored.created_at),
            ended_at=maybe_when(stored.ended_at),
            origin=stored.origin or None,
        )


class RunDetail(RunAnswer):
    """A run with its jobs, in the order they were written; `inputs` of one that is manual."""

    trusted: bool
    cancelled_by: str
    config_sha: str
    inputs: dict[str, str | bool | int | float] | None
    jobs: list[JobAnswer]

    @classmethod
    def of(cls, stored: StoredRun) -> RunDetail:
        """The answer for a record."""
        run = stored.run
        return cls(
            **RunAnswer.of(stored).model_dump(),
            trusted=run.trusted,
            cancelled_by=run.cancelled_by,
            config_sha=run.config_sha,
            inputs=None if run.event.inputs is None else dict(run.event.inputs),
            jobs=[JobAnswer.of(job) for job in run.jobs.values()],
        )


class CancelAsk(Ask):
    """Why a run shall end."""

    reason: str = ""
