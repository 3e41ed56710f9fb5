"""
Looking until something is so.

Nothing in the demonstration is believed because it was asked for: a beat is over
when a look at the outside finds what was promised, and fails with what was found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
PAUSE = 0.05


class NotYet(Exception):
    """What was found instead; another look may find more."""


class Missed(Exception):
    """A promise that was not kept: what was expected, and what was found."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


def until(expected: str, look: Callable[[], T], *, patience: float = PATIENCE) -> T:
    """What `look` finds, as soon as it does; `Missed` after `patience` seconds of `NotYet`."""
    end = time.monotonic() + patience
    while True:
        try:
            return look()
        except NotYet as error:
            if time.monotonic() > end:
                raise Missed(expected, f"{error}, after {patience:g} s") from error
        time.sleep(PAUSE)


def check(expected: str, *, found: str, holds: bool) -> None:
    """`Missed` unless it holds."""
    if not holds:
        raise Missed(expected, found)
