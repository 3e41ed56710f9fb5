"""
A server whose disk is full: it says so, loses nothing, and goes on when there is room.

The data folder lies on a small file system of its own, with a job under way and a
place that is compared every few seconds, so that everything that writes gets its turn.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from standing import Reply, Standing, git

CONFIGURATION = """
listeners:
  each: {on: push, branches: ["b*"], do: [{pipeline: ci}]}
  wait: {on: push, branches: [slow], do: [{pipeline: slow}]}
  dev: {on: push, branches: [dev], do: [{build: api}, {deploy: api, environment: dev}]}
pipelines:
  ci: {jobs: {note: {steps: [{run: 'echo "$CI_COMMIT_BRANCH" >> OUT/ledger'}]}}}
  slow:
    jobs: {note: {steps: [{run: 'touch OUT/begun; until test -e OUT/go; do sleep 0.05; done'}]}}
services:
  api: {build: {steps: [{run: 'mkdir dist; echo hi > dist/x'}], artifacts: [dist/]}}
environments:
  dev: {target: {directory: {path: OUT/dev}}, reconcile: {every: 1s}}
"""
MANY = 400


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=24m", "windlass-test", str(place)]
    if os.getuid() or subprocess.run(argv, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def server(small: Path, tmp_path: Path) -> Iterator[Standing]:
    """A server whose data lies there, with a place that is compared all the time."""
    made = Standing.prepare(tmp_path / "s", data=small / "data")
    out = made.folder / "out"
    out.mkdir()
    made.repository(CONFIGURATION.replace("OUT", str(out)))
    made.up()
    made.connect()
    yield made
    (out / "go").touch()
    made.remove()


def fill(disk: Path) -> None:
    """Leave not one byte free."""
    for size in (1 << 16, 1):
        with (disk / f"filler-{size}").open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def clear(disk: Path) -> None:
    """Make room again."""
    for filler in disk.glob("filler-*"):
        filler.unlink()


def test_a_full_disk_is_said_and_survived(server, small):
    """503 and Retry-After; what was taken stays, what was not is taken later, all ends."""
    head = git(server.folder / "shop.git", "rev-parse", "main")
    assert server.post(server.push("dev", head, head), "dev").status == 202
    server.until("the first deployment", server.at_rest)
    assert server.post(server.push("slow", head, head), "slow").status == 202
    server.until("the job", (server.folder / "out" / "begun").exists)

    fill(small)
    bodies = [server.push(f"b{number}", head, head) for number in range(MANY)]
    refused: dict[int, Reply] = {}
    taken: dict[int, str] = {}
    for number, body in enumerate(bodies):
        reply = server.post(body, f"b-{number}")
        if reply.status == 202:  # there was room in a file that is there already
            taken[number] = reply.json["delivery"]
            fill(small)
        else:
            refused[number] = reply
        if len(refused) == 30:
            break
    assert refused, "the disk was not full"
    for reply in refused.values():
        assert reply.said == (503, "it could not be stored; send it again")
        assert int(reply.headers["retry-after"]) >= 1
    # The pages still say what there is, and the server is the same one.
    for path in ("/", "/runs", "/api/v1/status", "/healthz"):
        assert server.get(path).status == 200, path
    # Timers come round, and find nothing that can be written.
    said = (server.folder / "server.log").read_text
    server.until("a timer that fails", lambda: "the disk is full" in said(encoding="utf-8"))
    assert server.process.poll() is None, server.log()
    stored = {one for (one,) in server.rows("select id from delivery")}
    assert set(taken.values()) <= stored
    assert server.count("delivery") == len(taken) + 2

    clear(small)
    for number in refused:
        server.until(
            "room", lambda n=number: server.post(bodies[n], f"b-{n}").status == 202, within=20
        )
    (server.folder / "out" / "go").touch()
    server.until("rest", server.at_rest)
    assert server.process.poll() is None, server.log()
    assert server.rows("pragma integrity_check") == [("ok",)]
    # What a look at the heads finds besides, when all this has taken a minute, is not meant.
    sent = len(taken) + len(refused) + 2
    assert server.count("delivery where state = 'done' and source = 'webhook'") == sent
    assert server.count("event where not recovered") == server.count("run") == sent
    ended = dict(server.rows("select branch, state from run"))
    later = {f"b{number}" for number in refused}
    assert {ended[branch] for branch in (*later, "slow", "dev")} == {"succeeded"}
    ledger = (server.folder / "out" / "ledger").read_text(encoding="utf-8").split()
    assert sorted(one for one in ledger if one in later) == sorted(later)
