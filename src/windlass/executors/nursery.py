"""
The server's side of the nursery (see `runner.nursery`): one for each executor.

It is started when the first job is, and again whenever it is found dead. It costs
nothing to lose: runners live on without it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path

_MAIN = Path(__file__).parent / "runner" / "__main__.py"
# Room for the folder of a job among the words that `ps` shows, in bytes.
_ROOM = 1024


class Nursery:
    """Starts runners. Safe to call from several threads; `OSError` when none can be started."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._living: _Living | None = None

    def bear(self, folder: Path, files: tuple[int, int, int, int]) -> None:
        """Start a runner in a folder; `files` are its lock and its standard three, still ours."""
        with self._turn:
            for last in (False, True):
                living = self._living = self._living or _Living(files[-1])
                try:
                    socket.send_fds(living.control, [os.fsencode(folder)], files)
                except (BrokenPipeError, ConnectionError):
                    self._living = None
                    if last:
                        raise
                else:
                    return


class _Living:
    """A running nursery; it ends when this object is gone. `errors` is told why it cannot start."""

    def __init__(self, errors: int) -> None:
        # A message arrives whole or not at all, and the end of either side shows at the other.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            argv = [sys.executable, "-I", "-S", "-X", "utf8", str(_MAIN), str(number), "-" * _ROOM]
            # The interpreter's own libraries may be found by this alone; steps never see it.
            environment = {k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH"}
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env=environment,
                    cwd="/",
                    start_new_session=True,
                    pass_fds=(number,),
                )
            except BaseException:
                ours.close()
                raise
        self.control = ours
        weakref.finalize(self, _end, ours, process)


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    process.wait()
