"""
How commands end.

The number says what happened, so that a script need not read the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes."""

    OK = 0
    ERROR = 1
    USAGE = 2
    DECLINED = 3
    AUTHENTICATION = 4
    NOT_GREEN = 5
    NOT_FOUND = 6
    CONFLICT = 7
    PENDING = 8
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "it worked; with --wait: the run is green",
    Exit.ERROR: "it did not work; the text says why",
    Exit.USAGE: "the command line is wrong",
    Exit.DECLINED: "cancelled, or declined by a person",
    Exit.AUTHENTICATION: "no token, a wrong one, or not allowed with this one",
    Exit.NOT_GREEN: "the run has ended, and is not green",
    Exit.NOT_FOUND: "there is no such thing",
    Exit.CONFLICT: "it cannot be done now, because of something else that is so",
    Exit.PENDING: "still going on when --timeout was over",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
}


class Failure(Exception):
    """A command cannot go on: what, where, and what to do next."""

    def __init__(
        self, what: str, *, where: str = "", next_step: str = "", code: Exit = Exit.ERROR
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step
        self.code = code
