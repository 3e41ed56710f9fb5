"""
What the kernel offers and Python does not: prctl, and processes as a tree.

The runner is a subreaper: whatever a step leaves behind, however often it
forked and whatever session it made, becomes a child of the runner and can be
found and ended.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
TERM, KILL = 15, 9
# The descriptor of what a program is told by a file.
TOLD = 3
# Python ignores these two, and a program that is started inherits that.
_PIPE, _XFSZ = 13, 25

_libc = ctypes.CDLL(None)


def adopt_orphans() -> None:
    """Make every orphaned descendant a child of this process."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hide() -> None:
    """
    Keep others from reading the memory and the files of this process, and of its forks.

    Steps run as the same user, and secrets pass through here.
    """
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def give_way(nice: int) -> None:
    """
    Let what this process starts yield to others, by as much as `nice` says.

    Where the kernel groups processes by session (sched_autogroup), niceness counts within a
    session alone, and every session is worth the same: so whoever is born here stays in this
    one, and the whole of it is made nicer.
    """
    os.nice(nice)
    try:
        with open("/proc/self/autogroup", "w") as file:
            file.write(str(nice))
    except OSError:
        pass  # no such grouping here: niceness counts by itself


def keep_memory() -> None:
    """
    Let malloc keep what it has, up to a few megabytes.

    It would give every buffer of a flood back to the kernel at once, and fault it in
    again page by page: half of the time that a gigabyte takes.
    """
    mallopt = getattr(_libc, "mallopt", None)  # glibc has it
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, 8 << 20)
        mallopt(_M_TRIM_THRESHOLD, 16 << 20)


def show_as(text: str) -> None:
    """Let `ps`, and the server, see `text` as the last argument of this process, which is room."""
    room = len(sys.orig_argv[-1])
    with open("/proc/self/stat", "rb") as file:
        # Field 49 of proc(5), arg_end; what follows the name in brackets begins with field 3.
        end = int(file.read().rpartition(b")")[2].split()[49 - 3])
    ctypes.memmove(end - 1 - room, os.fsencode(text)[:room].ljust(room, b"\0"), room)


def die_with(parent: int) -> None:
    """End this process when its parent, whose id is given, does."""
    _libc.prctl(_PR_SET_PDEATHSIG, KILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def spawn(argv: list[str], env: dict[str, str], files: tuple[int, int], told: int = -1) -> int:
    """
    Start a program in its own process group and the present folder; its process id.

    `files` become its output and its errors, `told` is one that it finds as descriptor `TOLD`.
    Found on the PATH of this process. posix_spawn copies no memory tables: 0.6 ms where fork
    and exec take 2.3.
    """
    return os.posix_spawnp(
        argv[0],
        argv,
        env,
        file_actions=(
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, files[0], 1),
            (os.POSIX_SPAWN_DUP2, files[1], 2),
            *(((os.POSIX_SPAWN_DUP2, told, TOLD),) if told >= 0 else ()),
        ),
        setpgroup=0,
        setsigdef=(_PIPE, _XFSZ),
    )


def reap(ended: dict[int, int]) -> bool:
    """Collect the exit codes of ended children; whether there are children left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not pid:
            return True
        code = os.waitstatus_to_exitcode(status)
        ended[pid] = 128 - code if code < 0 else code


def descendants() -> list[int]:
    """Every living process below this one, children before their children."""
    found = _children_of(os.getpid())
    for pid in found:  # grows while it is walked
        found += _children_of(pid)
    return found


def _children_of(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(x) for x in file.read().split()]
    except OSError:
        return []


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def kill_all(patience: float) -> None:
    """Kill every descendant, for so many seconds at most."""
    until = time.monotonic() + patience
    while reap({}) and time.monotonic() < until:
        for pid in descendants():
            send(pid, KILL)
        time.sleep(0.005)
