"""
P-03: from a webhook's request to the first output byte of the first step.

An idle server, the process executor, a warm mirror, a new commit each time. The step
prints the time itself, so nothing of the log's way is in the figure. The ceiling does
the same work with nothing of ours: fetch the commit into a mirror, clone it shared,
check it out, start a shell.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from table import Row
from whole import GIT, NAME, Whole, git, whole

TIMES = 25
CONFIGURATION = """
listeners:
  all: {on: push, branches: ["b*"], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {now: {steps: [{name: now, run: date +%s%N}]}}}
"""


def measure() -> list[Row]:
    """Median and 99th percentile of both."""
    with tempfile.TemporaryDirectory() as name, whole(Path(name), CONFIGURATION) as server:
        once(server, 0)
        took = [once(server, number) for number in range(1, TIMES + 1)]
        bare = [ceiling(server, number) for number in range(TIMES)]
    ours, least = statistics.median(took), statistics.median(bare)
    worst = max(took)
    return [
        Row(
            id="P-03",
            what="webhook to first output byte, median",
            value=ours,
            unit="ms",
            beside="fetch, shared clone, sh",
            reference=least,
            target="at most 100 ms",
            met=ours <= 100,
        ),
        Row(
            id="P-03",
            what=f"the same, worst of {TIMES}",
            value=worst,
            unit="ms",
            target="p99 at most 250 ms",
            met=worst <= 250,
        ),
    ]


def once(server: Whole, number: int) -> float:
    """Milliseconds from the request to the step's first word."""
    branch = f"b{number}"
    body = server.body(branch, server.commit(branch))
    connection = server.connect()
    connection.connect()
    time.sleep(0.2)  # idle, as the requirement says
    began = time.time_ns()
    if server.post(connection, body, f"bench-{number}-{began}") != 202:
        raise SystemExit("the webhook was not accepted")
    logs = server.folder / "data" / "logs"
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for log in sorted(logs.glob(f"{number + 1}/**/*"), reverse=True):
            if log.is_file() and (words := log.read_text(encoding="utf-8").split()):
                shown = [int(word) for word in words if word.isdigit() and len(word) == 19]
                if shown:
                    return (shown[0] - began) / 1e6
        time.sleep(0.01)
    raise SystemExit(f"run {number + 1} of {NAME} printed nothing")


def ceiling(server: Whole, number: int) -> float:
    """The same without us."""
    branch = f"c{number}"
    sha = server.commit(branch)
    folder = Path(tempfile.mkdtemp(dir=server.folder))
    mirror = server.folder / "ceiling.git"
    if not mirror.exists():
        git(server.folder, "clone", "-q", "--mirror", str(server.bare), str(mirror))
    began = time.time_ns()
    ref = f"refs/heads/{branch}"
    git(mirror, "fetch", "-q", "--no-tags", str(server.bare), f"{ref}:{ref}")
    git(folder, "clone", "-q", "--shared", "--no-checkout", str(mirror), "w")
    git(folder / "w", "checkout", "-q", "--detach", sha)
    said = subprocess.run(
        ["sh", "-c", "date +%s%N"], cwd=folder / "w", env=GIT, capture_output=True, check=True
    )
    return (int(said.stdout) - began) / 1e6


if __name__ == "__main__":
    from table import markdown

    print(markdown(measure()))
