"""Who may let something go on, and what is enough."""

from __future__ import annotations

import pytest

from windlass.core.approval import ApprovalRule, Enough, Missing, judge, why_not

TWO = ApprovalRule(min=2, approvers=("ada", "bob", "eve"), prevent_self=True)


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ((), Missing(2, "ada, bob, eve")),
        (("ada",), Missing(1, "ada, bob, eve")),
        (("ada", "ada", "ada"), Missing(1, "ada, bob, eve")),
        (("ada", "mallory"), Missing(1, "ada, bob, eve")),
        (("ada", "eve"), Missing(1, "ada, bob, eve")),
        (("ada", "bob"), Enough()),
        (("bob", "eve", "mallory", "ada"), Enough()),
    ],
)
def test_each_person_counts_once_and_only_if_they_may(given, answer):
    """A double click, a stranger and whoever asked for it bring nothing nearer."""
    assert judge(TWO, given, "eve") == answer


def test_without_a_list_anyone_may():
    """Then the person who asked may, too, unless the rule says otherwise."""
    assert judge(ApprovalRule(), ("eve",), "eve") == Enough()
    assert judge(ApprovalRule(), (), "eve") == Missing(1, "anyone")
    assert judge(ApprovalRule(prevent_self=True), ("eve",), "eve") == Missing(1, "anyone")


def test_the_reason_names_the_rule():
    """Whoever is turned away learns by which rule."""
    assert why_not(TWO, "mallory", "eve") == "mallory is not among the approvers (ada, bob, eve)"
    assert "`prevent_self`" in why_not(TWO, "eve", "eve")
    assert not why_not(TWO, "ada", "eve")
