"""
Who may let something go on, and what is enough.

An approval is bound to one commit and one digest: it belongs to a deployment,
and a new commit makes a new deployment.
"""

from __future__ import annotations

from dataclasses import dataclass

WEEK = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Who may let a deployment go on, and how many of them; `timeout` in seconds."""

    min: int = 1
    approvers: tuple[str, ...] = ()
    prevent_self: bool = False
    timeout: float = WEEK


@dataclass(frozen=True, slots=True)
class Enough:
    """The rule is met."""


@dataclass(frozen=True, slots=True)
class Missing:
    """So many more people have to approve; `who` says which."""

    count: int
    who: str


def judge(rule: ApprovalRule, given: tuple[str, ...], requester: str) -> Enough | Missing:
    """Whether these people's approvals are enough. One person counts once."""
    counted = {person for person in given if not why_not(rule, person, requester)}
    left = rule.min - len(counted)
    return Enough() if left <= 0 else Missing(left, ", ".join(rule.approvers) or "anyone")


def why_not(rule: ApprovalRule, person: str, requester: str) -> str:
    """Why this person's approval does not count; empty when it does."""
    if rule.approvers and person not in rule.approvers:
        return f"{person} is not among the approvers ({', '.join(rule.approvers)})"
    if rule.prevent_self and person == requester:
        return f"{person} asked for this deployment, and `prevent_self` wants somebody else"
    return ""
