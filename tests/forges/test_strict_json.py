"""A webhook's body is read strictly, and whatever is wrong is told with its place."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.errors import BadDelivery
from windlass.forges.strict_json import DEPTH, Node, read

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, VALUE, max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_every_good_object_is_read(tree, ascii_only, indent):
    """Whatever a forge may rightly write comes out as it went in, quotes and colons included."""
    body = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    assert read(body).fields == tree


@given(TEXT, VALUE, st.dictionaries(TEXT, VALUE, max_size=3))
def test_a_key_twice_is_refused(key, value, others):
    """Two readers could take different ones, so neither is taken."""
    pair = f"{json.dumps(key)} : {json.dumps(value)}"
    rest = "".join(f"{json.dumps(k)}:{json.dumps(v)}," for k, v in others.items() if k != key)
    body = f'{{{rest}"inner": [{{{pair}, {pair}}}]}}'.encode()
    with pytest.raises(BadDelivery):
        read(body)


@given(st.binary(max_size=60))
def test_no_bytes_do_harm(body):
    """Any bytes are an object or a bad delivery."""
    with contextlib.suppress(BadDelivery):
        assert isinstance(read(body), Node)


def test_depth_has_a_limit():
    """As deep as any forge goes, and no deeper."""
    assert read(b'{"a":' * (DEPTH - 1) + b"{}" + b"}" * (DEPTH - 1))
    with pytest.raises(BadDelivery, match="deeper"):
        read(b'{"a":' * DEPTH + b"{}" + b"}" * DEPTH)


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "1e300", "9007199254740993.0"])
def test_no_number_is_rounded(number):
    """A number that a reader would round is refused, wherever it stands."""
    with pytest.raises(BadDelivery, match="too large"):
        read(f'{{"a": [{{"b": {number}}}]}}'.encode())


NODE = read(
    b'{"t": "x", "n": 7, "f": true, "o": {"i": 1.5}, "l": [{"t": "y"}], "s": ["z"],'
    b' "nul": "\\u0000", "no": null, "mixed": [1]}'
)


def test_each_kind_of_field_is_read():
    """Texts, numbers, flags, times, objects and lists."""
    assert NODE.text("t") == "x"
    assert NODE.number("n") == 7
    assert NODE.flag("f")
    assert NODE.child("o").moment("i") == 1.5
    assert [one.text("t") for one in NODE.children("l")] == ["y"]
    assert NODE.texts("s") == ("z",)


def test_what_is_missing_or_null_is_none():
    """Null is as good as absent."""
    for name in ("no", "absent"):
        assert NODE.optional(name) is None
        assert NODE.optional_child(name) is None
        assert NODE.moment(name) is None
        assert not NODE.flag(name)
        assert NODE.children(name) == NODE.texts(name) == ()
        assert not NODE.has(name)
        for wanted in (NODE.text, NODE.number, NODE.child):
            with pytest.raises(BadDelivery, match=name):
                wanted(name)


@pytest.mark.parametrize(
    ("read_as", "name"),
    [
        (Node.text, "n"),
        (Node.text, "nul"),
        (Node.number, "t"),
        (Node.number, "f"),
        (Node.flag, "n"),
        (Node.moment, "f"),
        (Node.child, "l"),
        (Node.children, "o"),
        (Node.children, "mixed"),
        (Node.texts, "mixed"),
        (Node.texts, "t"),
    ],
)
def test_a_wrong_kind_is_told_with_its_place(read_as, name):
    """The text of the error names the field."""
    with pytest.raises(BadDelivery, match=name):
        read_as(NODE, name)


def test_a_place_is_the_whole_path():
    """Deep inside, the path leads from the top."""
    inner = read(b'{"a": {"b": [{"c": 7}]}}').child("a").children("b")[0]
    with pytest.raises(BadDelivery, match=r"a\.b\[0\]\.c is not a text"):
        inner.text("c")
