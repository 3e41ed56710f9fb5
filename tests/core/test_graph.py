"""The order of jobs, by example; its laws stand in tests/property."""

from __future__ import annotations

import pytest

from windlass.core.graph import Cycle, Unknown, check, cycles, followers, layers, ready

DIAMOND = {"build": (), "test": ("build",), "lint": (), "ship": ("test", "lint"), "tell": ("ship",)}


def test_a_slow_job_holds_back_only_its_followers():
    """There are no stages."""
    assert ready(DIAMOND, succeeded=(), touched=()) == ("build", "lint")
    assert ready(DIAMOND, succeeded={"build"}, touched={"build", "lint"}) == ("test",)
    assert ready(DIAMOND, succeeded={"build", "test"}, touched={"build", "test", "lint"}) == ()


def test_followers_are_near_and_far():
    """Who waits for a job is known, through any number of others."""
    assert followers(DIAMOND, "build") == ("test", "ship", "tell")
    assert followers(DIAMOND, "tell") == ()
    assert followers(DIAMOND, "nobody") == ()


def test_layers_put_each_job_right_of_what_it_needs():
    """A drawing reads from left to right."""
    assert layers(DIAMOND) == (("build", "lint"), ("test",), ("ship",), ("tell",))
    assert layers({}) == ()
    assert layers({"a": (), "b": ("b",)}) == (("a",), ("b",))


@pytest.mark.parametrize(
    ("needs", "faults"),
    [
        (DIAMOND, ()),
        ({"a": ("a",)}, (Cycle(("a",)),)),
        ({"a": ("b",), "b": ("c",), "c": ("b",)}, (Cycle(("b", "c")),)),
        ({"a": ("x",), "b": ("a",)}, (Unknown("a", "x"),)),
    ],
)
def test_what_cannot_end_is_named(needs, faults):
    """A cycle is told by its members, a missing job by its name."""
    assert check(needs) == faults


def test_a_cycle_reads_as_a_circle():
    """The text of a cycle ends where it began."""
    assert str(Cycle(("a", "b"))) == "a -> b -> a"


def test_a_very_long_chain_is_no_deeper_than_a_short_one():
    """Nothing recurses, so no configuration can exhaust the stack."""
    chain = {str(n): (str(n - 1),) if n else () for n in range(20_000)}
    assert len(layers(chain)) == 20_000
    assert cycles({**chain, "0": ("19999",)})[0]
    assert len(followers(chain, "0")) == 19_999
