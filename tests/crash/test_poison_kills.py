"""R-17: a webhook that kills the server each time it is handled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from standing import Standing, git

SERVER = Path(__file__).with_name("poisoned_server.py")
CONFIGURATION = """
listeners: {each: {on: push, branches: ["b*"], do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {note: {steps: [{run: 'true'}]}}}}
"""


def start(server: Standing) -> None:
    """As the process manager of a machine starts it, again and again."""
    with (server.folder / "server.log").open("ab") as log:
        where = (str(server.data), f"127.0.0.1:{server.port}")
        server.process = subprocess.Popen([sys.executable, str(SERVER), *where], stderr=log)


@pytest.mark.timeout(120)
def test_a_webhook_that_kills_is_tried_three_times_and_then_parked(tmp_path: Path) -> None:
    """It is shown with its reason; what came with it and after it is done, each once."""
    server = Standing.prepare(tmp_path / "s")
    work = server.repository(CONFIGURATION)
    try:
        start(server)
        server.until("start", server.ready)
        server.connect()
        sha = git(work, "rev-parse", "HEAD")
        for branch in ("b1", "b2", "poison"):
            git(server.folder / "shop.git", "update-ref", f"refs/heads/{branch}", sha)
        deaths = 0
        for branch in ("b1", "poison", "b2"):
            # Whoever sends is not answered by a server that has just died, and sends again.
            while True:
                try:
                    reply = server.post(server.push(branch, sha), branch)
                except OSError:
                    deaths += _again(server)
                else:
                    assert reply.status == 202
                    break
        while server.count("delivery where state = 'received'"):
            deaths += _again(server)
        server.until("rest", server.at_rest)
        assert deaths == 3
        (parked,) = server.api("/deliveries?state=failed")["items"]
        assert (parked["attempts"], parked["reason"]) == (
            3,
            "the server died while it was handled",
        )
        assert server.rows("select branch, state from run order by branch") == [
            ("b1", "succeeded"), ("b2", "succeeded")
        ]  # fmt: skip
    finally:
        server.remove()


def _again(server: Standing) -> int:
    """Start it again when it has died; how often that was."""
    assert server.process is not None
    try:
        server.process.wait(0.1)
    except subprocess.TimeoutExpired:
        return 0
    start(server)

    def up() -> bool:
        # It may die again before anyone has seen it.
        return server.process is not None and (server.process.poll() is not None or server.ready())

    server.until("start", up)
    return 1
