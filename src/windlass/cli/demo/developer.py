"""
The developer of the story, at a clone of her own: real commits, real pushes.

Git is told nothing by this machine's settings, and signs with a name of the story.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.cli.demo.looking import Missed
from windlass.cli.demo.stage import Stage

SAMPLE = Path(__file__).parent / "sample"
NAME, ADDRESS = "Dana Developer", "dana@shop.example"
# Where jobs look for programs.
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIMIT = 60.0
DISCOUNT = "Give a discount from three tins on"


@dataclass(frozen=True, slots=True)
class Developer:
    """Works in `stage.work`."""

    stage: Stage

    def begin(self) -> str:
        """Make the bare repository, and a clone with the first commit; its id."""
        folder = self.stage.folder
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.stage.origin))
        _git(folder, "clone", "--quiet", str(self.stage.origin), str(self.stage.work))
        _git(self.stage.work, "symbolic-ref", "HEAD", "refs/heads/main")
        # For whoever goes on here by hand, on a machine where Git knows nobody yet.
        _git(self.stage.work, "config", "user.name", NAME)
        _git(self.stage.work, "config", "user.email", ADDRESS)
        return self._commit("shop", "Open the shop")

    def branch(self, name: str) -> None:
        """Begin a branch here."""
        _git(self.stage.work, "switch", "--quiet", "--create", name)

    def add_discount(self) -> str:
        """Commit a new feature, with a test that finds a fault in it."""
        return self._commit("discount", DISCOUNT)

    def mend(self) -> str:
        """Mend the fault, in the same commit."""
        path = self.stage.work / "prices.py"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("pieces > 3", "pieces >= 3"), encoding="utf-8")
        _git(self.stage.work, "commit", "--quiet", "--all", "--amend", "--no-edit")
        return self.head()

    def push(self, *refs: str) -> str:
        """Push; what the repository answered."""
        return _git(self.stage.work, "push", "--quiet", "origin", *refs)

    def head(self) -> str:
        """The commit that is checked out."""
        return _git(self.stage.work, "rev-parse", "HEAD").strip()

    def _commit(self, sample: str, message: str) -> str:
        words = _words(self.stage)
        for source in sorted((SAMPLE / sample).iterdir()):
            name = ".windlass.yaml" if source.name == "windlass.yaml" else source.name
            text = source.read_text(encoding="utf-8") if source.is_file() else None
            if text is None:
                continue
            target = self.stage.work / name
            for word, value in words.items():
                text = text.replace(f"@{word}@", _quoted(value, source.suffix))
            target.write_text(text, encoding="utf-8")
            target.chmod(0o755 if source.suffix == ".sh" else 0o644)
        _git(self.stage.work, "add", "--all")
        _git(self.stage.work, "commit", "--quiet", f"--message={message}")
        return self.head()


def state_log(stage: Stage) -> list[str]:
    """The subjects of the state repository's commits, newest first, as `ID SUBJECT`."""
    folder = stage.data / "state.git"
    said = _git(stage.folder, f"--git-dir={folder}", "log", "--format=%h %s")
    return said.splitlines()


def state_trailer(stage: Stage, commit: str, name: str) -> str:
    """A trailer of a commit in the state repository."""
    folder, form = stage.data / "state.git", f"--format=%(trailers:key={name},valueonly)"
    return _git(stage.folder, f"--git-dir={folder}", "log", "-1", form, commit).strip()


def _words(stage: Stage) -> Mapping[str, str]:
    """What is put into the sample's files."""
    return {
        "PYTHON": _python(),
        "DEV": str(stage.folder / "dev"),
        "DEV_URL": stage.url("dev"),
        "PRODUCTION": str(stage.folder / "production"),
        "PRODUCTION_URL": stage.url("production"),
    }


def _quoted(value: str, suffix: str) -> str:
    """A value as it stands between the quotes of a YAML text; in a script as it is."""
    return json.dumps(value, ensure_ascii=False)[1:-1] if suffix == ".yaml" else value


def _python() -> str:
    """`python3` where jobs find one that is whole, else the interpreter that runs this."""
    found = shutil.which("python3", path=SEARCH)
    if found:
        words = [
            found,
            "-I",
            "-c",
            "import http.server, sys, unittest; assert sys.version_info[1] > 7",
        ]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return "python3"
    return shlex.quote(sys.executable)


def _git(folder: Path, *words: str) -> str:
    """Run git in a folder; what it said on both streams."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": NAME,
        "GIT_AUTHOR_EMAIL": ADDRESS,
        "GIT_COMMITTER_NAME": NAME,
        "GIT_COMMITTER_EMAIL": ADDRESS,
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missed(f"git {words[0]} to work", str(error)) from error
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Missed(f"git {words[0]} to work", said.strip() or f"exit code {done.returncode}")
    return said
