"""
One repository, one server that may die, and the way from a push to production.

`Journey.walk` pushes to a branch, opens a pull request, merges it, and waits each
time until it has come through; whenever the server is found dead it is started again.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.testing.servers.serving import lasting_port

HERE = Path(__file__).parent
GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "dev" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "dev@localhost" for who in ("AUTHOR", "COMMITTER")},
}
CONFIGURATION = """
listeners:
  dev:
    on: push
    branches: ["FB*"]
    do: [{build: api}, {deploy: api, environment: dev}]
  check:
    on: pull_request
    base: [main]
    do: [{pipeline: ci}]
  release:
    on: {pull_request: [merged]}
    base: [main]
    do: [{build: api}, {deploy: api, environment: production}]
pipelines:
  ci:
    jobs:
      test:
        steps: [{name: test, run: 'echo "$CI_PIPELINE_NUMBER test" >> LEDGER; test -s app.txt'}]
      build: {needs: [test], build: api}
services:
  api:
    build:
      steps:
        - name: make
          run: 'echo "$CI_PIPELINE_NUMBER make" >> LEDGER; mkdir dist; cp app.txt dist/'
      artifacts: [dist/]
environments:
  dev: {target: {directory: {path: FOLDER/dev}}}
  production: {target: {directory: {path: FOLDER/production}}, branches: [main]}
"""


def git(folder: Path, *words: str) -> str:
    """Run git there; its output."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env=GIT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass(slots=True)
class Journey:
    """The folder of one journey, and the server that serves it."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    restarts: int = 0
    fatal: tuple[int, ...] = ()

    @classmethod
    def prepare(cls, folder: Path) -> Journey:
        """A repository that is connected to a server, which has ended."""
        self = cls(folder, lasting_port())
        folder.mkdir()
        git(folder, "init", "-q", "--bare", "-b", "main", "shop.git")
        git(folder, "clone", "-q", "shop.git", "work")
        text = CONFIGURATION.replace("FOLDER", str(folder))
        text = text.replace("LEDGER", str(folder / "ledger"))
        (folder / "work" / ".windlass.yaml").write_text(text, encoding="utf-8")
        self.commit("first")
        git(folder / "work", "push", "-q", "origin", "HEAD:main")
        self.start()
        self.once("/repositories", url=str(folder / "shop.git"), name="shop")
        self.stop()
        return self

    def keep(self) -> None:
        """Remember the folder as it is now, without the points that were passed."""
        (self.folder / "points").unlink()
        shutil.copytree(self.folder, self.folder.with_suffix(".kept"), symlinks=True)

    def again(self) -> Journey:
        """The folder as it was kept, for another journey at the same address."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder.with_suffix(".kept"), self.folder, symlinks=True)
        return Journey(self.folder, self.port)

    def commit(self, text: str) -> str:
        """A commit that changes the service; its id."""
        work = self.folder / "work"
        (work / "app.txt").write_text(f"{text}\n", encoding="utf-8")
        git(work, "add", "-A")
        git(work, "commit", "-qm", text)
        return git(work, "rev-parse", "HEAD")

    def start(self) -> None:
        """Start the server; it dies at each of the points `fatal`."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(HERE / "dying_server.py")),
                    ",".join(map(str, self.fatal)) or "-",
                    *(str(self.folder), str(self.folder / "data"), f"127.0.0.1:{self.port}"),
                ],
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End the server as an operator does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def revive(self) -> None:
        """Start the server again when it is dead."""
        if self.process is None or self.process.poll() is not None:
            self.restarts += 1
            self.start()

    def ask(self, path: str, **body: object) -> Any:
        """What the API answers, once the server answers at all."""
        until = time.monotonic() + 60
        while True:
            self.revive()
            try:
                return self._ask(path, body)
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise
            except (OSError, ValueError):
                pass
            if time.monotonic() > until:
                raise TimeoutError(f"no answer to {path}: {self.log()}")
            time.sleep(0.02)

    def once(self, path: str, **body: object) -> None:
        """Ask for something that may have been done before its answer was lost."""
        try:
            self.ask(path, **body)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    def _ask(self, path: str, body: dict[str, object]) -> Any:
        token = (self.folder / "data" / "api-token").read_text(encoding="ascii").strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def log(self) -> str:
        """The end of what the server said."""
        return (self.folder / "server.log").read_text(encoding="utf-8")[-3000:]

    def until(self, what: str, true: Callable[[], bool]) -> None:
        """Wait for something to become true, reviving the server meanwhile."""
        # Longer than anything here waits before it tries again: a minute, mostly.
        end = time.monotonic() + 170
        while not true():
            self.revive()
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not happen: {self.state()}{self.log()}")
            time.sleep(0.03)

    def state(self) -> str:
        """What lies where: the first thing to know of a walk that stands still."""
        queries = (
            "select 'delivery', source, state, reason from delivery",
            "select 'event', number, kind, action, branch from event",
            "select 'run', number, listener, state from run",
            "select 'effect', id, state, attempts, error from effect where state != 'done'",
        )
        rows = (str(row) for query in queries for row in self.rows(query))
        held = (self.folder / "shop.git" / "windlass").rglob("*")
        words = ["ps", "-eo", "pid,ppid,stat,wchan:20,etimes,args"]
        alive = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        return "\n".join(["", *rows, *map(str, held), alive, ""])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, read beside the server."""
        path = f"file:{self.folder / 'data' / 'windlass.db'}?mode=ro"
        connection = sqlite3.connect(path, uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def serves(self, environment: str, text: str) -> bool:
        """Whether the environment holds this version."""
        file = self.folder / environment / "current" / "dist" / "app.txt"
        return file.is_file() and file.read_text(encoding="utf-8") == f"{text}\n"

    def walk(self) -> None:
        """Push to dev; pull request; merge to production."""
        work = self.folder / "work"
        self.commit("one")
        git(work, "push", "-q", "origin", "HEAD:FB1")
        self.until("dev", lambda: self.serves("dev", "one") and self.runs_ended(1))
        self.commit("two")
        git(work, "push", "-q", "origin", "HEAD:refs/for/main/topic")
        self.until("the check", lambda: self.runs_ended(2))
        self.once("/pull-requests/1/merge?repository=shop", method="squash")
        self.until("production", lambda: self.serves("production", "two") and self.runs_ended(3))
        self.until("rest", self.at_rest)

    def runs_ended(self, count: int) -> bool:
        """Whether so many runs have ended."""
        found = self.rows("select count(*) from run where ended_at is not null")
        return bool(found[0][0] >= count)

    def at_rest(self) -> bool:
        """Whether nothing is left to do."""
        left = self.rows(
            "select (select count(*) from effect where state = 'pending')"
            " + (select count(*) from delivery where state = 'received')"
        )
        return bool(left[0][0] == 0)

    def end(self) -> None:
        """End the server, however it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
