"""
A whole server to measure: `windlass up` on a folder of its own, and a plain repository.

Webhooks are signed here with the repository's own secret and posted straight to the
server, so that what is measured begins where a forge's request begins.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from windlass.forges.plain.program.signing import headers

GIT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "bench" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "bench@localhost" for who in ("AUTHOR", "COMMITTER")},
}
NAME = "bench"
# Every push of a branch `b...` is one run of one step.
ONE_STEP = """
listeners:
  all: {on: push, branches: ["b*"], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {one: {steps: [{name: "true", run: "true"}]}}}
"""


def git(folder: Path, *words: str) -> str:
    """Run git there; its output."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env=GIT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass(slots=True)
class Whole:
    """A server that is up, its repository and the person who pushes to it."""

    folder: Path
    url: str
    endpoint: str
    secret: bytes
    process: subprocess.Popen[bytes]
    name: str = NAME
    sent: int = 0

    @property
    def bare(self) -> Path:
        """The repository."""
        return self.folder / "bench.git"

    @property
    def work(self) -> Path:
        """The clone in which commits are made."""
        return self.folder / "work"

    def commit(self, branch: str) -> str:
        """A new commit on a branch of the repository, its hook kept quiet."""
        self.sent += 1
        (self.work / "file.txt").write_text(f"{self.sent}\n", encoding="utf-8")
        git(self.work, "commit", "-qam", f"commit {self.sent}")
        sha = git(self.work, "rev-parse", "HEAD")
        git(self.bare, "fetch", "-q", str(self.work), f"+HEAD:refs/heads/{branch}")
        return sha

    def body(self, branch: str, sha: str, before: str = "0" * 40) -> bytes:
        """What the hook would send for this push."""
        said = {
            "event": "push",
            "at": time.time(),
            "repository": {"path": str(self.bare)},
            "sender": {"name": "bench", "id": "os:bench"},
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": sha,
            "commit": sha,
            "commits": [],
            "commits_complete": False,
            "files": [],
            "files_complete": False,
        }
        return json.dumps(said).encode()

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the server."""
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def post(self, connection: http.client.HTTPConnection, body: bytes, identity: str) -> int:
        """Send a webhook; the answer's status."""
        signed = headers(self.secret, identity, time.time(), body)
        connection.request("POST", f"/hooks/{self.endpoint}", body, signed)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def get(self, path: str) -> Any:  # noqa: ANN401 - the shape of each answer is its own
        """What the API answers."""
        connection = self.connect()
        connection.request("GET", f"/api/v1{path}")
        return json.loads(connection.getresponse().read())


@contextmanager
def whole(folder: Path, configuration: str, *, jobs: int = 4) -> Iterator[Whole]:
    """A server with one repository whose default branch says `configuration`."""
    git(folder, "init", "-q", "--bare", "-b", "main", "bench.git")
    git(folder, "clone", "-q", "bench.git", "work")
    work = folder / "work"
    (work / ".windlass.yaml").write_text(configuration, encoding="utf-8")
    (work / "file.txt").write_text("0\n", encoding="utf-8")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "first")
    git(work, "push", "-q", "origin", "HEAD:main")
    data = folder / "data"
    process = start(data, jobs)
    try:
        url = ready(data)
        subprocess.run(
            [*WINDLASS, "repo", "add", str(folder / "bench.git"), "--name", NAME],
            env={**os.environ, "WINDLASS_DATA": str(data)},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        hook = folder / "bench.git" / "windlass"
        said = json.loads((hook / "hook.json").read_text(encoding="utf-8"))
        endpoint = said["url"].rpartition("/")[2]
        yield Whole(folder, url, endpoint, (hook / "secret").read_bytes(), process)
    finally:
        process.terminate()
        process.wait(30)


WINDLASS = (sys.executable, "-m", "windlass")


def start(data: Path, jobs: int) -> subprocess.Popen[bytes]:
    """`windlass up` on any free port."""
    return subprocess.Popen(
        [*WINDLASS, "up", "--data", str(data), "--address", "127.0.0.1:0", "--jobs", str(jobs)],
        stdout=subprocess.DEVNULL,
        stderr=(data.parent / "server.log").open("ab"),
    )


def ready(data: Path) -> str:
    """Wait until it answers; its address."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            note = json.loads((data / "server.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            time.sleep(0.005)
            continue
        parts = urlsplit(note["url"])
        try:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return str(note["url"])
        except OSError:
            pass
        time.sleep(0.005)
    raise SystemExit("the server did not start")
