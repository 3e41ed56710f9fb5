"""
What a step costs: a job of 1,000 steps that do nothing, beside 1,000 bare shells.

    python bench/steps.py
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table import Row, markdown

from windlass.executors.process import ProcessExecutor
from windlass.logs.local import LocalLogs
from windlass.ports.executor import Ended, Order, OrderStep, Outcome

STEPS = 1000
ROUNDS = 3
BARE = f"i=0; while [ $i -lt {STEPS} ]; do sh -e -c true </dev/null; i=$((i+1)); done"


def bare() -> float:
    """Seconds that a shell needs to start so many shells."""
    began = time.perf_counter()
    subprocess.run(["sh", "-c", BARE], check=True)
    return time.perf_counter() - began


async def ours() -> float:
    """Seconds from `start` of a job with so many steps to its end."""
    with tempfile.TemporaryDirectory() as folder:
        executor = ProcessExecutor(Path(folder) / "jobs", LocalLogs(Path(folder) / "logs"))
        steps = tuple(OrderStep(name=f"s{n}", run="true") for n in range(STEPS))
        began = time.perf_counter()
        await executor.start(Order(id="steps", log="steps", steps=steps))
        async for entry in executor.watch("steps"):
            if isinstance(entry, Ended) and entry.outcome is not Outcome.SUCCEEDED:
                raise SystemExit(entry.reason)
        return time.perf_counter() - began


def measure() -> list[Row]:
    """Milliseconds for one step, ours and the bare shell's."""
    pairs = [(asyncio.run(ours()), bare()) for _ in range(ROUNDS)]
    own = statistics.median(pair[0] for pair in pairs) / STEPS * 1000
    reference = statistics.median(pair[1] for pair in pairs) / STEPS * 1000
    return [
        Row(
            id="P-05",
            what=f"one step of a job of {STEPS:,} `true` steps",
            value=own,
            unit="ms",
            beside="bare shell",
            reference=reference,
            target="at most 4 ms more",
            met=own - reference <= 4,
        )
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown(measure()) + "\n")
