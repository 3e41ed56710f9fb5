"""
Branches that are pushed to at random, and deploys that arrive in any order.

The model keeps the history of every branch; `admit` is told of each deploy what
the engine would tell it. Whatever goes must not be older than what it replaces.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import event, given, settings
from hypothesis import strategies as st

from windlass.core.environment import (
    Environment,
    Go,
    Refuse,
    Standing,
    TargetSpec,
    Wait,
    Wish,
    admit,
)

RULES = Environment(name="dev", target=TargetSpec(kind="directory"))
BRANCHES = ("main", "FB1")


@dataclass(frozen=True)
class Asked:
    """A deploy of a commit: from which branch, by which event."""

    commit: int
    branch: str
    order: int


@dataclass
class Forge:
    """Commits are numbers; `parents` is their history, `heads` where the branches are."""

    parents: dict[int, tuple[int, ...]] = field(default_factory=lambda: {0: ()})
    heads: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BRANCHES, 0))
    asked: list[Asked] = field(default_factory=list)

    def commit(self, branch, *parents):
        new = len(self.parents)
        self.parents[new] = parents
        self.heads[branch] = new
        return self.ask(branch, new)

    def ask(self, branch, commit):
        self.asked.append(Asked(commit, branch, len(self.asked) + 1))

    def contains(self, later, commit):
        """Whether a commit is another, or among its ancestors."""
        waiting, seen = [later], set()
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting += self.parents[at]
        return commit in seen


# push: a new commit; merge: the other branch comes in; force: the branch begins anew at the
# root; again: a person asks for an older commit of the branch.
moves = st.tuples(st.sampled_from(["push", "push", "merge", "force", "again"]), st.integers(0, 1))


def history(moves):
    """The forge after these moves, with a deploy asked for by each."""
    forge = Forge()
    for what, which in moves:
        branch, other = BRANCHES[which], BRANCHES[1 - which]
        head = forge.heads[branch]
        match what:
            case "push":
                forge.commit(branch, head)
            case "merge":
                forge.commit(branch, head, forge.heads[other])
            case "force":
                forge.commit(branch, 0)
            case _:
                forge.ask(branch, next(iter(forge.parents[head]), head))
    return forge


def told(forge, asked, there):
    """What the engine tells admission of a deploy: see engine/admission.py."""
    head = forge.heads[asked.branch]
    wish = Wish(
        digest=f"d{asked.commit}",
        branch=asked.branch,
        order=asked.order,
        by="ada",
        requested_at=0.0,
        left=not forge.contains(head, asked.commit),
        tip=head == asked.commit,
    )
    standing = Standing(
        order=there.order if there else 0,
        contains=there is not None and forge.contains(there.commit, asked.commit),
    )
    return wish, standing


@given(st.lists(moves, min_size=2, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_an_older_one_never_overwrites_a_newer_one(moves, random):
    """However late a deploy arrives, what is newer on its branch stays."""
    forge = history(moves)
    arriving = [*forge.asked]
    random.shuffle(arriving)
    there: Asked | None = None
    for asked in arriving:
        answer = admit(RULES, *told(forge, asked, there), 1.0)
        head = forge.heads[asked.branch]
        assert isinstance(answer, Go | Refuse)
        event(type(answer).__name__)
        if isinstance(answer, Refuse):
            assert answer.state == "superseded"
            continue
        assert forge.contains(head, asked.commit), "a commit that left its branch was deployed"
        if there is not None:
            assert asked.order >= there.order, "an earlier event came over a later one"
            older = asked.commit != there.commit and forge.contains(there.commit, asked.commit)
            assert not older or asked.commit == head, "an older commit came over a newer one"
        there = asked
    last = forge.asked[-1]
    if last.commit == forge.heads[last.branch]:
        assert there == last, "the last event's head is what stays, in whatever order they come"


@given(st.lists(moves, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_behind_a_pin_everything_waits(moves, random):
    """A person's rollback stays until it is released, whatever is pushed meanwhile."""
    forge = history(moves)
    asked = random.choice(forge.asked)
    wish, standing = told(forge, asked, None)
    pinned = Standing(order=standing.order, pinned="by ada: broken")
    assert isinstance(admit(RULES, wish, pinned, 1.0), Wait)
