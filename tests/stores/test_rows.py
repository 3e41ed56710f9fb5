"""
Records become rows and come back, also those that an older version wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.core.errors import Bug
from windlass.core.event import Event, Kind
from windlass.core.run import Run
from windlass.ports.records import RECORDS, Delivery
from windlass.stores.rows import layout
from windlass.testing.contracts.store import delivery

GOLDEN = Path(__file__).parents[1] / "golden" / "records"
BY_TABLE = {layout(kind).table: kind for kind in RECORDS}
# Text that every database takes.
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


VALUES = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=50),
    Mapping[str, str]: st.dictionaries(TEXT, TEXT, max_size=3),
    Mapping[str, tuple[str, ...]]: st.dictionaries(
        TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=3
    ),
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
    Event: st.builds(
        Event,
        kind=st.sampled_from(Kind),
        action=TEXT,
        repository=TEXT,
        title=st.none() | TEXT,
        labels=st.lists(TEXT, max_size=3).map(tuple),
        files=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    ),
    Run: st.deferred(lambda: st.just(golden_run())),
}


def golden_run():
    """A run with everything in it."""
    of, row = old_row(json.loads((GOLDEN / "run.json").read_text(encoding="utf-8")))
    return of.unpack(row).run


def old_row(stored):
    """A row as the database has it after an upgrade: columns of later versions by default."""
    of = layout(BY_TABLE[stored["table"]])
    row = stored["row"]
    values = []
    for column in of.columns:
        value = row.get(column.name, column.default)
        if isinstance(value, str) and column.storage == "bytes":
            value = bytes.fromhex(value)
        elif column.storage == "json" and column.name in row:
            value = json.dumps(value)
        values.append(value)
    return of, tuple(values)


def at(record, path):
    """What stands at a dotted path: fields, keys, positions."""
    for name in path.split("."):
        if isinstance(record, Mapping):
            record = record[name]
        elif isinstance(record, tuple):
            record = record[int(name)]
        else:
            record = getattr(record, name)
    return list(record) if isinstance(record, tuple) else record


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_rows_of_older_versions_load(path):
    """What is missing takes its default, what is no longer known is passed over."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    of, row = old_row(stored)
    record = of.unpack(row)
    assert {name: at(record, name) for name in stored["expect"]} == stored["expect"]
    assert of.unpack(of.pack(record)) == record


@st.composite
def records(draw, kind):
    """Records of this class; a run is the golden one under other numbers and names."""
    values = {column.name: draw(VALUES[column.hint]) for column in layout(kind).columns}
    return kind(**values)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_every_record_comes_back_as_it_went_in(kind, data):
    """Whatever its fields hold."""
    record = data.draw(records(kind))
    of = layout(kind)
    row = of.pack(record)
    assert all(isinstance(value, str | int | float | bool | bytes | None) for value in row)
    assert of.unpack(row) == record


def test_every_field_is_a_column():
    """In the order of the class, so that a row needs no names."""
    for kind in RECORDS:
        assert layout(kind).names == tuple(field.name for field in fields(kind))


@given(st.text())
def test_any_text_can_be_stored(text):
    """And comes back unchanged unless no database could take it."""
    of = layout(Delivery)
    found = of.unpack(of.pack(delivery(1, reason=text, headers={text: text})))
    found.reason.encode()
    assert "\0" not in found.reason
    assert found.headers == {found.reason: found.reason} or "\0" in text
    if "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text):
        assert found.reason == text


def test_json_that_does_not_fit_names_the_row():
    """Loud, and with the key to look for."""
    of = layout(Delivery)
    row = list(of.pack(delivery(7)))
    row[of.names.index("headers")] = '{"a": 1}'
    with pytest.raises(Bug, match=r"0{25}7 of table delivery"):
        of.unpack(tuple(row))


def test_what_is_no_record_is_a_bug():
    """Storing any other class is refused by name."""
    with pytest.raises(Bug, match="Run is no record"):
        layout(Run)
