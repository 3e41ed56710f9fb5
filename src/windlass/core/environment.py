"""
Environments: where a build goes, and what protects the way there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.core.errors import Place

WEEK = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """How a build gets there: the kind of target, and its options as the team wrote them."""

    kind: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Who may let a deployment go on, and how many of them; `timeout` in seconds."""

    min: int = 1
    approvers: tuple[str, ...] = ()
    prevent_self: bool = False
    timeout: float = WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """
    What a team wrote under `environments`.

    Every duration is in seconds. `drift` is what reconciliation does when what
    runs is not what should: `report` or `heal`. `branches` empty means any.
    """

    name: str
    target: TargetSpec
    url: str = ""
    tier: str = ""
    branches: tuple[str, ...] = ()
    reviewed: bool = False
    promote_from: tuple[str, ...] = ()
    verified_by: tuple[str, ...] = ()
    soak: float = 0.0
    approval: ApprovalRule | None = None
    reconcile_every: float = 180.0
    drift: str = "report"
    max_wait: float = WEEK
    place: Place | None = None
