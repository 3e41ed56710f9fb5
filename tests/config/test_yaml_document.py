"""YAML 1.2 with places: clear faults, and no file that costs more than its size."""

from __future__ import annotations

import sys

import pytest

from windlass.config import document
from windlass.config.document import LIMIT_NODES, parse
from windlass.config.nodes import Entries, Scalar
from windlass.config.values import Plain, data, plain
from windlass.core.errors import Place

NESTED = b"a: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
)

HOSTILE = {
    "aliases that multiply": (NESTED, "yaml-size", 5),
    "an alias inside its anchor": (b"&a [*a]", "yaml-alias", 1),
    "an alias without an anchor": (b"a: *b", "yaml-alias", 1),
    "two megabytes": (b"a" * (1 << 21), "yaml-size", 1),
    "many values": (b"[" + b"a," * 500_000 + b"]", "yaml-size", 1),
    "many keys": (b"".join(b"k%d: 1\n" % n for n in range(90_000)), "yaml-size", LIMIT_NODES // 2),
    "deep lists": (b"[" * 500_000, "yaml-size", 1),
    "deep mappings": (b"{a: " * 200_000, "yaml-size", 1),
    "a Python object": (b"a: !!python/object:os.system {}", "yaml-tag", 1),
    "a tag of its own": (b"a: !run x", "yaml-tag", 1),
    "a pattern without quotes": (b"paths: [!**/*.md]", "yaml-syntax", 1),
    "a merge key": (b"a: &a {b: 1}\nc:\n  <<: *a", "yaml-merge", 3),
    "two documents": (b"a: 1\n---\nb: &x 2\n---\nc: *x", "yaml-documents", 2),
    "a key twice": (b"a: 1\nb: 2\na: 3", "yaml-duplicate", 3),
    "a list as key": (b"? [a]\n: 1", "yaml-key", 1),
    "a tab": (b"a:\n\tb: 1", "yaml-syntax", 2),
    "a colon in a text": (b"a: b: c", "yaml-syntax", 1),
    "an open quote": (b'a: "x\nb: 1', "yaml-syntax", 2),
    "an open bracket": (b"a: [1\nb: 1", "yaml-syntax", 2),
    "bad columns": (b"a:\n  b: 1\n c: 2", "yaml-syntax", 3),
    "no UTF-8": (b"a: 1\nb: \xff", "encoding", 2),
    "UTF-16": ("a: 1".encode("utf-16"), "encoding", 1),
    "a zero byte": (b"a: \x00", "yaml-syntax", 1),
    "a control character": (b"a: 1\nb: \x01", "yaml-syntax", 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_document_is_a_fault_with_its_line(name):
    """Every hostile or broken file is told by code, line and what to do."""
    content, code, line = HOSTILE[name]
    found = parse("x.yaml", content)
    assert [(fault.code, fault.place.line) for fault in found.faults[-1:]] == [(code, line)]
    assert found.faults[-1].message
    assert all(fault.hint for fault in found.faults)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_makes_more_work_than_the_limit(name, monkeypatch):
    """Reading stops at the limit of values, whatever the file promises."""
    counted = 0
    events = document._events

    def count(text):
        nonlocal counted
        for event in events(text):
            counted += 1
            yield event

    monkeypatch.setattr(document, "_events", count)
    parse("x.yaml", HOSTILE[name][0])
    assert counted <= 2 * LIMIT_NODES


def test_a_tab_is_named_as_such():
    """The usual mistake has its own words."""
    assert "tabs" in parse("x", b"a:\n\tb: 1").faults[0].hint


def test_faults_that_do_not_stop_reading_are_told_together():
    """A duplicate and a merge key in one file are two faults."""
    found = parse("x", b"a: &a {x: 1}\na: 2\nb: {<<: *a}\nc: !x 1")
    assert [fault.code for fault in found.faults] == ["yaml-duplicate", "yaml-merge", "yaml-tag"]


def test_every_node_knows_its_place():
    """Lines and columns count from 1, and a byte order mark is nobody's column."""
    root = parse("f.yaml", b"\xef\xbb\xbfa: 1\nb:\n  - {c: x}\n").root
    assert isinstance(root, Entries)
    key, value = root.items[1]
    assert (key.place, value.place) == (Place("f.yaml", 2, 1), Place("f.yaml", 3, 3))
    inner = value.items[0].items[0][1]
    assert (inner.value, inner.place) == ("x", Place("f.yaml", 3, 9))


@pytest.mark.parametrize(
    ("text", "character", "place"),
    [
        ("a: one two", "t", (1, 8)),
        ('a: "one two"', "t", (1, 9)),
        ("a: 'one two'", "t", (1, 9)),
        ("a: |\n  one\n   two", "t", (3, 4)),
        ("a: >-\n  one\n\n  two", "t", (4, 3)),
        ("a:\n  - |\n    x\n    two", "t", (4, 5)),
        ("a: one\n  two", "t", (2, 3)),
        ('a: "\\x6fne two"', "t", (1, 4)),
        ("a: 'one\n  two'", "t", (1, 4)),
    ],
)
def test_a_character_inside_a_scalar_has_its_place(text, character, place):
    """In one line or many; with escapes it is the place of the whole."""
    found = parse("f", text.encode())
    node = found.root.items[0][1]
    node = node if isinstance(node, Scalar) else node.items[0]
    assert found.inside(node, node.value.index(character)) == Place("f", *place)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("-1", -1),
        ("3.10", 3.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2001-01-01", "2001-01-01"),
        ("-", "-"),
        ("1.2.3", "1.2.3"),
        ("9" * 40, 1e40),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text, meaning):
    """`on` is a text, and a version keeps its zero."""
    value = plain(text)
    assert (value.value if isinstance(value, Plain) else value) == meaning
    assert value is None or str(value) == text


def test_quoted_scalars_are_texts():
    """`"true"` is a text."""
    assert data(parse("f", b"{a: 'true', b: true}").root) == {"a": "true", "b": "true"}
    assert isinstance(data(parse("f", b"b: true").root)["b"], Plain)


def test_an_alias_stands_for_its_value():
    """Aliases are part of YAML, and stand where they were written."""
    root = parse("f", b"a: &x {k: v}\nb: *x").root
    assert data(root) == {"a": {"k": "v"}, "b": {"k": "v"}}


def test_nothing_is_recursive():
    """The depth of a file does not become the depth of the stack."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        assert parse("f", b"[" * 60 + b"]" * 60).faults == ()
    finally:
        sys.setrecursionlimit(limit)
