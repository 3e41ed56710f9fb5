"""
A whole server as its operator runs it: `windlass up`, driven by HTTP, Git and the command line.

Its port stays the same from one start to the next, so that forges find it again.
Nothing here retries or repairs: what a test sees is what anyone would see.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.forges.plain.program.signing import headers
from windlass.testing.servers.serving import lasting_port

WINDLASS = (sys.executable, "-m", "windlass")
GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "dev" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "dev@localhost" for who in ("AUTHOR", "COMMITTER")},
}
ZERO = "0" * 40


def git(folder: Path, *words: str, said: str | None = None) -> str:
    """Run git there, `said` on its input; its output."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env=GIT, check=True, capture_output=True, text=True, input=said
    )
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request was answered with; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The text as JSON."""
        return json.loads(self.text)

    @property
    def said(self) -> tuple[int, str]:
        """Status and the message that a person reads."""
        return self.status, self.json["error"]["message"]


@dataclass(slots=True)
class Standing:
    """A folder with a data folder in it, and the server on that."""

    folder: Path
    data: Path
    port: int
    jobs: int = 2
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    endpoint: str = ""
    secret: bytes = field(default=b"", repr=False)

    @classmethod
    def prepare(cls, folder: Path, *, jobs: int = 2, data: Path | None = None) -> Standing:
        """Nothing runs yet."""
        folder.mkdir(exist_ok=True)
        return cls(folder, data or folder / "data", lasting_port(), jobs)

    # ------------------------------------------------------------ the process

    def start(self, *flags: str) -> None:
        """Start it, without waiting."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen([*self.command, *flags], stdout=log, stderr=log)

    @property
    def command(self) -> list[str]:
        """What its operator types."""
        where = ("--data", str(self.data), "--address", f"127.0.0.1:{self.port}")
        return [*WINDLASS, "up", *where, "--jobs", str(self.jobs)]

    def up(self, *flags: str) -> None:
        """Start it, and wait until it takes webhooks."""
        self.start(*flags)
        self.until("start", self.ready)

    def ready(self) -> bool:
        """Whether it takes webhooks; fails when it has ended instead."""
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return self.get("/readyz").status == http.HTTPStatus.OK
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def leave(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def remove(self) -> None:
        """End what is left of it."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def log(self) -> str:
        """The end of what it said."""
        return (self.folder / "server.log").read_text(encoding="utf-8")[-4000:]

    def until(self, what: str, true: Callable[[], object], *, within: float = 90) -> None:
        """Wait for something to become true; `within` in seconds."""
        end = time.monotonic() + within
        while not true():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not happen: {self.log()}")
            time.sleep(0.02)

    # ------------------------------------------------------------ its repository

    def repository(self, configuration: str, name: str = "shop") -> Path:
        """A bare repository whose `main` says this, and a clone of it in `work`."""
        git(self.folder, "init", "-q", "--bare", "-b", "main", f"{name}.git")
        git(self.folder, "clone", "-q", f"{name}.git", f"{name}-work")
        work = self.folder / f"{name}-work"
        (work / ".windlass.yaml").write_text(configuration, encoding="utf-8")
        git(work, "add", "-A")
        git(work, "commit", "-qm", "first")
        git(work, "push", "-q", "origin", "HEAD:main")
        return work

    def connect(self, name: str = "shop") -> None:
        """Connect it; from now on webhooks can be signed in its name."""
        done = self.cli("repo", "add", str(self.folder / f"{name}.git"), "--name", name)
        assert done.returncode == 0, done.stderr
        hook = self.folder / f"{name}.git" / "windlass"
        said = json.loads((hook / "hook.json").read_text(encoding="utf-8"))
        self.endpoint = said["url"].rpartition("/")[2]
        self.secret = (hook / "secret").read_bytes()

    def push(self, branch: str, after: str, before: str = ZERO, name: str = "shop") -> bytes:
        """The body of the webhook that tells of this push."""
        said = {
            "event": "push",
            "at": time.time(),
            "repository": {"path": str(self.folder / f"{name}.git")},
            "sender": {"name": "dev", "id": "os:dev"},
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "commit": after,
            "commits": [],
            "commits_complete": False,
            "files": [],
            "files_complete": False,
        }
        return json.dumps(said).encode()

    # ------------------------------------------------------------ its doors

    def post(self, body: bytes, identity: str, *, endpoint: str = "", **more: str) -> Reply:
        """Post a webhook, signed; `more` headers replace those that it has (`_` for `-`)."""
        signed = headers(self.secret, identity, time.time(), body)
        signed |= {name.replace("_", "-"): value for name, value in more.items()}
        return self.request("POST", f"/hooks/{endpoint or self.endpoint}", body, signed)

    def get(self, path: str) -> Reply:
        """Read a page."""
        return self.request("GET", path)

    def api(self, path: str) -> Any:
        """What the API answers."""
        reply = self.get(f"/api/v1{path}")
        assert reply.status == http.HTTPStatus.OK, reply
        return reply.json

    def ask(self, path: str, **body: object) -> Any:
        """What the API answers to its operator, who asks for something."""
        token = (self.data / "api-token").read_text(encoding="ascii").strip()
        said = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        reply = self.request("POST", f"/api/v1{path}", json.dumps(body).encode(), said)
        assert reply.status < http.HTTPStatus.BAD_REQUEST, reply
        return reply.json

    def request(
        self, method: str, path: str, body: bytes = b"", said: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(said or {}))
            answer = connection.getresponse()
            text = answer.read().decode()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)
        finally:
            connection.close()

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the server's operator."""
        env = {**GIT, "WINDLASS_DATA": str(self.data)}
        return subprocess.run([*WINDLASS, *words], env=env, capture_output=True, text=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, read beside the server."""
        path = f"file:{self.data / 'windlass.db'}?mode=ro"
        connection = sqlite3.connect(path, uri=True, timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def count(self, what: str) -> int:
        """How many rows: `count("run where ended_at is null")`."""
        return int(self.rows(f"select count(*) from {what}")[0][0])

    def at_rest(self) -> bool:
        """Whether nothing is left to do."""
        return not (
            self.count("effect where state = 'pending'")
            + self.count("delivery where state = 'received'")
            + self.count("run where ended_at is null")
        )
