"""Admission: every check alone, every pair in its order, and what may overwrite what."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from windlass.core.approval import ApprovalRule
from windlass.core.environment import (
    CHECKS,
    Ask,
    Environment,
    Go,
    Refuse,
    Standing,
    TargetSpec,
    Wait,
    Wish,
    admit,
)

NOW = 1_000_000.0
OPEN = Environment(name="production", target=TargetSpec(kind="directory"))
WISH = Wish(digest="d1", branch="main", order=5, by="eve", requested_at=NOW - 100.0)
EMPTY = Standing()
ADA = ApprovalRule(min=2, approvers=("ada", "bob"), timeout=3600.0)
TWO = {"staging": NOW - 60.0}

# In the order of configuration.md: what to change so that this check alone holds it back, and
# what is then said.
TABLE = {
    "max_wait": (
        {"rules": {"max_wait": 99.0}},
        Refuse("expired", "it waited longer than 99s"),
    ),
    "branch": (
        {"rules": {"branches": ("rel/*", "v?")}},
        Refuse("rejected", "branch main may not go to production, only rel/*, v?"),
    ),
    "reviewed": (
        {"rules": {"reviewed": True}},
        Refuse(
            "rejected",
            "production takes only what came by a merged pull request"
            " whose last head somebody other than its author approved",
        ),
    ),
    "verified": (
        {"rules": {"verified_by": ("ci", "load")}, "wish": {"verified": frozenset({"ci"})}},
        Refuse("rejected", "pipeline load has not passed for this source tree"),
    ),
    "promoted from": (
        {"rules": {"promote_from": ("staging", "canary")}},
        Wait("it has to be healthy in staging or canary first"),
    ),
    "soak": (
        {
            "rules": {"promote_from": ("staging",), "soak": 1800.0},
            "standing": {"healthy_since": TWO},
        },
        Wait("it has to soak for 30m", NOW - 60.0 + 1800.0),
    ),
    "lock": (
        {"standing": {"locked": "by ada: release"}},
        Wait("the environment is locked: by ada: release"),
    ),
    "pin": (
        {"standing": {"pinned": "by ada: broken"}},
        Wait("a rollback pins it (by ada: broken) until it is released"),
    ),
    "blocked": (
        {"standing": {"blocked": ("d0", "d1")}},
        Refuse("rejected", "this build was rolled back here automatically and is blocked"),
    ),
    "left": (
        {"wish": {"left": True}},
        Refuse("superseded", "its commit is no longer on main"),
    ),
    "older commit": (
        {"wish": {"tip": False}, "standing": {"contains": True}},
        Refuse("superseded", "a newer commit of its branch is there already"),
    ),
    "older event": (
        {"standing": {"order": 6}},
        Refuse("superseded", "a later event has deployed here since"),
    ),
    "approvals": (
        {"rules": {"approval": ADA}, "wish": {"approvals": ("ada",)}},
        Ask("waits for approval (1 of 2) by ada, bob", 1, NOW - 100.0 + 3600.0),
    ),
}


def asked(*names):
    """The answer when these checks hold it back together."""
    rules, wish, standing = OPEN, WISH, EMPTY
    for name in names:
        changes = TABLE[name][0]
        rules = replace(rules, **changes.get("rules", {}))
        wish = replace(wish, **changes.get("wish", {}))
        standing = replace(standing, **changes.get("standing", {}))
    return admit(rules, wish, standing, NOW)


def test_what_nothing_holds_back_goes():
    """An environment without protection, to which nothing was deployed."""
    assert admit(OPEN, WISH, EMPTY, NOW) == Go()


@pytest.mark.parametrize("check", TABLE)
def test_each_check_alone_holds_it_back_and_says_why(check):
    """What, and by which rule."""
    assert asked(check) == TABLE[check][1]


# Soaking begins where the other is passed.
APART = {("promoted from", "soak")}


@pytest.mark.parametrize("pair", [*combinations(TABLE, 2)], ids=" and ".join)
def test_of_two_the_first_in_the_order_answers(pair):
    """So that one state of things has one answer, wherever it is asked."""
    assert asked(*pair) == TABLE[pair[1] if pair in APART else pair[0]][1]


def test_there_are_no_checks_beside_these():
    """A new check has its place in the order, and in this table."""
    assert len(CHECKS) == 8


def test_a_check_is_passed_by_what_it_asks_for():
    """Each protection met: it goes."""
    rules = replace(
        OPEN,
        branches=("main", "!x"),
        reviewed=True,
        verified_by=("ci",),
        promote_from=("staging", "canary"),
        soak=60.0,
        approval=ADA,
    )
    wish = replace(
        WISH, reviewed=True, verified=frozenset({"ci", "x"}), approvals=("ada", "bob", "eve")
    )
    standing = Standing(healthy_since=TWO, order=5, digest="d1", contains=True)
    assert admit(rules, wish, standing, NOW) == Go()
    assert admit(rules, wish, standing, NOW - 0.5) == Wait("it has to soak for 1m", NOW)


def test_soak_is_counted_from_the_first_healthy_place():
    """Also when it came to the second one later."""
    rules = replace(OPEN, promote_from=("staging", "canary"), soak=100.0)
    seen = Standing(healthy_since={"canary": NOW - 10.0, "staging": NOW - 100.0, "dev": 0.0})
    assert admit(rules, WISH, seen, NOW) == Go()


def test_a_wish_expires_at_its_time():
    """Not before, and whatever else it waits for."""
    rules = replace(OPEN, max_wait=100.0)
    assert admit(rules, WISH, Standing(locked="x"), NOW) == Refuse(
        "expired", "it waited longer than 100s"
    )
    assert admit(rules, WISH, EMPTY, NOW - 1.0) == Go()
    late = replace(OPEN, approval=replace(ADA, timeout=100.0))
    assert admit(late, WISH, EMPTY, NOW) == Refuse("expired", "nobody approved it in 100s")


def test_the_same_event_may_deploy_again():
    """A rerun of what is there, and the head of a branch that another branch contains."""
    assert admit(OPEN, WISH, Standing(order=5, contains=True), NOW) == Go()
    assert admit(OPEN, WISH, Standing(order=4, contains=True), NOW) == Go()


ROLLBACK = replace(WISH, rollback=True)


FREE = ["branch", "reviewed", "verified", "promoted from", "soak", "pin", "blocked", "left"]


@pytest.mark.parametrize("check", [*FREE, "older commit", "older event", "approvals"])
def test_a_persons_rollback_is_not_held_back_by(check):
    """It goes to what was healthy and approved there before, and that is the point of it."""
    changes = TABLE[check][0]
    wish = replace(ROLLBACK, **changes.get("wish", {}))
    standing = replace(Standing(order=9, contains=True), **changes.get("standing", {}))
    assert admit(replace(OPEN, **changes.get("rules", {})), wish, standing, NOW) == Go()


def test_a_rollback_minds_a_lock():
    """A lock is about the time, not about which build."""
    locked = admit(OPEN, ROLLBACK, Standing(locked="x"), NOW)
    assert locked == Wait("the environment is locked: x")
