"""
What the expressions of a job can see.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.pipeline import Job
from windlass.core.run.state import Run, State


def job_variables(run: Run, job: Job, *, any_failed: bool = False) -> Mapping[str, object]:
    """What `${{ }}` and `if` of a job can see: event, with, needs, run, and how things stand."""
    prefix = job.name.rpartition("/")[0]
    inside = f"{prefix}/" if prefix else ""
    return {
        "event": run.event,
        "with": dict(run.values.get(prefix, {})),
        "needs": {
            name.removeprefix(inside): {
                "state": str(run.jobs[name].state),
                "outputs": dict(run.jobs[name].outputs),
            }
            for name in job.needs
        },
        "run": {"number": run.number, "sha": run.sha, "listener": run.listener},
        "service": job.service,
        "environment": job.environment,
        "failed": any_failed
        or any(
            other.state is State.FAILED and not other.passed
            for other in run.jobs.values()
            if job.final
        ),
    }
