"""A run: what it is, what can happen to it, and what it then wants done."""

from windlass.core.run.advance import advance, create
from windlass.core.run.effects import Effect, Finish, Report, StartJob, StopJob
from windlass.core.run.facts import (
    CancelAsked,
    Fact,
    JobEnded,
    JobMoved,
    JobResumed,
    JobWaits,
    Queued,
    Released,
)
from windlass.core.run.state import ENDED, MOVES, JobRun, Run, State, StepRun, total
from windlass.core.run.variables import job_variables

__all__ = [
    "ENDED",
    "MOVES",
    "CancelAsked",
    "Effect",
    "Fact",
    "Finish",
    "JobEnded",
    "JobMoved",
    "JobResumed",
    "JobRun",
    "JobWaits",
    "Queued",
    "Released",
    "Report",
    "Run",
    "StartJob",
    "State",
    "StepRun",
    "StopJob",
    "advance",
    "create",
    "job_variables",
    "total",
]
