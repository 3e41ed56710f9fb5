"""What things cost. All amounts are in cents."""

from __future__ import annotations


def total(pieces: int, each: int) -> int:
    """What so many pieces cost."""
    return pieces * each
