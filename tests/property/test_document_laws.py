"""Laws of documents and of loading, over what people write and over noise."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.config.document import parse
from windlass.config.nodes import Entries, Items, Scalar
from windlass.config.schema import CODES, faults, fix, load, notes
from windlass.config.values import data
from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8
)
TREES = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)

# Words of the language, so that noise gets past the first key.
LANGUAGE = """listeners pipelines services environments on push pull_request merged branches base
    if do build deploy pipeline environment with jobs needs steps run env from_secret timeout 10m
    retry max when failed finally path artifacts health url target directory after promote_from
    soak approval min reviewed true no ci api dev test a image matrix commands script depends_on
    variables strategy trigger concurrency group 1 ~ ../x /srv/a schedule continue-on-error
    timeout-minutes services target source soft_fail ${{event.branch}}"""
WORDS = st.sampled_from(LANGUAGE.split())
NOISE = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=40,
)


def nodes(node):
    """A node and all below it."""
    yield node
    match node:
        case Items():
            for item in node.items:
                yield from nodes(item)
        case Entries():
            for key, value in node.items:
                yield key
                yield from nodes(value)


@given(TREES, st.booleans())
def test_what_was_written_is_what_is_read(tree, flow):
    """A document read is the document that was written, however it was laid out."""
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=20)
    document = parse("f", text.encode())
    assert document.faults == ()
    assert data(document.root) == tree


@given(TREES, st.booleans())
def test_a_scalar_stands_where_it_says(tree, flow):
    """The place of a plain scalar is where its first character is in the file."""
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=1000)
    document = parse("f", text.encode())
    for node in nodes(document.root):
        place = node.place
        assert 1 <= place.line <= len(document.lines)
        if isinstance(node, Scalar) and not node.style and "\n" not in node.value:
            line = document.lines[place.line - 1]
            assert line[place.column - 1 :].startswith(node.value)
            assert text[node.start : node.end] == node.value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_faults(content):
    """No file is an error of ours."""
    document = parse("f", content)
    assert document.faults or document.root is None or list(nodes(document.root))


@settings(max_examples=300)
@given(st.dictionaries(WORDS, NOISE, max_size=4))
def test_any_words_are_a_configuration_or_faults(tree):
    """Whatever somebody writes, they get a configuration or are told what is wrong, and where."""
    content = yaml.safe_dump(tree, default_flow_style=None).encode()
    files = {".windlass.yaml": content}
    found = faults(files)
    if found:
        with pytest.raises(ConfigError) as caught:
            load(files)
        assert caught.value.faults == found
    else:
        assert isinstance(load(files), Configuration)
    lines = content.decode().split("\n")
    for fault in (*found, *notes(files)):
        assert fault.code in CODES
        assert 1 <= fault.place.line <= len(lines)
        assert 1 <= fault.place.column <= len(lines[fault.place.line - 1]) + 1


@settings(max_examples=300)
@given(st.dictionaries(WORDS, NOISE, max_size=4), st.booleans())
def test_canonical_words_say_the_same(tree, flow):
    """`lint --fix` changes no meaning, and once is enough."""
    content = yaml.safe_dump(tree, default_flow_style=flow).encode()
    fixed = fix(".windlass.yaml", content)
    assert fix(".windlass.yaml", fixed) == fixed
    before = [(fault.code, fault.message) for fault in faults({"f": content})]
    after = [(fault.code, fault.message) for fault in faults({"f": fixed})]
    assert sorted(after) == sorted(before) or "line" in str(before)
    if notes({"f": content}):
        assert not [
            note for note in notes({"f": fixed}) if note.code == "synonym"
        ] or "twice" in str(before)
