"""
What a run wants done. Small data, written down before anything is done about it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """Begin a job; a deploy asks for admission, a build is looked up first."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopJob:
    """End a job that may be running, or a deployment that waits."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Tell the forge how this action stands. A key, not a value: the truth is read when sending."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The run has ended: bring the comment up to date, let the next in its group go."""


Effect = StartJob | StopJob | Report | Finish
