"""Times as forges write them: ISO 8601, with any offset and any number of decimals."""

from __future__ import annotations

from datetime import UTC, datetime

from windlass.core.errors import BadDelivery


def moment(text: str | None) -> float | None:
    """UTC seconds, None for None and for the year 1, which says "never"; else `BadDelivery`."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadDelivery(f"{text[:80]!r} is no time") from error
    if at.year == 1:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
