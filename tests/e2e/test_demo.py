"""
`windlass demo`, as a person runs it: a process of its own, in a folder of its own.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BEATS = (
    "A server, a repository, a first release",
    "A push to FB1 reaches dev",
    "A pull request with a failing test is red",
    "Mended, it is green",
    "Approved and merged, the tested build reaches production",
    "An edit by hand in production is noticed and healed",
    "A rollback brings the build before back, and pins it",
)
HOSTILE = {
    "GIT_DIR": "/nowhere",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.hooksPath",
    "GIT_CONFIG_VALUE_0": "/dev/null",
    "http_proxy": "http://127.0.0.1:9",
    "WINDLASS_ADDRESS": "nonsense",
    "WINDLASS_DATA": "/nowhere",
    "WINDLASS_API_TOKEN": "another",
    "NO_COLOR": "1",
}


def demo(*words, environ=None, **more):
    """Start the demonstration."""
    return subprocess.Popen(
        [sys.executable, "-m", "windlass", "demo", *map(str, words)],
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **more,
    )


def processes(folder: Path) -> list[str]:
    """The command lines of processes that name this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) + b"/" in words:
            found.append(words.replace(b"\0", b" ").decode())
    return found


@pytest.mark.parametrize(
    ("words", "environ"),
    [((), {}), (("--kill",), {}), ((), HOSTILE)],
    ids=["as it is", "server killed", "hostile settings"],
)
def test_the_demonstration_verifies_every_beat(words, environ, tmp_path):
    """It exits 0, each beat in order with its time, and nothing of it runs on."""
    folder = tmp_path / "a folder"
    running = demo("--once", folder, *words, environ=environ)
    said, _ = running.communicate()
    assert running.returncode == 0, said
    assert re.findall(r"^\d\. (.+)$", said, re.MULTILINE) == list(BEATS)
    assert len(re.findall(r"^   ok, \d+\.\d s\. Look at: http://127", said, re.MULTILINE)) == 7
    assert ("killed (SIGKILL) and started again" in said) == ("--kill" in words)
    assert "\x1b" not in said
    assert not processes(folder)


def test_a_beat_that_fails_says_what_was_found(tmp_path):
    """Exit code 1, expected and found, the log and its end; what failed is kept."""
    programs, folder = tmp_path / "bin", tmp_path / "demo"
    programs.mkdir()
    (programs / "setsid").write_text("#!/bin/sh\necho no sessions today >&2\nexit 1\n")
    (programs / "setsid").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    running = demo("--once", folder, environ={"PATH": path})
    said, _ = running.communicate()
    assert running.returncode == 1, said
    assert "failed: A server, a repository, a first release" in said
    assert "expected  run 1 to be succeeded" in said
    assert "no sessions today" in said
    assert f"log       {folder}/server.log" in said
    assert "Traceback" not in said
    assert (folder / "server.log").exists()
    assert not processes(folder)


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    """What is in it stays as it was, and the text says what to do."""
    (tmp_path / "thesis.txt").write_text("my only copy")
    running = demo("--once", tmp_path)
    said, _ = running.communicate()
    assert running.returncode == 1
    assert "not empty" in said
    assert "windlass demo FOLDER" in said
    assert "Traceback" not in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_killed_it_leaves_nothing_that_blocks_the_next(tmp_path):
    """Its server dies with it; the next in the folder says so, begins anew, and ends by signal."""
    folder = tmp_path / "windlass-demo"
    running = demo(cwd=tmp_path)
    assert running.stdout
    for line in running.stdout:
        if "production serves" in line:
            break
    second = demo("--once", folder)
    refused, _ = second.communicate()
    assert second.returncode == 1
    assert "running there already" in refused
    assert (folder / "shop.git").exists()
    running.kill()
    running.communicate()
    until_gone(folder, "windlass up")

    again = demo(cwd=tmp_path)
    assert again.stdout
    said = ""
    for line in again.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    assert "thrown away" in said
    assert len(re.findall(r"^   ok, ", said, re.MULTILINE)) == 7
    again.send_signal(signal.SIGINT)
    rest, _ = again.communicate()
    assert again.returncode == 0, rest
    assert not processes(folder)


def until_gone(folder: Path, words: str) -> None:
    """Wait until no process of this folder has these words."""
    end = time.monotonic() + 30
    while any(words in one for one in processes(folder)):
        assert time.monotonic() < end
        time.sleep(0.05)
