"""Values of parameters: what fits, what it means, and what is said of the rest."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from windlass.core.errors import WrongInput
from windlass.core.parameters import LONGEST, blank, given, text_of, typed, unmet, wanted
from windlass.core.pipeline import Parameter

KINDS = ("string", "number", "boolean", "environment")
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    [
        "",
        "true",
        "false",
        "1",
        "-1.50",
        "007",
        "dev",
        "1e5",
        "9" * 15,
        "9" * 16,
        "a\0b",
        "0.0000001",
    ]
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", " a b ", " a b "),
        ("number", "3", 3),
        ("number", "-3.50", -3.5),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("environment", "dev", "dev"),
    ],
)
def test_a_text_that_fits_has_its_type(kind, text, value):
    """So that a condition can compare numbers, and ask a truth."""
    one = Parameter(name="x", type=kind)
    assert unmet(one, text, ["dev"]) == ""
    assert typed(one, text) == value
    assert type(typed(one, text)) is type(value)


def test_what_is_wanted_is_said_in_words():
    """An enumeration goes before its type; environments are those that there are."""
    assert (
        wanted(Parameter(name="x", type="environment"), []) == "an environment, and there is none"
    )
    assert wanted(Parameter(name="x", type="environment")) == "an environment"
    one = Parameter(name="x", type="environment", enum=("dev",))
    assert unmet(one, "production", ["dev", "production"]) == "one of dev"
    assert unmet(Parameter(name="x"), "x" * (LONGEST + 1)) == "a text of at most 8192 characters"
    assert unmet(Parameter(name="x", type="number"), "9" * 16) == "a number of at most 15 digits"


def test_what_is_not_given_has_its_default_or_is_left_out():
    """A text that may be left out is empty, a truth is false, a number is not there."""
    several = [Parameter(name=kind, type=kind, optional=True) for kind in KINDS]
    assert given(several, {}) == ({"string": "", "boolean": False}, ())
    assert given(several, {"number": "", "environment": ""})[1] == ()
    assert [blank(one) for one in several] == ["", "", "false", ""]
    one = Parameter(name="n", type="number", default="2")
    assert given((one,), {"n": ""}) == ({"n": 2}, ())
    text = Parameter(name="t", default="x")
    assert given((text,), {"t": ""}) == ({"t": ""}, ())
    must = Parameter(name="t")
    assert given((must,), {"t": ""}) == ({}, (WrongInput("t", "a text", "nothing"),))


@examples(
    st.lists(
        st.builds(
            Parameter,
            name=st.sampled_from(["a", "b", "c"]),
            type=st.sampled_from(KINDS),
            optional=st.booleans(),
            default=st.none() | st.sampled_from(["", "1", "true", "dev"]),
            enum=st.sampled_from([(), ("1", "2"), ("true",)]),
        ),
        max_size=3,
        unique_by=lambda one: one.name,
    ),
    st.dictionaries(st.sampled_from(["a", "b", "c"]) | TEXTS, TEXTS, max_size=4),
)
def test_what_is_accepted_can_be_kept_and_given_again(parameters, texts):
    """Values go through a store and come back; as texts they mean the same; faults are text."""
    values, wrong = given(parameters, texts, ["dev"])
    assert msgspec.json.decode(msgspec.json.encode(values)) == values
    for fault in wrong:
        assert str(fault).encode()
        assert fault.expected
    if not wrong:
        again = {name: text_of(value) for name, value in values.items()}
        assert given(parameters, again, ["dev"]) == (values, ())
