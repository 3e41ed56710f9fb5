"""What things cost. All amounts are in cents."""

from __future__ import annotations


def total(pieces: int, each: int) -> int:
    """What so many pieces cost, a tenth less from three on."""
    full = pieces * each
    return full * 9 // 10 if pieces > 3 else full
