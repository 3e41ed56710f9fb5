"""What artifacts as files promise beyond the contract of all artifact stores."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from windlass.artifacts import local
from windlass.artifacts.local import LocalArtifacts
from windlass.core.errors import NotFound, Transient


def test_a_put_killed_anywhere_leaves_all_or_nothing(tmp_path):
    """At every line: the artifact is there whole, or not at all, and can be put again."""
    source = tmp_path / "source"
    source.write_bytes(b"x" * 3_000_000)
    number, died = 0, True
    while died:
        number += 1
        root = tmp_path / str(number)
        died = _die_at_line(number, root, source)
        store = LocalArtifacts(root)
        for digest in store.list():
            assert store.get(digest).size == 3_000_000
        assert store.put(source) == store.get(store.list()[0])
    assert number > 15


def _die_at_line(number, root, source):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    passed = 0

    def trace(frame, event, _):
        nonlocal passed
        if frame.f_code.co_filename != local.__file__:
            return None
        if event == "line":
            passed += 1
            if passed == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    try:
        store = LocalArtifacts(root)
        sys.settrace(trace)
        store.put(source)
    finally:
        os._exit(0)


def test_what_lies_aside_from_long_ago_is_swept_up(tmp_path):
    """What was begun just now by another program is left alone."""
    LocalArtifacts(tmp_path)
    for name, age in (("old", 1.0), ("new", None)):
        (tmp_path / "aside" / name).write_text("x")
        if age:
            os.utime(tmp_path / "aside" / name, (age, age))
    LocalArtifacts(tmp_path)
    assert [path.name for path in (tmp_path / "aside").iterdir()] == ["new"]


def test_a_link_in_the_place_of_an_artifact_is_not_followed(tmp_path):
    """Even when it leads to the right bytes."""
    source = tmp_path / "source"
    source.write_bytes(b"content")
    store = LocalArtifacts(tmp_path / "store")
    stored = store.put(source)
    stored.path.unlink()
    stored.path.symlink_to(source)
    with pytest.raises((NotFound, local.Permanent)):
        store.get(stored.digest)


def test_a_full_disk_may_have_room_later(tmp_path, monkeypatch):
    """So it is told as transient, and leaves nothing aside."""
    store = LocalArtifacts(tmp_path / "store")
    (tmp_path / "source").write_text("x")

    def full(_):
        raise OSError(local.errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Transient):
        store.put(tmp_path / "source")
    assert list((tmp_path / "store" / "aside").iterdir()) == []
    assert store.list() == ()
