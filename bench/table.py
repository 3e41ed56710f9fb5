"""
What a benchmark says: rows of one table.

Every part of `bench/` has `measure() -> list[Row]`; `bench/run.py` runs them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One figure. `id` is its requirement (P-01), `what` says what was measured.

    `beside` names what stands beside it (a ceiling, a peer) and `reference` is that
    one's figure in the same unit. `target` is in words; `met` is None where there is none.
    """

    id: str
    what: str
    value: float
    unit: str
    beside: str = ""
    reference: float | None = None
    target: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """Our figure over the one beside it."""
        return self.value / self.reference if self.reference else None


HEADER = ("id", "what", "ours", "unit", "beside", "its", "ratio", "target", "met")


def markdown(rows: Iterable[Row]) -> str:
    """The table, aligned so that it also reads well as plain text."""
    cells = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADER))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.id,
        row.what,
        _figure(row.value),
        row.unit,
        row.beside,
        "" if row.reference is None else _figure(row.reference),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        row.target,
        {None: "", True: "yes", False: "NO"}[row.met],
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(cells: Iterable[str], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "| " + " | ".join(padded) + " |"
