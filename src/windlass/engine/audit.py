"""
Who did what, when: written in the transaction that does it.
"""

from __future__ import annotations

from windlass.ports.records import Audit
from windlass.ports.store import Tx


def audit(  # noqa: PLR0913, PLR0917 - the columns of one line
    tx: Tx, by: str, what: str, subject: str, at: float, detail: str = ""
) -> None:
    """Add a line; `what` is a verb, `subject` what it was done to."""
    tx.add(
        Audit(number=tx.next("audit"), at=at, actor=by, what=what, subject=subject, detail=detail)
    )
