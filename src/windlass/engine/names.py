"""
Names that more than one part of the engine agrees on.

>>> log_key(7, "ci/test", 1)
'7/ci~test/1'
>>> place_name("acme/shop", "production", "api")
'acme/shop/production/api'
"""

from __future__ import annotations


def job_id(run: int, job: str, attempt: int) -> str:
    """The executor's id of a job: its idempotency key, and the name of its folder."""
    return f"{run}.{job.replace('/', '..')}.{attempt}"


def log_key(run: int, job: str, attempt: int) -> str:
    """The key of a job's log."""
    return f"{run}/{job.replace('/', '~')}/{attempt}"


def place_name(repository: str, environment: str, service: str) -> str:
    """The name of a place; also the path of its file in the state repository, less `.yaml`."""
    return f"{repository}/{environment}/{service}"


def status_context(action: str) -> str:
    """The name of a status on a commit: stable over reruns, without run numbers."""
    return f"windlass/{action}"


def run_path(run: int) -> str:
    """The path of a run's page."""
    return f"/runs/{run}"
