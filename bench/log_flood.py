"""
A step that prints a gigabyte, beside `cat > file`; then 500 viewers of one log as it grows.

    python bench/log_flood.py
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table import Row, markdown

from windlass.executors.process import ProcessExecutor, ProcessLimits
from windlass.logs.local import LocalLogs
from windlass.ports.executor import Order, OrderStep

SIZE = 1 << 30
VIEWED = 64 << 20
VIEWERS = 500
ROUNDS = 3
LINE = "2024-05-01T12:00:00 INFO compiled src/windlass/executors/process.py in 31 ms, 0 warnings"
SECRETS = {"TOKEN": "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "DATABASE": "hunter2-and-some"}


def flood(size: int) -> str:
    """A script that prints so many bytes of lines."""
    return f"yes '{LINE}' | head -c {size}"


def ceiling(folder: Path) -> float:
    """Bytes per second of `cat > file`."""
    began = time.perf_counter()
    subprocess.run(["sh", "-c", f"{{ {flood(SIZE)}; }} | cat > {folder}/plain"], check=True)
    return SIZE / (time.perf_counter() - began)


async def printed(folder: Path) -> float:
    """Bytes per second of a step that prints, with two secrets to mask."""
    limits = ProcessLimits(log=2 * SIZE)
    executor = ProcessExecutor(folder / "jobs", LocalLogs(folder / "logs"), limits)
    steps = (OrderStep(name="flood", run=flood(SIZE)),)
    began = time.perf_counter()
    await executor.start(Order(id="flood", log="flood", steps=steps, secrets=SECRETS))
    async for _ in executor.watch("flood"):
        pass
    return SIZE / (time.perf_counter() - began)


async def viewed(folder: Path) -> tuple[float, float]:
    """Seconds until the last of all viewers has the whole log; megabytes the server grew by."""
    logs = LocalLogs(folder / "logs")
    executor = ProcessExecutor(folder / "jobs", logs)

    async def view() -> int:
        seen = 0
        async for part in logs.follow("viewed"):
            seen += len(part.data)
            await asyncio.sleep(0)
        return seen

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    viewers = [asyncio.create_task(view()) for _ in range(VIEWERS)]
    began = time.perf_counter()
    steps = (OrderStep(name="flood", run=flood(VIEWED)),)
    await executor.start(Order(id="viewed", log="viewed", steps=steps, secrets=SECRETS))
    async for _ in executor.watch("viewed"):
        pass
    logs.close("viewed")
    seen = set(await asyncio.gather(*viewers))
    if seen != {logs.path("viewed").stat().st_size}:
        raise SystemExit(f"viewers saw {seen}")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return time.perf_counter() - began, grown


def measure() -> list[Row]:
    """Throughput of a flood, and what viewers cost."""
    pairs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            pairs.append((asyncio.run(printed(Path(folder))), ceiling(Path(folder))))
    own = statistics.median(pair[0] for pair in pairs) / 1e6
    reference = statistics.median(pair[1] for pair in pairs) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        seconds, grown = asyncio.run(viewed(Path(folder)))
    return [
        Row(
            id="P-08",
            what="a step that prints 1 GB, 2 secrets masked",
            value=own,
            unit="MB/s",
            beside="cat > file",
            reference=reference,
            target="at least 0.3",
            met=own >= 0.3 * reference,
        ),
        Row(
            id="P-08",
            what=f"{VIEWERS} viewers of a live log of {VIEWED >> 20} MB, gap-free: server memory",
            value=grown,
            unit="MB more",
            target="at most 50",
            met=grown <= 50,
        ),
        Row(
            id="P-08",
            what=f"the same: {VIEWERS * VIEWED >> 30} GB delivered in",
            value=seconds,
            unit="s",
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown(measure()) + "\n")
