"""Our rules for names, held against git's own."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.core.errors import Permanent, UserError
from windlass.git.failure import scrub
from windlass.git.refs import check_ref
from windlass.git.statecommit import check_path
from windlass.git.tree import parse_commit, parse_tree

WORDS = "a main . .. / - @ { @{ ~ ^ : ? * [ \\ .lock \x01 \x7f ä lock $ ' \r"
pieces = st.sampled_from([*WORDS.split(" "), " "])
names = st.lists(pieces, max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)


def accepted(name: str) -> bool:
    try:
        return check_ref(name) == name
    except UserError:
        return False


@settings(max_examples=150)
@given(names)
def test_we_accept_what_git_accepts_and_nothing_that_looks_like_an_option(name):
    """The same answer as `git check-ref-format`, but never a leading '-'."""
    done = subprocess.run(["git", "check-ref-format", "--allow-onelevel", "x/" + name], check=False)
    whole = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
    alone = name != "@" and not name.startswith("-")
    assert accepted(name) == (done.returncode == whole.returncode == 0 and alone)


@given(st.binary(max_size=200), st.sampled_from([20, 32]))
def test_a_damaged_tree_is_an_error_of_ours(raw, width):
    """Whatever the bytes, either entries or one error, and each entry has a whole id."""
    try:
        found = parse_tree(raw, width)
    except Permanent:
        return
    assert all(len(one.id) == 2 * width for one in found)


@given(st.binary(max_size=300))
def test_any_commit_can_be_read(raw):
    """Whatever its writer put in it, a commit has a subject, a time and no traceback."""
    assert parse_commit("a" * 40, raw).at >= 0


@given(st.text("ab:/@.", min_size=1, max_size=12), st.text("pw!:@", min_size=1, max_size=8))
def test_no_credential_survives_scrubbing(before, password):
    """A password in a URL is gone, also one that has an @ in it."""
    secret = f"se{password}cret"
    assert secret not in scrub(f"{before} https://user:{secret}@host/x 'https://{secret}@host'")


@given(st.lists(st.sampled_from(["a", "..", ".", "", ".git", ".GIT ", "git~1", "b.yaml", "\n"])))
def test_a_state_path_has_only_real_names(parts):
    """What passes has no part that a file system could take for something else."""
    try:
        passed = check_path("/".join(parts)).split("/")
    except UserError:
        return
    assert set(passed) <= {"a", "b.yaml"}
