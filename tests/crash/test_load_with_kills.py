"""
A flood of webhooks, and a server that is killed twice in it.

Clients do what forges should: they send each delivery several times, and again
until somebody has taken it. The branches have moved already, so that a server
that comes back also finds by itself what it was not told yet.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from standing import Standing, git

DELIVERIES = 1000
TIMES = 3
CLIENTS = 64
KILLS = (0.25, 0.60)
CONFIGURATION = """
listeners:
  each: {on: push, branches: ["b*"], do: [{pipeline: ci}]}
  none: {on: push, branches: ["release/*"], do: [{pipeline: ci}]}
pipelines:
  ci:
    jobs:
      note: {steps: [{run: 'echo "$CI_COMMIT_BRANCH $CI_PIPELINE_NUMBER" >> LEDGER'}]}
"""
LISTENERS = 2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Standing]:
    """A server that knows the branches b0, b1 ... as they were."""
    made = Standing.prepare(tmp_path / "s", jobs=4)
    made.repository(CONFIGURATION.replace("LEDGER", str(made.folder / "ledger")))
    yield made
    made.remove()


def chain(server: Standing) -> tuple[str, list[str]]:
    """The first commit, and one for each delivery, all on a branch that keeps them."""
    bare = server.folder / "shop.git"
    first = git(bare, "rev-parse", "main")
    text = "".join(
        f"commit refs/heads/all\nmark :{number}\ncommitter dev <dev@localhost> {number} +0000\n"
        f"data 1\nx\n" + (f"from {first}\n" if number == 1 else "")
        for number in range(1, DELIVERIES + 1)
    )
    git(bare, "fast-import", "--quiet", said=text)
    made = git(bare, "rev-list", "--reverse", f"{first}..all").split()
    assert len(made) == DELIVERIES
    return first, made


def move(server: Standing, commits: list[str]) -> None:
    """Put branch `b0` on the first of these commits, and so on."""
    said = "".join(f"update refs/heads/b{i} {sha}\n" for i, sha in enumerate(commits))
    git(server.folder / "shop.git", "update-ref", "--stdin", said=said)


@dataclass(slots=True)
class Clients:
    """They post until they are answered; `answers` is what they were told, by delivery."""

    server: Standing
    bodies: list[bytes]
    answers: dict[int, list[str]] = field(default_factory=dict)
    acknowledged: int = 0
    put_off: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    news: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, number: int) -> None:
        """Post one delivery until it is taken."""
        until = time.monotonic() + 200
        while time.monotonic() < until:
            try:
                reply = self.server.post(self.bodies[number], f"delivery-{number}")
            except (OSError, http.client.HTTPException) as error:
                with self.lock:
                    self.put_off[type(error).__name__] += 1
                time.sleep(0.1)
                continue
            if reply.status == http.HTTPStatus.ACCEPTED:
                with self.lock:
                    self.acknowledged += 1
                    self.answers.setdefault(number, []).append(reply.json["delivery"])
                self.news.release()
                return
            assert reply.status == http.HTTPStatus.SERVICE_UNAVAILABLE, reply
            time.sleep(0.1)
        raise TimeoutError(f"delivery {number} was never taken")


@pytest.mark.timeout(400)
def test_a_flood_survives_two_kills(server: Standing) -> None:
    """A thousand deliveries, each thrice from 64 clients, two kills: each counts once."""
    first, commits = chain(server)
    move(server, [first] * DELIVERIES)
    server.up()
    server.connect()
    move(server, commits)
    bodies = [server.push(f"b{i}", sha, first) for i, sha in enumerate(commits)]
    clients = Clients(server, bodies)
    posts = [number for number in range(DELIVERIES) for _ in range(TIMES)]
    random.Random(7).shuffle(posts)
    with ThreadPoolExecutor(CLIENTS) as pool:
        done = pool.map(clients, posts)
        seen = 0
        for share in KILLS:
            while seen < share * len(posts):
                assert clients.news.acquire(timeout=100)
                seen += 1
            server.kill()
            server.start()
        list(done)
    server.until("rest", server.at_rest, within=300)
    everything_once(server, clients, commits)


def everything_once(server: Standing, clients: Clients, commits: list[str]) -> None:
    """Nothing lost, nothing twice, nothing left open."""
    rows, count = server.rows, server.count
    assert rows("pragma integrity_check") == [("ok",)]

    # What was acknowledged is there: one id for each delivery, however often it was posted.
    stored = dict(rows("select delivery_key, id from delivery where source = 'webhook'"))
    assert {key: {one} for key, one in stored.items()} == {
        f"delivery-{number}": set(told) for number, told in clients.answers.items()
    }
    assert len(stored) == DELIVERIES
    assert clients.acknowledged == DELIVERIES * TIMES

    # What the server found by itself and what it was told are one event.
    assert count("event") == DELIVERIES
    pushes = rows("select branch, sha from event where kind = 'push' and action = 'pushed'")
    assert sorted(pushes) == sorted((f"b{i}", sha) for i, sha in enumerate(commits))
    states = Counter(dict(rows("select state, count(*) from delivery group by state")))
    assert set(states) <= {"done", "ignored"}
    assert states["done"] == DELIVERIES
    assert states["ignored"] == count("delivery where source = 'recovered'")

    verdicts = rows("select listener, matched, count(*) from verdict group by listener, matched")
    assert sorted(verdicts) == [("each", 1, DELIVERIES), ("none", 0, DELIVERIES)]
    assert count("verdict") == DELIVERIES * LISTENERS

    # One run each, ended and green, its one job done once.
    assert rows("select state, count(*) from run group by state") == [("succeeded", DELIVERIES)]
    assert count("run where ended_at is null") == 0
    ledger = (server.folder / "ledger").read_text(encoding="utf-8").splitlines()
    runs = rows("select run.branch, run.number from run")
    assert sorted(ledger) == sorted(f"{branch} {number}" for branch, number in runs)
    assert len({branch for branch, _ in runs}) == DELIVERIES

    # The forge was told of each, and nothing failed on the way.
    folder = server.folder / "shop.git" / "windlass" / "statuses"
    told = {
        sha: {one["state"] for one in json.loads((folder / f"{sha}.json").read_bytes()).values()}
        for sha in commits
    }
    assert Counter(state for states in told.values() for state in states) == {"success": DELIVERIES}
    assert rows("select id, error from effect where state != 'done'") == []
    assert clients.put_off.total() > 0
