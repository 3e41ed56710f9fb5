"""
A server that a webhook kills: `python poisoned_server.py DATA ADDRESS`.

Reading a body with `poison` in it is the death of the process, as a fault in a library
written in C would be.
"""

from __future__ import annotations

import os
import signal
import sys

from windlass.core.event import Event, Ignored
from windlass.forges.plain.dialect import PlainDialect
from windlass.ports.forge import Request
from windlass.settings.reading import read
from windlass.settings.sources import Host
from windlass.wiring.server import run

whole = PlainDialect.read


def deadly(self: PlainDialect, request: Request, repository: str) -> tuple[Event, ...] | Ignored:
    """Read, or die."""
    if b"poison" in request.body:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, request, repository)


if __name__ == "__main__":
    PlainDialect.read = deadly
    data, address = sys.argv[1:]
    run(read({"data": data, "address": address, "jobs": "2"}, {}, Host.here()), lambda _: None)
