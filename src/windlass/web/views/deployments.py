"""
Deployments: lists by place and state.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from windlass.ports.records import Deployment
from windlass.ports.store import Below, Tx, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which deployments; what is empty says nothing. `state` may hold several, with commas."""

    repository: str = ""
    environment: str = ""
    service: str = ""
    state: str = ""
    run: int | None = None


def list_deployments(
    tx: Tx, wanted: Filter, *, before: int | None = None, limit: int = 50
) -> tuple[Deployment, ...]:
    """Deployments, newest first."""
    where: dict[str, Wanted] = {
        name: value for name, value in asdict(wanted).items() if value not in {"", None}
    }
    if wanted.state:
        where["state"] = tuple(wanted.state.split(","))
    if before is not None:
        where["number"] = Below(before)
    return tuple(tx.find(Deployment, order="-number", limit=limit, **where))
