"""
R-16: one repository floods, many others send one event each.

Each of the others sends one push to an idle server, and one more while the 50,000 of the
first repository, all of them accepted before, are worked off. What counts is the time from
the webhook's request to the start of its first step, as the run tells it. The order of the
flood's own runs is looked at too: none may start before an earlier one of its branch.

    WINDLASS_BENCH_FLOOD=50000 WINDLASS_BENCH_OTHERS=100 python bench/flood.py
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Thread

from table import Row
from whole import ONE_STEP, Whole, git, whole

FLOOD = int(os.environ.get("WINDLASS_BENCH_FLOOD", "50000"))
OTHERS = int(os.environ.get("WINDLASS_BENCH_OTHERS", "100"))
# Connections that the flood comes over, and seconds between two looks for a run that has begun.
CONNECTIONS, PAUSE = 32, 0.4
# As many jobs at once as a server runs that nobody told how many.
JOBS = max(2, os.cpu_count() or 2)


def measure() -> list[Row]:
    """Both medians, and how the flood was taken."""
    with tempfile.TemporaryDirectory() as name, whole(Path(name), ONE_STEP, jobs=JOBS) as server:
        sha = server.commit("warm")
        others = [connected(server, number) for number in range(OTHERS)]
        idle = [started(one, sha, "idle") for one in others]
        posting = [Thread(target=flood, args=(server, sha, part)) for part in range(CONNECTIONS)]
        began = time.monotonic()
        for one in posting:
            one.start()
        for one in posting:
            one.join()
        taken = FLOOD / (time.monotonic() - began)
        busy = [started(one, sha, "busy") for one in others]
        left, disordered = backlog(server), out_of_order(server)
    quiet, loud = statistics.median(idle), statistics.median(busy)
    return [
        Row(
            id="R-16",
            what=f"webhook to job, median of {OTHERS} repositories beside a flood of {FLOOD:,}",
            value=loud,
            unit="ms",
            beside="the same, idle",
            reference=quiet,
            target="ratio <= 2",
            met=loud <= 2 * quiet,
        ),
        Row(
            id="R-16",
            what="the same, 95th percentile",
            value=statistics.quantiles(busy, n=20)[-1],
            unit="ms",
            beside="the same, idle",
            reference=statistics.quantiles(idle, n=20)[-1],
        ),
        Row(id="R-16", what="events of the flood accepted meanwhile", value=taken, unit="/s"),
        Row(
            id="R-16",
            what="of the flood still to be done then",
            value=left,
            unit="events",
            target="above 0: it was a flood to the end",
            met=left > 0,
        ),
        Row(
            id="R-05",
            what="runs of one branch that began before an earlier one",
            value=disordered,
            unit="runs",
            target="0",
            met=disordered == 0,
        ),
    ]


def connected(server: Whole, number: int) -> Whole:
    """Another repository of the same server, with the same content."""
    bare = server.folder / f"other-{number}.git"
    git(server.folder, "clone", "-q", "--bare", str(server.bare), str(bare))
    asked = json.dumps({"url": str(bare), "name": f"other-{number}"})
    token = (server.folder / "data" / "api-token").read_text(encoding="ascii").strip()
    connection = server.connect()
    connection.request(
        "POST",
        "/api/v1/repositories",
        asked,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    if (status := connection.getresponse().status) >= http.HTTPStatus.BAD_REQUEST:
        raise SystemExit(f"repository {number} was answered {status}")
    hook = bare / "windlass"
    endpoint = json.loads((hook / "hook.json").read_text(encoding="utf-8"))["url"]
    return replace(
        server,
        name=f"other-{number}",
        endpoint=endpoint.rpartition("/")[2],
        secret=(hook / "secret").read_bytes(),
    )


def started(server: Whole, sha: str, word: str) -> float:
    """Milliseconds from the webhook's request to the start of its run's job."""
    began = time.time()
    identity = f"{server.name}-{word}"
    if server.post(server.connect(), server.body(f"b-{word}", sha), identity) != 202:
        raise SystemExit("the webhook was not accepted")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(PAUSE)
        found = server.get(f"/runs?repository={server.name}&limit=1")["items"]
        mine = found and found[0]["branch"] == f"b-{word}"
        if mine and (at := began_at(server, found[0]["number"])):
            return (at - began) * 1000
    raise SystemExit(f"{server.name} did not start in a minute")


def began_at(server: Whole, run: int) -> float:
    """When the first step of a run began, in UTC seconds; 0 before."""
    steps = server.get(f"/runs/{run}")["jobs"][0]["steps"]
    times = [datetime.fromisoformat(one["started_at"]) for one in steps if one["started_at"]]
    return min(times).timestamp() if times else 0.0


def flood(server: Whole, sha: str, part: int) -> None:
    """A share of the flood, as fast as it is taken."""
    connection = server.connect()
    for number in range(part, FLOOD, CONNECTIONS):
        body = server.body(f"b{number % 50}", sha)
        if server.post(connection, body, f"flood-{number}") != 202:
            raise SystemExit("the flood was not accepted")


def backlog(server: Whole) -> int:
    """Events of the flood that have not come to a run yet."""
    newest = server.get("/runs?repository=bench&limit=1")["items"]
    return FLOOD - (newest[0]["number"] if newest else 0)


def out_of_order(server: Whole) -> int:
    """Runs of the flood that began before an earlier one of their branch, of the newest 200."""
    found = server.get("/runs?repository=bench&limit=200&state=succeeded")["items"]
    last: dict[str, float] = {}
    wrong = 0
    for one in sorted(found, key=lambda run: run["number"]):
        at = began_at(server, one["number"])
        wrong += at < last.get(one["branch"], 0.0)
        last[one["branch"]] = at
    return wrong


if __name__ == "__main__":
    from table import markdown

    print(markdown(measure()))
