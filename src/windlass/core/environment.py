"""
Environments: where a build goes, what protects the way there, and admission.

`admit` is asked when a deployment is wanted, whenever something changed that it
waits for, and once more immediately before the desired state is written. It
takes the checks in a fixed order and the first that holds it back is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from windlass.core import globs
from windlass.core.approval import WEEK, ApprovalRule, Missing, judge
from windlass.core.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """How a build gets there: the kind of target, and its options as the team wrote them."""

    kind: str
    options: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    A deployment that wants in, and what is known about it.

    `order` is the event behind it. `reviewed` says that it came by a merged pull
    request whose last head somebody other than its author approved. `verified` are the
    pipelines that its tree passed. `left` says that its commit is no longer on its
    branch, `tip` that it is the branch's head.
    """

    digest: str
    branch: str
    order: int
    by: str
    requested_at: float
    rollback: bool = False
    approvals: tuple[str, ...] = ()
    reviewed: bool = False
    verified: frozenset[str] = frozenset()
    left: bool = False
    tip: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    How things stand at the place that it wants, and at the places before it.

    `contains` says that the wish's commit is an ancestor of the commit that is desired
    now. `healthy_since` has, for each environment in which the wish's digest was ever
    healthy, the time since when.
    """

    digest: str = ""
    order: int = 0
    contains: bool = False
    pinned: str = ""
    blocked: tuple[str, ...] = ()
    locked: str = ""
    healthy_since: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Go:
    """It may be written as the desired state, now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet; `until` (UTC seconds) is when to ask again, None: when something changes."""

    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """People have to approve it: so many more."""

    reason: str
    needed: int
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never; `state` is the end of the deployment: rejected, superseded or expired."""

    state: str
    reason: str


Admission = Go | Wait | Ask | Refuse
_Check = Callable[[Environment, Wish, Standing, float], Admission | None]


def admit(rules: Environment, wish: Wish, standing: Standing, now: float) -> Admission:
    """Whether the wish may become the desired state of this environment now."""
    if now - wish.requested_at >= rules.max_wait:
        return Refuse("expired", f"it waited longer than {_span(rules.max_wait)}")
    for check in CHECKS:
        if (answer := check(rules, wish, standing, now)) is not None:
            return answer
    return Go()


def _branch(rules: Environment, wish: Wish, _: Standing, __: float) -> Admission | None:
    if wish.rollback or not rules.branches or globs.match(rules.branches, wish.branch):
        return None
    allowed = ", ".join(rules.branches)
    return Refuse("rejected", f"branch {wish.branch} may not go to {rules.name}, only {allowed}")


def _reviewed(rules: Environment, wish: Wish, _: Standing, __: float) -> Admission | None:
    if not rules.reviewed or wish.reviewed or wish.rollback:
        return None
    return Refuse(
        "rejected",
        f"{rules.name} takes only what came by a merged pull request"
        " whose last head somebody other than its author approved",
    )


def _verified(rules: Environment, wish: Wish, _: Standing, __: float) -> Admission | None:
    missing = [name for name in rules.verified_by if name not in wish.verified]
    if not missing or wish.rollback:
        return None
    return Refuse("rejected", f"pipeline {missing[0]} has not passed for this source tree")


def _promoted(rules: Environment, wish: Wish, at: Standing, __: float) -> Admission | None:
    if wish.rollback or not rules.promote_from:
        return None
    if any(name in at.healthy_since for name in rules.promote_from):
        return None
    return Wait(f"it has to be healthy in {' or '.join(rules.promote_from)} first")


def _soak(rules: Environment, wish: Wish, at: Standing, now: float) -> Admission | None:
    if wish.rollback or not rules.soak or not rules.promote_from:
        return None
    since = min(at.healthy_since[name] for name in rules.promote_from if name in at.healthy_since)
    if now - since >= rules.soak:
        return None
    return Wait(f"it has to soak for {_span(rules.soak)}", since + rules.soak)


def _locked(_: Environment, wish: Wish, at: Standing, __: float) -> Admission | None:
    if at.locked:
        return Wait(f"the environment is locked: {at.locked}")
    if at.pinned and not wish.rollback:
        return Wait(f"a rollback pins it ({at.pinned}) until it is released")
    if wish.digest in at.blocked and not wish.rollback:
        return Refuse("rejected", "this build was rolled back here automatically and is blocked")
    return None


def _order(_: Environment, wish: Wish, at: Standing, __: float) -> Admission | None:
    """An older one never overwrites a newer one; a person's rollback is meant to."""
    if wish.rollback:
        return None
    if wish.left:
        return Refuse("superseded", f"its commit is no longer on {wish.branch}")
    if at.contains and not wish.tip:
        return Refuse("superseded", "a newer commit of its branch is there already")
    if wish.order < at.order:
        return Refuse("superseded", "a later event has deployed here since")
    return None


def _approved(rules: Environment, wish: Wish, _: Standing, now: float) -> Admission | None:
    # What a rollback brings back was approved when it first came.
    if rules.approval is None or wish.rollback:
        return None
    match judge(rules.approval, wish.approvals, wish.by):
        case Missing(count, who):
            have = f"{rules.approval.min - count} of {rules.approval.min}"
            until = wish.requested_at + rules.approval.timeout
            if now >= until:
                return Refuse("expired", f"nobody approved it in {_span(rules.approval.timeout)}")
            return Ask(f"waits for approval ({have}) by {who}", count, until)
        case _:
            return None


# The fixed order of configuration.md: the first that holds it back is the answer.
CHECKS: tuple[_Check, ...] = (
    _branch,
    _reviewed,
    _verified,
    _promoted,
    _soak,
    _locked,
    _order,
    _approved,
)


def _span(seconds: float) -> str:
    """
    A length of time as a person writes it.

    >>> _span(1800.0), _span(7 * 86400.0), _span(90.0)
    ('30m', '7d', '90s')
    """
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
