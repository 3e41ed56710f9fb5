"""What lint and editors get: canonical words, notes, the JSON Schema, the reference."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from windlass.config.canonical import keys
from windlass.config.document import parse
from windlass.config.editors import shapes
from windlass.config.fixtures import FixtureEvent
from windlass.config.nodes import Entries, Items, Scalar
from windlass.config.reference import reference
from windlass.config.schema import chosen, faults, fix, json_schema, load, notes
from windlass.config.values import Plain, data
from windlass.core.event import Event

FULL = (Path(__file__).parent.parent / "golden" / "language" / "full.yaml").read_bytes()


def one(text):
    """A configuration of one file."""
    return load({"f.yaml": text.encode()})


def codes(text):
    """The codes of its faults."""
    return [fault.code for fault in faults({"f.yaml": text.encode()})]


@pytest.mark.parametrize(
    ("names", "used"),
    [
        ([".windlass.yaml"], [".windlass.yaml"]),
        ([".windlass.yml", ".windlass.yaml"], [".windlass.yaml"]),
        (
            [".windlass/b.yml", ".windlass/a.yaml", ".windlass.yaml"],
            [".windlass/a.yaml", ".windlass/b.yml"],
        ),
        ([".windlass/sub/a.yaml", ".windlass/README.md", "x.yaml"], []),
    ],
)
def test_the_folder_comes_before_the_file(names, used):
    """Which files count does not depend on luck."""
    assert list(chosen(names)) == used


def test_a_second_place_is_noted():
    """A file that is not read is told, so that nobody edits it in vain."""
    (note,) = notes({".windlass/a.yaml": b"", ".windlass.yaml": b""})
    assert (note.code, note.place.file) == ("two-places", ".windlass.yaml")


OTHERS_WORDS = """\
# what we do
listeners:
  l:
    trigger: {pull_request: [merged]}   # when
    "target": [main]
    source: [x]
    do: [{pipeline: p}]
pipelines:
  p:
    jobs:
      a:
        variables: {A: b}   # not an environment
        timeout-minutes: 5
        continue-on-error: true
        steps:
          - script:
              - one
              - two
          - {commands: [x], soft_fail: true}
      b: {depends_on: a, steps: [{run: variables}]}
"""


def test_words_of_other_systems_load_and_are_rewritten_in_place():
    """Comments, order and layout stay; only the words change, and the meaning stays."""
    fixed = fix("f.yaml", OTHERS_WORDS.encode()).decode()
    changed = [
        (before, after)
        for before, after in zip(OTHERS_WORDS.splitlines(), fixed.splitlines(), strict=True)
        if before != after
    ]
    assert [after.strip() for _, after in changed] == [
        "on: {pull_request: [merged]}   # when",
        "base: [main]",
        "head: [x]",
        "env: {A: b}   # not an environment",
        "timeout: 5m",
        "allow_failure: true",
        "- run:",
        "- {run: [x], allow_failure: true}",
        "b: {needs: a, steps: [{run: variables}]}",
    ]
    before, after = one(OTHERS_WORDS), one(fixed)
    assert before.pipelines["p"].jobs[0].steps[0].run == "one\ntwo"
    assert before.pipelines["p"].jobs[0].timeout == after.pipelines["p"].jobs[0].timeout == 300.0
    assert len(notes({"f": OTHERS_WORDS.encode()})) == 10
    assert notes({"f": fixed.encode()}) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("strategy: {matrix: {v: [1]}}", "matrix: {v: [1]}"),
        ("strategy:\n  matrix:\n    v: [1]", "matrix:\n    v: [1]"),
    ],
)
def test_a_matrix_is_taken_out_of_its_strategy(before, after):
    """`strategy.matrix` is read, and written, as `matrix`."""
    frame = "pipelines:\n p:\n  jobs:\n   a:\n    {}\n    steps: [{{run: x}}]\n"
    text, wanted = (frame.format(part.replace("\n", "\n    ")) for part in (before, after))
    assert fix("f", text.encode()).decode() == wanted
    assert yaml.safe_load(wanted)
    assert codes(text) == codes(wanted) == ["not-available"]


def test_a_file_without_synonyms_is_not_touched():
    """Byte for byte, also when it is broken."""
    for content in (FULL, b"a: [", b"\xff", b"", b"\xef\xbb\xbf# x\r\n"):
        assert fix("f", content) == content


def test_a_byte_order_mark_survives_a_fix():
    """Editors that want one keep it."""
    content = b"\xef\xbb\xbflisteners: {l: {trigger: push, do: []}}\r\n"
    assert fix("f", content) == content.replace(b"trigger", b"on")


def meaning(node):
    """A node as an editor sees it: texts, numbers and truths."""
    match node:
        case Scalar():
            value = data(node)
            return value.value if isinstance(value, Plain) else value
        case Items():
            return [meaning(item) for item in node.items]
        case Entries():
            return {key.value: meaning(value) for key, value in node.items}


def test_editors_accept_what_loads_and_refuse_what_does_not():
    """The published JSON Schema and the loader agree."""
    schema = json_schema()
    jsonschema_rs.meta.validate(schema)
    check = jsonschema_rs.validator_for(schema)
    for content in (FULL, OTHERS_WORDS.encode(), b"{}"):
        good = meaning(parse("f", content).root)
        assert check.is_valid(good), list(check.iter_errors(good))[:1]
    for wrong in (
        {"listener": {}},
        {"listeners": {"l": {"on": "pussh", "do": []}}},
        {"environments": {"dev": {"target": {"kubernetes": {}}}}},
        {"pipelines": {"p": {"jobs": {"a": {"image": "x"}}}}},
        {"environments": {"dev": {"target": {"directory": {"path": "/x"}}, "soak": 10}}},
    ):
        assert not check.is_valid(wrong), wrong
    assert json.loads(json.dumps(schema)) == schema


def test_every_key_of_the_language_is_in_its_reference():
    """Keys, synonyms and what is not available: each has a line and a meaning."""
    text = reference()
    for shape in shapes():
        for key in keys(shape):
            info = next(i for n, i in shape.model_fields.items() if (i.alias or n) == key)
            assert info.description
            assert f"| `{key}` |" in text
        for key in (*shape.SYNONYMS, *shape.ABSENT):
            assert f"| `{key}` |" in text


def test_a_test_of_listeners_can_tell_every_field_of_an_event():
    """What a dialect reads can be written, by the same name."""
    assert set(FixtureEvent.model_fields) == set(Event.__slots__)
