"""
A bare repository with a person who pushes to it, and someone who takes webhooks.

For tests of whatever speaks plain Git. Everything lies below one folder, and
nothing of the machine's own Git configuration takes part.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from windlass.ports.forge import Request

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


class Bench:
    """The bare repository `bare`, and a clone of it in `work`, on `main` with a `README`."""

    def __init__(self, root: Path) -> None:
        self.bare = root / "shop.git"
        self.work = root / "work"
        run(root, "git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        run(root, "git", "clone", "--quiet", str(self.bare), str(self.work))
        self.git("checkout", "--quiet", "-b", "main")
        self.commit({"README": "old\n"}, "Begin")
        self.push("main")

    @property
    def url(self) -> str:
        """The repository as the ports name it."""
        return str(self.bare)

    def git(self, *words: str) -> str:
        """What git says in the clone."""
        return run(self.work, "git", *words).stdout.strip()

    def at(self, revision: str) -> str:
        """The commit of a revision in the bare repository."""
        return self._git("rev-parse", revision).stdout.strip()

    def _git(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Git on the bare repository, whoever owns it."""
        return run(self.bare, "git", f"--git-dir={self.bare}", *words)

    def refs(self) -> dict[str, str]:
        """Every ref of the bare repository."""
        out = self._git("for-each-ref", "--format=%(refname) %(objectname)").stdout
        return dict(line.split(" ") for line in out.splitlines())

    def content(self, branch: str = "main") -> dict[str, str]:
        """The files of a branch in the bare repository."""
        names = self._git("ls-tree", "-r", "--name-only", branch).stdout.splitlines()
        return {name: self._git("show", f"{branch}:{name}").stdout for name in names}

    def commit(self, files: Mapping[str, str], message: str = "Change") -> str:
        """Commit these files where the clone stands; the commit."""
        for name, text in files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def push(self, *words: str, also: Mapping[str, str] | None = None) -> str:
        """Push to the bare repository; what its hook said. Fails when the push does."""
        done = run(self.work, "git", "push", "--quiet", *_options(words), also=also)
        lines = (line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines())
        return "\n".join(lines)

    def propose(self, topic: str, files: Mapping[str, str], *, against: str = "") -> int:
        """Push a pull request of these files; its number. `against` is put on `main` meanwhile."""
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "--detach", "origin/main")
        self.commit(files, f"Add {topic}")
        proposed = self.git("rev-parse", "HEAD")
        if against:
            self.git("checkout", "--quiet", "--detach", "origin/main")
            self.commit({"README": against}, "Go on")
            self.push("HEAD:main")
        said = self.push(f"{proposed}:refs/for/main/{topic}")
        return int(said.split("Pull request ")[1].split(" ")[0])


def _options(words: tuple[str, ...]) -> tuple[str, ...]:
    """Options stay before the name of the remote."""
    at = next((index for index, word in enumerate(words) if not word.startswith("-")), len(words))
    return (*words[:at], "origin", *words[at:])


def run(
    folder: Path, *argv: str, also: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that must succeed, in an environment of our own."""
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**ENVIRONMENT, **(also or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done


class Receiver:
    """
    Takes webhooks on a port of its own, for as long as the `with` lasts.

    `answers` are the status codes of the next requests, 202 when none is left.
    """

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.arrived = threading.Condition()
        owner = self

        class Taking(_Taking):
            receiver = owner

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/hooks/7"

    def wait(self, count: int, within: float = 20.0) -> list[Request]:
        """The first so many requests, once they are there."""
        with self.arrived:
            there = self.arrived.wait_for(lambda: len(self.requests) >= count, within)
            assert there, f"{len(self.requests)} of {count} webhooks came"
            return self.requests[:count]

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Taking(BaseHTTPRequestHandler):
    """One connection of the receiver."""

    receiver: ClassVar[Receiver]

    def do_POST(self) -> None:
        """Keep the request, and answer as told."""
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner = self.receiver
        with owner.arrived:
            code = owner.answers.pop(0) if owner.answers else 202
            owner.requests.append(Request(headers=headers, body=body, at=time.time()))
            owner.arrived.notify_all()
        self.send_response(code)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - given by the server
        """Say nothing."""
