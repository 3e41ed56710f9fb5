"""Names of refs and commits."""

from __future__ import annotations

import pytest

from windlass.core.errors import UserError
from windlass.git.refs import LONGEST, check_ref, check_sha, is_sha, is_zero

GOOD = [
    "main",
    "feature/FB1",
    'zzz";echo${IFS}x;#',
    "refs/pull/12/head",
    "a-b",
    "ä/ö",
    "x@y",
    "$(x)",
]
BAD = {
    "": "is empty",
    "--upload-pack=x": "begins with '-'",
    "-cfoo": "begins with '-'",
    "a..b": "contains '..'",
    "a\rb": "control character",
    "a\nb": "control character",
    "a\0b": "control character",
    "a\x7fb": "control character",
    "a b": "contains one of",
    "a:b": "contains one of",
    "a@{1}": "contains '@{'",
    "@": "is '@' alone",
    "/a": "empty part",
    "a//b": "empty part",
    "a/": "empty part",
    ".a": "begins with '.'",
    "a/.b": "begins with '.'",
    "a.": "ends with '.'",
    "a.lock": "'.lock'",
    "a.lock/b": "'.lock'",
    "a\ud800": "UTF-8",
    "x" * (LONGEST + 1): "longer than",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_name_passes_unchanged(name):
    """What git accepts and cannot be an option is accepted as it is."""
    assert check_ref(name) == name


@pytest.mark.parametrize(("name", "reason"), BAD.items(), ids=[ascii(n[:20]) for n in BAD])
def test_a_bad_name_is_refused_with_its_reason(name, reason):
    """A person learns which rule the name broke, in printable text of one line."""
    with pytest.raises(UserError) as caught:
        check_ref(name)
    assert reason in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "text", ["", "main", "A" * 40, "a" * 39, "a" * 41, "g" * 40, "a" * 40 + "\n"]
)
def test_only_a_whole_id_is_an_id(text):
    """No abbreviation, no capitals, no newline behind it."""
    assert not is_sha(text)
    with pytest.raises(UserError):
        check_sha(text)


def test_both_widths_of_ids_are_ids():
    """SHA-1 and SHA-256."""
    assert is_sha("a" * 40)
    assert is_sha("0" * 64)
    assert is_zero("0" * 40)
    assert not is_zero("0" * 39)
