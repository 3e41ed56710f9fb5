"""One delivery, a thousand times at once."""

from __future__ import annotations

import http
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from standing import Standing, git

TIMES = 1000
CLIENTS = 64
CONFIGURATION = """
listeners: {each: {on: push, branches: ["b*"], do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {note: {steps: [{run: 'echo once >> LEDGER'}]}}}}
"""


@pytest.mark.timeout(120)
def test_the_same_delivery_at_once_from_64_clients_is_one(tmp_path: Path) -> None:
    """One delivery, one event, one run; every client is told the same id, with 202."""
    server = Standing.prepare(tmp_path / "s", jobs=1)
    ledger = server.folder / "ledger"
    work = server.repository(CONFIGURATION.replace("LEDGER", str(ledger)))
    try:
        server.up()
        server.connect()
        sha = git(work, "rev-parse", "HEAD")
        git(server.folder / "shop.git", "update-ref", "refs/heads/b1", sha)
        body = server.push("b1", sha)
        together = threading.Barrier(CLIENTS)
        local = threading.local()

        def post(_: int) -> tuple[int, str]:
            if not hasattr(local, "began"):
                local.began = True
                together.wait(30)
            reply = server.post(body, "the-same")
            return reply.status, reply.json.get("delivery", "")

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = Counter(pool.map(post, range(TIMES)))
        server.until("rest", server.at_rest)
        ((status, identity),) = answers
        assert (status, answers.total()) == (http.HTTPStatus.ACCEPTED, TIMES)
        rows = server.rows("select id, state from delivery where source = 'webhook'")
        assert rows == [(identity, "done")]
        assert server.count("event where kind = 'push'") == 1
        assert server.rows("select state from run") == [("succeeded",)]
        assert ledger.read_text(encoding="utf-8") == "once\n"
    finally:
        server.remove()
