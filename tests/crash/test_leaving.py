"""
Leaving, and being taken away: the server, and the runner of a job.

A job belongs to nobody; it goes on whatever becomes of the server, and its result
is taken in once by whoever comes next.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from standing import Standing, git

CONFIGURATION = """
listeners:
  quick: {on: push, branches: ["quick/*"], do: [{pipeline: quick}]}
  slow: {on: push, branches: ["slow/*"], do: [{pipeline: slow}]}
  again: {on: push, branches: ["again/*"], do: [{pipeline: again}]}
pipelines:
  quick: {jobs: {job: {steps: [{run: 'echo "$CI_COMMIT_BRANCH" >> OUT/ledger'}]}}}
  slow:
    jobs: {job: {steps: [{run: &wait 'STEP'}]}}
  again:
    jobs: {job: {retry: {max: 1, when: [worker_lost]}, steps: [{run: *wait}]}}
"""
# Says that it has begun, and waits to be let go; so no test depends on how long things take.
STEP = (
    'echo "$CI_COMMIT_BRANCH" >> OUT/begun; until test -e OUT/go; do sleep 0.05; done; '
    'echo "$CI_COMMIT_BRANCH" >> OUT/ledger'
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Standing]:
    """A server and its repository."""
    made = Standing.prepare(tmp_path / "s")
    out = made.folder / "out"
    out.mkdir()
    made.repository(CONFIGURATION.replace("STEP", STEP).replace("OUT", str(out)))
    made.up()
    made.connect()
    yield made
    (out / "go").touch()
    made.remove()


def push(server: Standing, branch: str) -> str:
    """Tell the server of a push; the delivery's id."""
    head = git(server.folder / "shop.git", "rev-parse", "main")
    reply = server.post(server.push(branch, head, head), branch.replace("/", "-"))
    assert reply.status == 202
    return str(reply.json["delivery"])


def lines(server: Standing, name: str) -> list[str]:
    """What steps have written there."""
    path = server.folder / "out" / name
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def begin(server: Standing, branch: str) -> None:
    """A run whose step waits."""
    push(server, branch)
    server.until("the step", lambda: lines(server, "begun") == [branch])


def let_go(server: Standing) -> None:
    """The step that waits goes on, and all comes to rest."""
    (server.folder / "out" / "go").touch()
    server.until("rest", server.at_rest)


def ended_once(server: Standing, branch: str) -> None:
    """One run of one attempt, green, whose step was done once and whose end was told once."""
    assert server.rows("select state from run") == [("succeeded",)]
    assert lines(server, "begun") == lines(server, "ledger") == [branch]
    assert len(server.rows("select id from fact where kind = 'JobEnded'")) == 1
    assert server.rows("pragma integrity_check") == [("ok",)]


def processes(server: Standing, *, steps: bool) -> list[int]:
    """The processes of all jobs: their runners, and with `steps` what these have started."""
    jobs = os.fsencode(server.data / "jobs") + b"/"
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            place = os.fsencode((entry / "cwd").readlink()) + b"/" if steps else b""
            if any(word.startswith(jobs) for word in (place, *words)):
                found.append(int(entry.name))
    return found


def test_a_job_outlives_a_server_that_leaves(server):
    """SIGTERM: exit 0; the job goes on, and the next start takes in its end, once."""
    begin(server, "slow/1")
    assert server.leave() == 0
    (server.folder / "out" / "go").touch()
    server.until("the job", lambda: lines(server, "ledger"))
    assert server.count("run where ended_at is null") == 1
    server.up()
    server.until("rest", server.at_rest)
    ended_once(server, "slow/1")


@pytest.mark.parametrize("when", ["before its end", "after its end"])
def test_a_job_outlives_a_server_that_is_killed(server, when):
    """SIGKILL: whether the job ends before or after the next start, it ends once."""
    begin(server, "slow/1")
    server.kill()
    if when == "after its end":
        (server.folder / "out" / "go").touch()
        server.until("the job", lambda: lines(server, "ledger"))
    server.up()
    let_go(server)
    ended_once(server, "slow/1")


def test_leaving_in_a_flood_answers_what_was_asked(server):
    """Whoever sent a webhook before is answered; later ones are not taken; nothing is lost."""
    answered: list[str] = []
    stop = threading.Event()
    enough = threading.Semaphore(0)
    head = git(server.folder / "shop.git", "rev-parse", "main")

    def send(client: int) -> list[str]:
        """Post until nobody is there any more; what went unanswered."""
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{client}-{number}"
            try:
                reply = server.post(server.push(f"other/{name}", head, head), name)
            except ConnectionRefusedError:
                return []
            except (OSError, http.client.HTTPException) as error:
                return [f"{name}: {error!r}"]
            if reply.status != 202:
                return [f"{name}: {reply}"]
            answered.append(reply.json["delivery"])
            enough.release()
        return ["the server never left"]

    begin(server, "slow/1")
    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(send, client) for client in range(8)]
        for _ in range(200):
            assert enough.acquire(timeout=60)
        try:
            assert server.leave() == 0
        finally:
            stop.set()
    unanswered = [one for client in clients for one in client.result()]
    # Only a connection that was not yet taken when the listening ended may be cut.
    assert [one for one in unanswered if "ConnectionReset" not in one] == []
    server.up()
    let_go(server)
    stored = {one for (one,) in server.rows("select id from delivery where state = 'done'")}
    assert set(answered) <= stored
    assert len(server.rows("select delivery from event group by delivery")) == len(stored)
    ended_once(server, "slow/1")


def test_a_second_signal_is_quick_and_loses_nothing(server):
    """Asked twice, the server leaves without waiting for a request that does not end."""
    begin(server, "slow/1")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", f"/hooks/{server.endpoint}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b"{")
    assert server.ready()
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    connection.close()
    server.up()
    let_go(server)
    ended_once(server, "slow/1")


def kill_runner(server: Standing) -> None:
    """SIGKILL for the runner and its guard."""
    found = processes(server, steps=False)
    assert found
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_killed_runner_is_a_lost_worker(server):
    """The run ends as failed and says so, once; the step does not go on behind its back."""
    begin(server, "slow/1")
    kill_runner(server)
    server.until("rest", server.at_rest)
    assert processes(server, steps=True) == []
    ((state, text),) = server.rows("select state, run from run")
    job = json.loads(text)["jobs"]["slow/job"]
    assert (state, job["state"], job["attempt"]) == ("failed", "failed", 1)
    assert "its runner" in job["reason"]
    assert lines(server, "ledger") == []


def test_a_lost_worker_is_tried_again_where_that_is_wanted(server):
    """`retry: {max: 1, when: [worker_lost]}` starts the job once more, in the same run."""
    begin(server, "again/1")
    kill_runner(server)
    server.until("the second attempt", lambda: len(lines(server, "begun")) == 2)
    let_go(server)
    ((state, text),) = server.rows("select state, run from run")
    job = json.loads(text)["jobs"]["again/job"]
    assert (state, job["state"], job["attempt"]) == ("succeeded", "succeeded", 2)
    assert lines(server, "ledger") == ["again/1"]


def test_a_worker_that_is_lost_twice_fails(server):
    """Once more is once more."""
    begin(server, "again/1")
    kill_runner(server)
    server.until("the second attempt", lambda: len(lines(server, "begun")) == 2)
    kill_runner(server)
    server.until("rest", server.at_rest)
    assert processes(server, steps=True) == []
    assert server.rows("select state from run") == [("failed",)]
    assert lines(server, "begun") == ["again/1", "again/1"]
    assert lines(server, "ledger") == []
