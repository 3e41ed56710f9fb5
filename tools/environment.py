"""
An environment to run in: `python environment.py FOLDER LOCK`.

Made once and used again for as long as the lock, this program, the Python and
the place stay the same. Everything is installed by hash. The project itself is
linked and not built, so that no build tool has to be fetched: a `.pth` file, a
command, and the metadata that says so.

Needs Python 3.11 and Git 2.38 and nothing else; `uv` is used when it is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from pathlib import Path

import first_pip

HERE = Path(__file__).resolve().parent.parent
PIP = HERE / "requirements-pip.txt"
# `git merge-tree --write-tree` came with it.
GIT = (2, 38)
# Settings of the machine's pip that would install beside the environment instead of into it.
ASTRAY = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONPATH"}


def main(folder: Path, lock: Path) -> None:
    """Make `folder` hold exactly what `lock` names, and this project, and say how long it took."""
    started = time.monotonic()
    git = git_version()
    stamp, wanted = folder / "windlass.stamp", fingerprint(folder, lock)
    with (folder.parent / f"{folder.name}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        say(f"Python {platform.python_version()}, Git {git}")
        count = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
        say(f"Making {folder.name} with {count} packages; this happens once")
        # A changed lock is installed over what is there; what was made elsewhere is made anew.
        moved = stamp.is_file() and not stamp.read_text().startswith(origin(folder))
        venv.create(folder, clear=moved, symlinks=True, with_pip=False)
        way = install(folder, lock)
        link(folder)
        stamp.write_text(wanted)
    say(f"Ready after {time.monotonic() - started:.1f} s (installed by {way})")


def say(text: str) -> None:
    """One calm line, at once."""
    print(text, flush=True)


def stop(text: str) -> SystemExit:
    """The end, with exit code 1 and a text that says what to do."""
    return SystemExit(text)


def git_version() -> str:
    """The version of Git on this machine, or the end when it is missing or too old."""
    advice = "On Debian 12 or Ubuntu 24.04 and later:  sudo apt install git"
    need = "Windlass needs Git 2.38 or newer"
    try:
        said = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise stop(f"{need}; none was found.\n{advice}") from None
    numbers = re.findall(r"\d+", said.stdout)
    if tuple(map(int, numbers[:2])) < GIT:
        raise stop(f"{need}; found {said.stdout.strip()} at {shutil.which('git')}.\n{advice}")
    return ".".join(numbers[:3])


def origin(folder: Path) -> str:
    """Where and with what Python an environment is made."""
    return f"{folder}\n{sys.version}\n{Path(sys.executable).resolve()}\n"


def fingerprint(folder: Path, lock: Path) -> str:
    """Changes when the environment has to be made again."""
    parts = [lock, PIP, HERE / "pyproject.toml", *sorted((HERE / "tools").glob("*.py"))]
    digest = hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()
    return origin(folder) + digest


def install(folder: Path, lock: Path) -> str:
    """Install every line of `lock` by its hash; the name of what did it."""
    env = {key: value for key, value in os.environ.items() if key not in ASTRAY}
    python = str(folder / "bin/python")
    exact = ["--require-hashes", "--no-deps", "-r", str(lock)]
    uv = shutil.which("uv")
    if uv:
        words = [uv, "pip", "install", "--quiet", "--python", python, *exact]
        if subprocess.run(words, env=uv_settings() | env, check=False).returncode == 0:
            return "uv"
        say("uv did not manage; going on with pip")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--no-warn-script-location"]
    with tempfile.TemporaryDirectory() as scratch:
        found = first_pip.find(PIP, Path(scratch))
        if found is None:
            raise stop(NO_PIP)
        # The pip that was found installs the pinned one, and that one everything else.
        first = env | {"PYTHONPATH": str(found)}
        near = ["--find-links", str(found.parent)] if found.suffix == ".whl" else []
        run([*pip, "--ignore-installed", *near, "--require-hashes", "-r", str(PIP)], first)
    run([*pip, *exact], env)
    return "pip"


def uv_settings() -> dict[str, str]:
    """What pip is told on this machine, in the words of uv, which does not read it itself."""
    words = {
        "UV_DEFAULT_INDEX": first_pip.setting("index-url"),
        "UV_INDEX": first_pip.setting("extra-index-url"),
        "UV_FIND_LINKS": ",".join(first_pip.setting("find-links").split()),
        "SSL_CERT_FILE": first_pip.setting("cert"),
    }
    return {key: value for key, value in words.items() if value}


def run(command: list[str], env: dict[str, str]) -> None:
    """Run the command, or end with its exit code and what it was."""
    done = subprocess.run(command, env=env, check=False)
    if done.returncode:
        raise stop(f"This failed, and said why above:\n  {' '.join(command)}")


def link(folder: Path) -> None:
    """Let `folder` find the project where it stands: a path, a command and the metadata."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    site = next((folder / "lib").glob("python3*/site-packages"))
    info = site / f"{project['name']}-{project['version']}.dist-info"
    for old in site.glob(f"{project['name']}-*.dist-info"):
        shutil.rmtree(old)
    info.mkdir()
    command = folder / "bin" / project["name"]
    module, _, function = project["scripts"][project["name"]].partition(":")
    groups = {"console_scripts": project["scripts"], **project.get("entry-points", {})}
    files = {
        site / f"{project['name']}.pth": f"{HERE / 'src'}\n",
        info / "METADATA": f"Metadata-Version: 2.4\nName: {project['name']}\n"
        f"Version: {project['version']}\n",
        info / "INSTALLER": "windlass\n",
        info / "entry_points.txt": "\n".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in names.items())
            for group, names in groups.items()
        ),
        command: COMMAND.format(python=folder / "bin/python", module=module, function=function),
    }
    for file, text in files.items():
        file.write_text(text)
    command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    names = [os.path.relpath(file, site) for file in [*files, info / "RECORD"]]
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))


# By way of the shell, because a `#!` line bears neither a space nor a long path.
COMMAND = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from {module} import {function}

sys.exit({function}())
"""

NO_PIP = """\
There is no pip on this machine and no way to one that it is set up for. One of these helps:
  sudo apt install python3-venv
  PIP_INDEX_URL=<address of your package index> ./try
  put uv on the PATH"""

if __name__ == "__main__":
    try:
        main(HERE / sys.argv[1], HERE / sys.argv[2])
    except PermissionError as error:
        raise stop(f"Cannot write {error.filename}; copy this folder to one of your own.") from None
