"""
The tutorial, typed by a machine: every command in order, every answer compared.

A block of `sh` is run; the block of `text` after it is what it has to say, lines in
order, `…` standing for anything. A question is asked again until it has its answer.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorial/first-deployment.md"
BLOCK = re.compile(
    r"^```(?P<kind>sh|text)(?: (?P<how>\w+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# What may be typed again, since it changes nothing.
QUESTION = re.compile(r"(?:cat [^>]|windlass (?:explain|\w+ (?:list|show)) |git --git-dir=).*")
ADDRESS = "127.0.0.1:8470"
PATIENCE = 40.0


def blocks() -> list[tuple[str, str]]:
    """Every command block with the answer that has to follow, or ""."""
    found = [one.groupdict() for one in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
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


def typed(commands: str, folder: Path, environ: dict[str, str]) -> tuple[int, str, Path]:
    """Run commands in one shell: its exit code, what it said, and the folder it ended in."""
    script = f'set -e\ncd "$0"\n{commands}\npwd >"$HOME/.folder"'
    done = subprocess.run(
        ["bash", "-c", script, str(folder)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    ended = Path(environ["HOME"], ".folder")
    after = Path(ended.read_text().strip()) if done.returncode == 0 else folder
    return done.returncode, done.stdout, after


def asked(commands: str, answer: str, folder: Path, environ: dict[str, str]) -> Path:
    """Type a block until it is answered as written, a command once; the folder it ended in."""
    question = all(QUESTION.fullmatch(f"{line} ") for line in commands.splitlines())
    until = time.monotonic() + (PATIENCE if question else 0)
    while True:
        code, said, ended = typed(commands, folder, environ)
        if code == 0 and says(said, answer):
            return ended
        assert time.monotonic() < until, f"{commands}\nsaid:\n{said}\nand not:\n{answer}"
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path):
    """A reader who types what stands there sees what stands there."""
    address = f"127.0.0.1:{free_port()}"
    environ = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "WINDLASS_ADDRESS": address,
        "GIT_AUTHOR_NAME": "A Reader",
        "GIT_AUTHOR_EMAIL": "reader@example",
        "GIT_COMMITTER_NAME": "A Reader",
        "GIT_COMMITTER_EMAIL": "reader@example",
    }
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "windlass", "up"], env=environ, stdout=log, stderr=log
        )
    try:
        note = tmp_path / ".local/share/windlass/server.json"
        until = time.monotonic() + PATIENCE
        while not note.exists():
            assert server.poll() is None, (tmp_path / "server.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        folder = tmp_path
        for commands, written in blocks():
            folder = asked(commands, written.replace(ADDRESS, address), folder, environ)
    finally:
        server.terminate()
        server.wait()


def test_an_answer_that_differs_is_noticed():
    """The comparison takes what is meant and nothing else."""
    assert says("a\nb c\nd\n", "a\n…c\n")
    assert not says("a\nb c\nd\n", "d\na\n")
    assert not says("succeeded\n", "failed\n")


def test_the_tutorial_has_what_it_is_about():
    """The blocks are found; a page that lost them would pass for ever."""
    assert len(blocks()) > 20
    assert os.linesep.join(one for one, _ in blocks()).count("git push") > 4
