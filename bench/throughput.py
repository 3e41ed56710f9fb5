"""
P-04: one-step runs per second, from webhook to recorded end.

A thousand signed webhooks, a thousand runs with a checkout each, process executor.
The ceiling is a bare loop of the same parallelism: shared clone, checkout, `sh -c true`.
"""

from __future__ import annotations

import http
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from table import Row
from whole import GIT, ONE_STEP, Whole, git, whole

RUNS = int(os.environ.get("WINDLASS_BENCH_RUNS", "1000"))
PARALLEL = 4


def measure() -> list[Row]:
    """Both rates, in one run."""
    with (
        tempfile.TemporaryDirectory() as name,
        whole(Path(name), ONE_STEP, jobs=PARALLEL) as server,
    ):
        sha = server.commit("warm")
        ours = RUNS / ended(server, sha)
        bare = min(RUNS, 300) / ceiling(server, sha, min(RUNS, 300))
    return [
        Row(
            id="P-04",
            what=f"one-step runs per second, {RUNS} runs",
            value=ours,
            unit="runs/s",
            beside="shared clone + sh -c true",
            reference=bare,
            target="at least 20/s and 0.3",
            met=ours >= 20 and ours / bare >= 0.3,
        )
    ]


def ended(server: Whole, sha: str) -> float:
    """Seconds until every run has ended."""
    connection = server.connect()
    began = time.monotonic()
    for number in range(RUNS):
        branch = f"b{number}"
        status = server.post(connection, server.body(branch, sha), f"run-{number}")
        if status != http.HTTPStatus.ACCEPTED:
            raise SystemExit(f"a webhook was answered {status}")
    while time.monotonic() - began < 600:
        if done(server) >= RUNS:
            return time.monotonic() - began
        time.sleep(0.5)
    raise SystemExit("the runs did not end in ten minutes")


def done(server: Whole) -> int:
    """How many runs there were, once none is under way; 0 before."""
    newest = _runs(server, "")
    if not newest or _runs(server, "&state=running") or _runs(server, "&state=held"):
        return 0
    return newest[0]["number"]


def _runs(server: Whole, more: str) -> list[dict[str, int]]:
    said = server.get(f"/runs?limit=1{more}")
    return said["items"] if isinstance(said, dict) else []


def ceiling(server: Whole, sha: str, times: int) -> float:
    """Seconds for as many checkouts and shells without us."""
    mirror = server.folder / "ceiling.git"
    git(server.folder, "clone", "-q", "--mirror", str(server.bare), str(mirror))
    began = time.monotonic()
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda number: _one(server, mirror, sha, number), range(times)))
    return time.monotonic() - began


def _one(server: Whole, mirror: Path, sha: str, number: int) -> None:
    folder = server.folder / f"ceiling-{number}"
    git(server.folder, "clone", "-q", "--shared", "--no-checkout", str(mirror), str(folder))
    git(folder, "checkout", "-q", "--detach", sha)
    subprocess.run(["sh", "-c", "true"], cwd=folder, env=GIT, check=True)


if __name__ == "__main__":
    from table import markdown

    print(markdown(measure()))
