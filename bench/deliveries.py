"""
P-01: durable deliveries per second.

64 connections send signed GitHub pushes of 8 KB, each of its own id; every answer is
202 and comes after COMMIT with synchronous=FULL. Ours and the bare servers take
turns, several times over, so that a slow minute of the machine hits all of them.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import Row

FOLDER = Path(__file__).parent
CONNECTIONS = 64
SECONDS = 5.0
ROUNDS = 3
KINDS = ("ours", "working", "bare", "bare-packed")


def measure() -> list[Row]:
    """Rates and percentiles, medians of the rounds."""
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for kind in KINDS:
            runs[kind].append(one(kind))
    median = {
        kind: {name: statistics.median(run[name] for run in found) for name in found[0]}
        for kind, found in runs.items()
    }
    ceiling = max(KINDS[2:], key=lambda kind: median[kind]["rate"])
    mine, its = median["ours"], median[ceiling]
    return [
        Row(id="P-01", what="durable deliveries, SQLite, 64 connections", unit="/s",
            value=mine["rate"], beside=f"{ceiling} Starlette + sqlite3", reference=its["rate"],
            target="ratio >= 0.7", met=mine["rate"] >= 0.7 * its["rate"]),
        Row(id="P-01", what="the same with the engine dispatching behind it", unit="/s",
            value=median["working"]["rate"], beside=ceiling, reference=its["rate"],
            target="ratio >= 0.7", met=median["working"]["rate"] >= 0.7 * its["rate"]),
        Row(id="P-01", what="the same, its 99th percentile", unit="ms",
            value=median["working"]["p99"], beside=ceiling, reference=its["p99"],
            target="<= 50 ms", met=median["working"]["p99"] <= 50),
        Row(id="P-01", what="the same, median latency", unit="ms", value=mine["p50"],
            beside=ceiling, reference=its["p50"]),
        Row(id="P-01", what="the same, 99th percentile", unit="ms", value=mine["p99"],
            beside=ceiling, reference=its["p99"], target="<= 50 ms", met=mine["p99"] <= 50),
        Row(id="P-01", what="the same, processor time of the server", unit="us each",
            value=mine["cpu"], beside=ceiling, reference=its["cpu"]),
    ]  # fmt: skip


def one(kind: str, seconds: float = SECONDS) -> dict[str, float]:
    """One server, one load, on a database of its own."""
    with (
        tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix=".bench-") as folder,
        socket.socket() as free,
    ):
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        program = ["working.py"] if kind == "working" else ["serving.py", kind]
        server = subprocess.Popen(
            [sys.executable, FOLDER / program[0], *program[1:], str(port), folder],
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(port, server)
            load(port, 1.0)  # warm up
            before = cpu(server.pid)
            found = load(port, seconds)
            return found | {"cpu": (cpu(server.pid) - before) / found["answers"] * 1e6}
        finally:
            server.kill()
            server.wait()


def cpu(process: int) -> float:
    """Seconds of processor time that it has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(port: int, seconds: float) -> dict[str, float]:
    """What the load generator found."""
    command = [sys.executable, FOLDER / "load.py", str(port), str(CONNECTIONS), str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when the server takes connections."""
    for _ in range(500):
        if server.poll() is not None:
            sys.exit("the server ended before it began")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit("the server does not answer")


if __name__ == "__main__":
    for kind in sys.argv[1:] or KINDS:
        print(kind, one(kind))
