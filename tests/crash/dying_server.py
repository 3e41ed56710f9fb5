"""
A server that kills itself: `python dying_server.py POINTS FOLDER DATA ADDRESS`.

Every kind of call that leaves the process, and every kind of transaction, has a point
before it and one after it; they are numbered as they are first passed, and FOLDER/points
remembers them for the next server. At each of the POINTS (numbers with commas between)
the process gets SIGKILL; `-` is none.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from windlass.engine.receive import Receive
from windlass.executors.process import ProcessExecutor
from windlass.forges.plain.statuses import PlainReports
from windlass.git.mirror import Mirror
from windlass.git.state import StateRepository
from windlass.settings.reading import read
from windlass.settings.sources import Host
from windlass.stores.sqlite import SqliteStore
from windlass.targets.directory.target import DirectoryTarget
from windlass.wiring.server import run

POINTS = (
    (Receive, "__call__"),
    (SqliteStore, "transaction"),
    (Mirror, "fetch"),
    (ProcessExecutor, "start"),
    (ProcessExecutor, "clear"),
    (PlainReports, "status"),
    (PlainReports, "comment"),
    (StateRepository, "commit"),
    (DirectoryTarget, "apply"),
)


class Counter:
    """Counts the points that are passed for the first time, and dies at the wanted ones."""

    def __init__(self, fatal: frozenset[int], folder: Path) -> None:
        self.fatal = fatal
        self.points = folder / "points"
        self.points.touch()
        self.passed = self.points.read_text(encoding="utf-8").splitlines()

    def __call__(self, name: str) -> None:
        if name in self.passed:
            return
        self.passed.append(name)
        with self.points.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        if len(self.passed) in self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def wrapped(
    method: Callable[..., Awaitable[object]], name: str, point: Counter
) -> Callable[..., Awaitable[object]]:
    """The method with a point on either side; a transaction is named by its work."""

    @functools.wraps(method)
    async def around(self: object, *words: object, **named: object) -> object:
        work = getattr(words[0], "__qualname__", "") if words else ""
        label = f"{name} {work}".strip()
        point(f"before {label}")
        answer = await method(self, *words, **named)
        point(f"after {label}")
        return answer

    return around


def main() -> None:
    """Wrap, and serve."""
    fatal, folder, data, address = sys.argv[1:]
    numbers = frozenset(int(one) for one in fatal.split(",") if one.isdigit())
    point = Counter(numbers, Path(folder))
    for kind, name in POINTS:
        setattr(kind, name, wrapped(getattr(kind, name), f"{kind.__name__}.{name}", point))
    flags = {"data": data, "address": address, "jobs": "2"}
    run(read(flags, {}, Host.here()), lambda _: None)


if __name__ == "__main__":
    main()
