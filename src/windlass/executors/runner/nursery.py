"""
Where runners are born: a bare interpreter that has imported everything once, and forks.

A fresh interpreter costs 25 ms of processor time for each job; a fork costs two. The
server sends the descriptors of a job and its folder, one message a job; whoever is
born here belongs to nobody and outlives both. The nursery itself holds nothing and
ends with the server, whose end of the socket closes whatever happens to it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys

from windlass.executors.runner import pack  # noqa: F401 - imported once, for all who are born here
from windlass.executors.runner.begin import begin
from windlass.executors.runner.system import give_way, hide, show_as

# A message is the path of the job's folder; with it come its lock, and what becomes 0, 1 and 2.
LONGEST = 4096
FILES = 4
# Jobs give way to the server, which answers forges and people while all cores work.
NICE = 10


def serve(number: int) -> None:
    """Start a runner for every message on this socket, until the server is gone."""
    # Who is born here is collected by the kernel: nobody waits for the end of a job.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    hide()
    give_way(NICE)
    gc.freeze()
    # What went wrong until here is told in the file of whose job wanted this process.
    os.dup2(1, 2)
    with socket.socket(fileno=number) as control:
        while True:
            folder, files, _, _ = socket.recv_fds(control, LONGEST, FILES)
            if not folder:
                return
            if len(files) == FILES and not _fork():
                control.close()
                _live(os.fsdecode(folder), *files)
            for file in files:
                os.close(file)


def _fork() -> int:
    """0 in the child. Without room for one the server sees its pipe close, and tries again."""
    try:
        return os.fork()
    except OSError:
        return -1


def _live(folder: str, lock: int, *files: int) -> None:
    """The child's whole life; it does not return."""
    code = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.chdir(folder)
        show_as(folder)
        begin(folder, lock)
        code = 0
    except BaseException:  # noqa: BLE001 - told on standard error, which is a file of the job
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)
