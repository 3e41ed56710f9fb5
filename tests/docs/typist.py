"""
Pages, typed by a machine: every command in order, every answer compared.

A block of `sh` is run; the block of `text` after it is what it has to say, lines in
order, `…` standing for anything. A question is asked again until it has its answer.
A block of `sh skip` or `sh server` is for people alone.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(
    r"^```(?P<kind>sh|text)(?: (?P<how>\w+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# What may be typed again, since it changes nothing.
QUESTION = re.compile(r"(?:cat [^>]|windlass (?:explain|\w+ (?:list|show)) |git --git-dir=).*")
ADDRESS = "127.0.0.1:8470"
PATIENCE = 40.0


@dataclass(slots=True)
class Reader:
    """Somebody who types a page; `folder` is where the last command left them."""

    folder: Path
    environ: dict[str, str]
    address: str

    def read(self, page: Path) -> None:
        """Type every block of a page, and wait for what it says."""
        for commands, answer in blocks(page):
            self.folder = self.ask(commands, answer.replace(ADDRESS, self.address))

    def type(self, commands: str) -> tuple[int, str, Path]:
        """Run commands in one shell: its exit code, what it said, and the folder it ended in."""
        script = f'set -e\ncd "$0"\n{commands}\npwd >"$HOME/.folder"'
        done = subprocess.run(
            ["bash", "-c", script, str(self.folder)],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ended = Path(self.environ["HOME"], ".folder")
        after = Path(ended.read_text().strip()) if done.returncode == 0 else self.folder
        return done.returncode, done.stdout, after

    def ask(self, commands: str, answer: str) -> Path:
        """Type a block until it is answered as written, a command once; the folder it ended in."""
        question = all(QUESTION.fullmatch(f"{line} ") for line in commands.splitlines())
        until = time.monotonic() + (PATIENCE if question else 0)
        while True:
            code, said, ended = self.type(commands)
            if code == 0 and says(said, answer):
                return ended
            assert time.monotonic() < until, f"{commands}\nsaid:\n{said}\nand not:\n{answer}"
            time.sleep(0.1)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Every command block with the answer that has to follow, or ""."""
    found = [one.groupdict() for one in BLOCK.finditer(page.read_text(encoding="utf-8"))]
    pairs = []
    for here, following in zip(found, [*found[1:], {"kind": "", "text": ""}], strict=True):
        if here["kind"] == "sh" and here["how"] is None:
            pairs.append((here["text"], following["text"] if following["kind"] == "text" else ""))
    return pairs


def says(said: str, answer: str) -> bool:
    """Whether the lines of an answer are all there, in order."""
    at = 0
    for line in answer.splitlines():
        pattern = ".*".join(map(re.escape, line.split("…")))
        found = re.compile(rf"^{pattern}$", re.MULTILINE).search(said, at)
        if found is None:
            return False
        at = found.start() if line == "…" else found.end()
    return True


@contextmanager
def at_a_server(folder: Path, **more: str) -> Iterator[Reader]:
    """A reader in a fresh home folder, with a server of their own."""
    address = f"127.0.0.1:{_free_port()}"
    environ = {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        "WINDLASS_ADDRESS": address,
        "GIT_AUTHOR_NAME": "A Reader",
        "GIT_AUTHOR_EMAIL": "reader@example",
        "GIT_COMMITTER_NAME": "A Reader",
        "GIT_COMMITTER_EMAIL": "reader@example",
        **more,
    }
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "windlass", "up"], env=environ, stdout=log, stderr=log
        )
    try:
        note = Path(environ.get("WINDLASS_DATA", folder / ".local/share/windlass"), "server.json")
        until = time.monotonic() + PATIENCE
        while not note.exists():
            assert server.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Reader(folder, environ, address)
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
