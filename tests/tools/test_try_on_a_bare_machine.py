"""
What `./try` and `./check` say on a machine that lacks something.

The PATH holds only what the test puts there, so each lack is real.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
OLD_PYTHON = '#!/bin/sh\ncase "$*" in *version\\(\\)*) echo 3.9.2 ;; *) exit 1 ;; esac\n'
OLD_GIT = "#!/bin/sh\necho git version 2.30.2\n"
NEW_PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'

LACKS = {
    "no Python": ({}, ["Python 3.11 or newer", "Found: none", "sudo apt install python3"]),
    "an old Python": ({"python3": OLD_PYTHON}, ["Python 3.11 or newer", "python3 3.9.2"]),
    "no Git": ({"python3": NEW_PYTHON}, ["Git 2.38 or newer", "none", "sudo apt install git"]),
    "an old Git": (
        {"python3": NEW_PYTHON, "git": OLD_GIT},
        ["Git 2.38 or newer", "2.30.2", "sudo apt install git"],
    ),
    "an old Python and old others": (
        {"python3": OLD_PYTHON, "python3.12": NEW_PYTHON, "git": OLD_GIT},
        ["Git 2.38 or newer"],
    ),
}


@pytest.fixture
def environment(monkeypatch):
    """The program that makes environments."""
    monkeypatch.syspath_prepend(HERE / "tools")
    return importlib.import_module("environment")


@pytest.mark.parametrize("command", ["try", "check"])
@pytest.mark.parametrize("lack", LACKS)
def test_what_is_missing_is_said_with_what_to_type(lack, command, tmp_path):
    """Exit code 1, what was found, what is needed, what to type; never a traceback."""
    programs, words = LACKS[lack]
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    said = subprocess.run(
        ["/bin/sh", HERE / command], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert said.returncode == 1
    assert all(word in said.stderr for word in words), said.stderr
    assert "Traceback" not in said.stderr


def test_the_project_is_linked_with_its_command_and_metadata(environment, tmp_path):
    """Also in a folder with a space: the command starts, and version and commands are known."""
    folder = tmp_path / "a folder" / ".venv"
    venv.create(folder, symlinks=True)
    environment.link(folder)
    environment.link(folder)
    code = (
        "import importlib.metadata as m, windlass; "
        "print(m.version('windlass'), [e.name for e in m.entry_points(group='console_scripts')])"
    )
    said = subprocess.run([folder / "bin/python", "-c", code], capture_output=True, text=True)
    assert said.stdout == "0.1.0 ['windlass']\n", said.stderr
    ran = subprocess.run([folder / "bin/windlass"], capture_output=True, text=True)
    assert "ModuleNotFoundError" in ran.stderr  # of Click: the command found Python and the project


def test_an_environment_is_made_again_when_something_changed(environment, tmp_path):
    """Another lock, or another place, is another environment; the same is the same."""
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("a==1\n")
    two.write_text("a==2\n")
    prints = [
        environment.fingerprint(folder, lock)
        for folder in (tmp_path / "x", tmp_path / "y")
        for lock in (one, two)
    ]
    assert len(set(prints)) == len(prints)
    assert environment.fingerprint(tmp_path / "x", one) == prints[0]


def test_uv_is_told_what_pip_is_told(environment, monkeypatch):
    """An index that pip is set up with is the one that uv asks, too."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "one two")
    said = environment.uv_settings()
    assert said["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert said["UV_FIND_LINKS"] == "one,two"


@pytest.mark.parametrize("name", ["try", "check", "tools/python.sh", ".ci/run"])
def test_the_scripts_are_written_for_their_shell(name):
    """The shell that reads a script can read it, and the first ones can be started."""
    shell = "bash" if name == ".ci/run" else "sh"
    subprocess.run([shell, "-n", HERE / name], check=True)
    assert name.endswith(".sh") or os.access(HERE / name, os.X_OK)
