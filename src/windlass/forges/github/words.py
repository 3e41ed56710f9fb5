"""
How long what we say may be on GitHub, and what it calls our states.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.ports.forge import Status, StatusState

# Characters of a description of a commit status or a deployment.
DESCRIPTION = 140
# Characters of a comment; GitHub takes 65,536.
COMMENT = 65_000

# What a commit status can be.
STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "error",
    StatusState.NEUTRAL: "success",
}


def cut(said: str, limit: int) -> str:
    """
    The text, no longer than this.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return said if len(said) <= limit else said[: limit - 1] + "…"


def description(status: Status) -> str:
    """What is said beside a state; a neutral one, for which GitHub has no word, says so here."""
    if status.state is not StatusState.NEUTRAL:
        return cut(status.description, DESCRIPTION)
    return cut(f"neutral: {status.description}" if status.description else "neutral", DESCRIPTION)
