"""
What the hook and the adapter start: `receive` for a push of pull requests, `send`.

    receive    takes in the spool and tells the pusher what became of `refs/for/...`
               (lines `OLD NEW REF` on standard input)
    send       posts what waits, in this process
    detach     the same in a process of its own, and returns at once
"""

from __future__ import annotations

import os
import sys

from windlass.forges.plain.program.compose import compose
from windlass.forges.plain.program.folder import Busy, Folder
from windlass.forges.plain.program.git import Git
from windlass.forges.plain.program.pulls import Pulls
from windlass.forges.plain.program.send import send


def main() -> int:
    """Do what the argument says, in the repository that is the current folder; the exit code."""
    # Only the words that the hook says; nobody types them.
    word = sys.argv[1]
    folder = Folder(os.getcwd())
    git = Git(folder.repository, folder.settings().get("git", ""))
    if word == "receive":
        return receive(folder, git)
    if word == "detach" and os.fork() > 0:
        return 0
    _leave()
    send(folder, git)
    return 0


def receive(folder: Folder, git: Git) -> int:
    """Take in the spool, and say what became of the pull requests pushed just now."""
    try:
        with folder.state():
            compose(folder, git)
    except Busy:
        tell("windlass: the repository is busy")
        return 1
    except OSError as error:
        tell(f"windlass: {error}")
        return 1
    settings = folder.settings()
    pulls = Pulls(folder, git)
    for line in sys.stdin:
        _, new, ref = line.rstrip("\n").split(" ", 2)
        if ref.startswith("refs/for/") and new.strip("0"):
            tell(_became(pulls, new, ref, settings))
    return 0


def _became(pulls: Pulls, new: str, ref: str, settings: dict[str, str]) -> str:
    mine = [pull for pull in pulls.all() if pull.head_sha == new and _fits(ref, pull.base)]
    if mine:
        newest = max(mine, key=lambda pull: pull.updated_at)
        page = settings.get("pull", "")
        link = f"{page}{newest.number}" if page else f"{settings.get('origin', '')}/"
        return f"Pull request {newest.number} {newest.action}: {link}"
    target = pulls.target(ref, fallback="")
    if target is None:
        return f"windlass: no branch begins {ref[len('refs/for/') :]}; no pull request was opened"
    return f"windlass: {target[0]} has this commit already; no pull request was opened"


def _fits(ref: str, base: str) -> bool:
    return f"{ref}/".startswith(f"refs/for/{base}/")


def tell(text: str) -> None:
    """One line for the pusher."""
    sys.stderr.write(f"{text}\n")


def _leave() -> None:
    """Nothing of the push's own process is held: neither its session nor its descriptors."""
    try:
        os.setsid()
    except PermissionError:
        pass
    # Nor its folder, which may go: Git does not run in one that is gone.
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, 256)
