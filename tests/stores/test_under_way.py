"""What was being worked on is known to whoever comes after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from windlass.stores.under_way import UnderWayFile

DIES = """
import os, signal, sys
from pathlib import Path
from windlass.stores.under_way import UnderWayFile
file = UnderWayFile(Path(sys.argv[1]))
for number in range(70):
    file.begin(f"d{number:02}")
for number in range(70):
    if number not in {3, 69}:
        file.end(f"d{number:02}")
file.begin("again")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_had_begun_is_left(tmp_path):
    """And what it had ended is not; taken care of, it is gone."""
    path = tmp_path / "under-way"
    died = subprocess.run([sys.executable, "-c", DIES, str(path)], env=os.environ, check=False)
    assert died.returncode == -signal.SIGKILL
    file = UnderWayFile(path)
    assert file.left() == ("again", "d03", "d69")
    file.forget()
    assert file.left() == ()
    file.begin("x")
    file.end("x")
    file.close()
    file.close()
    assert UnderWayFile(path).left() == ()


def test_without_a_place_nothing_is_noted_and_nothing_fails(tmp_path):
    """A disk that takes nothing is no reason to handle no delivery."""
    file = UnderWayFile(tmp_path / "absent" / "under-way")
    file.begin("x")
    file.end("x")
    assert file.left() == ()
    file.forget()
    file.close()
