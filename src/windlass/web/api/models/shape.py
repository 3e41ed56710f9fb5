"""
What all models share: strictness, times as ISO 8601 UTC, pages of lists, errors.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from windlass.web.errors import Problem

T = TypeVar("T")


# The last moment of the year 9998, in UTC seconds.
LAST = 253_370_764_799.0


def when(seconds: float) -> datetime:
    """A time (UTC seconds) as the API says it."""
    return datetime.fromtimestamp(seconds, UTC)


def moment(when: datetime | None) -> float:
    """A time that was asked for, in UTC seconds, no later than one can be told; 0 without."""
    if when is None:
        return 0.0
    try:
        return min(when.timestamp(), LAST)
    except (OverflowError, ValueError, OSError):
        return 0.0  # before there was anything


def maybe_when(seconds: float | None) -> datetime | None:
    """The same, for what may not have happened; 0 means never."""
    return when(seconds) if seconds else None


class Answer(BaseModel):
    """Something the API says."""

    model_config = ConfigDict(frozen=True)


class Ask(BaseModel):
    """Something the API is told; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Listed(Answer, Generic[T]):
    """Part of a list, newest first; `next` is the `before` of the part that follows."""

    items: list[T]
    next: int | None = None


class FaultAnswer(Answer):
    """One thing that is wrong with a configuration."""

    file: str
    line: int
    column: int
    message: str
    hint: str
    code: str


class WrongInputAnswer(Answer):
    """One input that does not fit: its name, what it may be, what was given, and all in words."""

    name: str
    expected: str
    actual: str
    message: str


class ErrorAnswer(Answer):
    """
    What went wrong: a stable code, a text for people, and what to do about it.

    `faults` are those of a configuration, `inputs` those of a listener that is to run.
    """

    code: str
    message: str
    hint: str = ""
    faults: list[FaultAnswer] = []
    inputs: list[WrongInputAnswer] = []


class ErrorEnvelope(Answer):
    """Every answer of 4xx or 5xx."""

    error: ErrorAnswer

    @classmethod
    def of(cls, problem: Problem) -> ErrorEnvelope:
        """The answer for a problem."""
        return cls(
            error=ErrorAnswer(
                code=problem.code,
                message=problem.message,
                hint=problem.hint,
                faults=[
                    FaultAnswer(
                        file=fault.place.file,
                        line=fault.place.line,
                        column=fault.place.column,
                        message=fault.message,
                        hint=fault.hint,
                        code=fault.code,
                    )
                    for fault in problem.faults
                ],
                inputs=[
                    WrongInputAnswer(
                        name=one.name, expected=one.expected, actual=one.actual, message=str(one)
                    )
                    for one in problem.inputs
                ],
            )
        )
