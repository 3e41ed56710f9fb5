"""Whether this machine makes sandboxes is tried, and what keeps it from that is said."""

from __future__ import annotations

import pytest
from sandboxes import sandbox

from windlass.executors.sandbox import NoSandbox, find


def program(folder, text):
    """A `bwrap` of our own, as a search path."""
    file = folder / "bwrap"
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(folder)


def test_without_the_program_there_is_none(tmp_path):
    """And it is said which one is missing."""
    with pytest.raises(NoSandbox, match="bubblewrap is not installed"):
        find(str(tmp_path))


def test_what_the_kernel_refuses_is_said(tmp_path):
    """In the program's own words, the last of them."""
    search = program(tmp_path, "echo first >&2; echo 'setting up uid map: denied' >&2; exit 1")
    with pytest.raises(NoSandbox, match="on this machine: setting up uid map: denied"):
        find(search)


def test_a_path_that_is_not_there_is_said(tmp_path):
    """The operator named it, and can mend it."""
    sandbox()
    with pytest.raises(NoSandbox, match="/opt/not-here"):
        find("/usr/bin:/bin", readable=("/opt/not-here",))


def test_an_older_program_makes_one_as_well(tmp_path):
    """It does not know how to forbid further user namespaces."""
    here = sandbox()
    refuse = 'for it; do [ "$it" != --disable-userns ] || exit 1; done'
    search = program(tmp_path, f'{refuse}; exec {here.program} "$@"')
    assert not find(search).closed
