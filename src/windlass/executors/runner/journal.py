"""
The journal of a job: one line of JSON for each thing that has happened.

Every entry is one write in append mode, so a reader sees it whole or not at
all, whenever this program is killed. Only the end is synced: it is the one fact
that the server may act upon and never ask for again, while everything before it
is worthless after a power cut, which ends the job anyway.
"""

from __future__ import annotations

import errno
import os
import time

FULL = (errno.ENOSPC, errno.EDQUOT)
# Given back when the disk is full, so that the end can still be written down.
_RESERVE = 256 << 10
_PATIENCE = 600

Value = str | float | bool | dict[str, str] | None


class Journal:
    """The journal in this folder; making it is what begins a job, and happens once."""

    __slots__ = ("_file", "_folder", "_poke")

    def __init__(self, folder: str, *, again: bool = False) -> None:
        """With `again`, the journal that a runner has left behind."""
        self._folder = folder
        flags = os.O_RDWR | os.O_APPEND | (0 if again else os.O_CREAT | os.O_EXCL)
        self._file = os.open(folder + "/journal", flags, 0o600)
        self._poke = -1
        if not again:
            self._reserve()

    def _reserve(self) -> None:
        file = os.open(self._folder + "/reserve", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, _RESERVE)
        except OSError:
            pass  # full already, or no such call here; the first write will tell
        finally:
            os.close(file)

    def step_started(self, step: int, *, log: int) -> None:
        """`log` is the size of the log now, in bytes."""
        self._write({"entry": "step_started", "step": step, "at": time.time(), "log": log})

    def step_ended(self, step: int, *, exit_code: int, timed_out: bool) -> None:
        """A step has ended."""
        self._write(
            {
                "entry": "step_ended",
                "step": step,
                "at": time.time(),
                "exit_code": exit_code,
                "timed_out": timed_out,
            }
        )

    def ended(self, fields: dict[str, Value]) -> None:
        """The job has ended; tried for ten minutes on a disk that stays full."""
        entry = {"entry": "ended", "at": time.time(), **fields}
        _remove(self._folder + "/reserve")
        for _ in range(_PATIENCE):
            try:
                self._write(entry)
                os.fsync(self._file)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                time.sleep(1)
            else:
                return

    def content(self) -> bytes:
        """Everything in it; half a line at its end is cut off."""
        data = os.pread(self._file, os.fstat(self._file).st_size, 0)
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._file, whole)
        return data[:whole]

    def _write(self, entry: dict[str, Value]) -> None:
        line = to_json(entry).encode() + b"\n"
        size = os.fstat(self._file).st_size
        done = os.write(self._file, line)
        if done < len(line):  # the disk became full within this very line
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.poke()

    def poke(self) -> None:
        """Tell the server, if there is one, that there is something to read."""
        root, _, name = self._folder.rpartition("/")
        try:
            if self._poke < 0:
                self._poke = os.open(root + "/poke", os.O_WRONLY | os.O_NONBLOCK)
            os.write(self._poke, name.encode() + b"\n")
        except OSError:
            return  # nobody listens now; whoever does later also looks by himself


def has_end(folder: str) -> bool:
    """Whether the journal in this folder says how the job ended."""
    return b'{"entry": "ended"' in Journal(folder, again=True).content()


def write_loss(folder: str, reason: str) -> None:
    """End the journal of a runner that is gone."""
    lost: dict[str, Value] = {
        "outcome": "worker_lost",
        "exit_code": None,
        "step": None,
        "reason": reason,
        "outputs": {},
        "package": False,
    }
    Journal(folder, again=True).ended(lost)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def to_json(value: object) -> str:
    """JSON of what a journal holds; the module `json` would cost 5 ms at every start."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return '"' + "".join(map(_escaped, value)) + '"'
        case dict():
            return "{" + ", ".join(f"{to_json(k)}: {to_json(v)}" for k, v in value.items()) + "}"
        case _:
            raise TypeError(f"a journal holds no {type(value).__name__}")


def _escaped(char: str) -> str:
    code = ord(char)
    if char in '"\\':
        return "\\" + char
    if 32 <= code < 127:
        return char
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
