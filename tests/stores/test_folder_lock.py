"""
One server per data folder.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from windlass.core.errors import Conflict, Permanent
from windlass.stores.folder import hold

HOLDER = """
import sys, time
from pathlib import Path
from windlass.stores.folder import hold
with hold(Path(sys.argv[1]), now=0.0, address="http://127.0.0.1:8000"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_server_is_told_who_holds_the_folder(tmp_path):
    """Its process, where it answers, and since when."""
    with hold(tmp_path, now=0.0, address="http://127.0.0.1:8000"):
        with pytest.raises(Conflict) as refused, hold(tmp_path, now=1.0):
            pass
        for word in ("process", "http://127.0.0.1:8000", "1970-01-01T00:00:00"):
            assert word in str(refused.value)
        assert refused.value.code == "folder-in-use"
    with hold(tmp_path, now=2.0):
        pass


def test_the_lock_goes_with_its_holder(tmp_path):
    """Killed, it leaves nothing that has to be cleaned up."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Conflict, match=str(holder.pid)), hold(tmp_path, now=1.0):
            pass
        holder.kill()
    with hold(tmp_path, now=2.0):
        pass


def test_a_lock_file_that_says_nothing_still_locks(tmp_path):
    """The note is for people; the lock is the lock."""
    with hold(tmp_path, now=0.0):
        (tmp_path / "windlass.lock").write_text("{}")
        with pytest.raises(Conflict, match="another process"), hold(tmp_path, now=1.0):
            pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """With its name, and no traceback of the system."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Permanent, match="cannot be used"), hold(tmp_path / "file" / "x", now=0.0):
        pass
