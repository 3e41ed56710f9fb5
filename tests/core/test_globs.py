"""Globs: names are anchored, paths are Git's, and hostile patterns cost no more than others."""

from __future__ import annotations

import pathspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core import globs
from windlass.core.globs import Decision, names, paths

NAMES = [
    ("main", "main", True),
    ("main", "feature/main", False),
    ("main", "main/x", False),
    ("main", "mainly", False),
    ("FB*", "FB1", True),
    ("FB*", "FB", True),
    ("FB*", "FB1/x", False),
    ("FB*", "xFB1", False),
    ("feature/**", "feature/a", True),
    ("feature/**", "feature/a/b", True),
    ("feature/**", "feature", False),
    ("feature/*", "feature/a/b", False),
    ("**", "a/b", True),
    ("**/fix", "fix", True),
    ("**/fix", "a/b/fix", True),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z", True),
    ("a/**/z", "a/b/c/y", False),
    ("release-?.[0-9]", "release-1.4", True),
    ("release-?.[!0-9]", "release-1.4", False),
    (r"a\*", "a*", True),
    (r"a\*", "ab", False),
    ("[]x]", "]", True),
    ("v[", "v[", True),
]


@pytest.mark.parametrize(("pattern", "name", "fits"), NAMES)
def test_a_name_is_matched_as_a_whole(pattern, name, fits):
    """A pattern for a branch never fits a part of another branch's name."""
    assert names([pattern]).matches(name) is fits


def test_the_last_pattern_that_fits_decides():
    """`!` takes back what an earlier pattern gave, and a later one may give again."""
    found = paths(["services/**", "!**/*.md", "services/api/HELP.md"])
    assert found.decide("services/a.py") == Decision(matched=True, pattern="services/**")
    assert found.decide("services/a.md") == Decision(matched=False, pattern="!**/*.md")
    help_file = "services/api/HELP.md"
    assert found.decide(help_file) == Decision(matched=True, pattern=help_file)
    assert found.decide("docs/x") == Decision(matched=False, pattern=None)


def test_a_list_that_begins_with_taking_back_starts_from_everything():
    """`!docs/**` alone means everything but docs."""
    found = paths(["!docs/**"])
    assert found.matches("src/a.py")
    assert not found.matches("docs/a.md")
    assert not paths([]).matches("a")


PARTS = st.sampled_from(
    ["a", "b", "ab", "*", "**", "a*", "*b", "?", "a?b", "[ab]", "[!a]", "*a*b*"]
)
PATTERNS = st.builds(
    lambda lead, parts, tail: lead + "/".join(parts) + tail,
    st.sampled_from(["", "/"]),
    st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "", "/"]),
    # Of folders at any depth the other reading says what Git does not; see FOLDERS.
).filter(lambda pattern: not pattern.endswith("**/"))
FILES = st.lists(st.sampled_from(["a", "b", "ab", "ba", "c", "aab"]), min_size=1, max_size=5).map(
    "/".join
)


@given(st.lists(PATTERNS, min_size=1, max_size=3), FILES)
def test_paths_are_matched_as_git_ignores_them(patterns, file):
    """What an independent reading of the rules of .gitignore says, we say."""
    expected = pathspec.GitIgnoreSpec.from_lines(patterns).match_file(file)
    assert paths(patterns).matches(file) is bool(expected), (patterns, file)


FOLDERS = [
    *(("**/", "b", False), ("**/", "x/b", True), ("**/", "a/x/f", True)),
    *(("a/**/", "a/f", False), ("a/**/", "a/x/f", True), ("a/**/", "x/b", False)),
    *(("a/*", "a/a/a", True), ("a/*", "b", False)),
]


@pytest.mark.parametrize(("pattern", "file", "fits"), FOLDERS)
def test_folders_at_any_depth_are_as_git_has_them(pattern, file, fits):
    """As `git check-ignore` answers, which reads these with care."""
    assert paths([pattern]).matches(file) is fits


class Counted(str):
    """A text that counts how often it is looked at."""

    __slots__ = ()
    looks = 0

    def __getitem__(self, index):
        Counted.looks += 1
        return super().__getitem__(index)


@pytest.mark.parametrize("pattern", ["*a" * 40 + "?b", "**/" * 40 + "?a*b", "[ab]*" * 40 + "c"])
def test_a_hostile_pattern_costs_pattern_times_text(pattern):
    """No pattern makes the work grow faster than its length times the text's."""
    text = "a" * 400
    part = globs._part(pattern.split("/")[-1])
    Counted.looks = 0
    part(Counted(text))
    assert Counted.looks <= len(pattern) * len(text)
    assert names([pattern]).matches("/".join("a" * 400)) in {True, False}
