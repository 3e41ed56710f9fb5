"""
How a runner comes to life: it takes its orders, lets go of the server, and begins once.

The lock came locked with the process, so there is no moment at which the job
looks abandoned. Making the journal is the beginning; where there is one, another
runner has been here, and this one has nothing to do.

Each runner has a parent that does nothing but outlive it: should the runner be
killed, everything it had started becomes the parent's, which ends it and journals
the loss at once, server or no server.
"""

from __future__ import annotations

import os

from windlass.executors.runner.job import CHECKOUT, Job, broken, write_end
from windlass.executors.runner.journal import Journal, has_end, write_loss
from windlass.executors.runner.log import Log
from windlass.executors.runner.system import adopt_orphans, die_with, keep_memory, kill_all
from windlass.executors.runner.work import Work, load

# What a runner says to the server once its job has begun.
BEGUN = b"begun"
# Bytes that a log may grow by once its runner is gone.
_LAST_WORDS = 1 << 10


def begin(folder: str, lock: int) -> None:
    """Run the job of this folder, unless it has begun before; `lock` is held by descriptor."""
    os.set_inheritable(lock, False)
    work = load(_read_all(0))
    if work is None:
        return
    adopt_orphans()
    parent = os.getpid()
    runner = os.fork()
    if runner:
        _let_go()
        _outlive(runner, folder, work)
    else:
        die_with(parent)
        adopt_orphans()
        keep_memory()
        _run(folder, work)


def _outlive(runner: int, folder: str, work: Work) -> None:
    """Wait for the runner's end, and see to it that the job has one too."""
    _, status = os.waitpid(runner, 0)
    kill_all(10)
    if os.path.exists(folder + "/journal") and not has_end(folder):
        code = os.waitstatus_to_exitcode(status)
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        reason = f"its runner ended before the job did ({how})"
        log = Log(work.log, _LAST_WORDS)
        log.say(CHECKOUT, reason)
        try:
            log.write()
        finally:
            write_loss(folder, reason)


def _run(folder: str, work: Work) -> None:
    os.umask(0o022)
    try:
        journal = Journal(folder)
    except FileExistsError:
        journal = None
    try:
        os.write(1, BEGUN)
    except OSError:
        pass  # the server is gone already; the job goes on
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
    """Hold nothing of the server any more."""
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
