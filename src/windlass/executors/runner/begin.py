"""
How a runner comes to life: it takes its orders, lets go of the server, and begins once.

The lock came locked with the process, so there is no moment at which the job
looks abandoned. Making the journal is the beginning; where there is one, another
runner has been here, and this one has nothing to do.
"""

from __future__ import annotations

import os

from windlass.executors.runner.job import Job, broken, write_end
from windlass.executors.runner.journal import Journal
from windlass.executors.runner.system import adopt_orphans
from windlass.executors.runner.work import load


def begin(folder: str, lock: int) -> None:
    """Run the job of this folder, unless it has begun before; `lock` is held by descriptor."""
    os.set_inheritable(lock, False)
    work = load(_read_all(0))
    if work is None or os.fork():
        # The server waits for this process only; its child belongs to nobody and lives on.
        os._exit(0)
    adopt_orphans()
    os.umask(0o022)
    try:
        journal = Journal(folder)
    except FileExistsError:
        journal = None
    _let_go()
    if journal:
        try:
            job = Job(folder, work, journal)
        except OSError as error:
            write_end(journal, broken(error), {})
        else:
            job.run()


def _read_all(file: int) -> bytes:
    parts = []
    while part := os.read(file, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _let_go() -> None:
    """Tell the server that the job has begun, and hold nothing of it any more."""
    try:
        os.write(1, b"begun")
    except OSError:
        pass  # the server is gone already; the job goes on
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
