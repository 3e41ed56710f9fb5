"""
What is being worked on, in a file that outlives us when we are killed.

Nothing is synced: who is killed loses nothing that was written, and a power failure is
no fault of what was worked on. So a note costs one write of a hundred bytes.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SLOT = 64


class UnderWayFile:
    """`UnderWay` in a file of slots, each with one id or blank. One process has it at a time."""

    def __init__(self, path: Path) -> None:
        """`path` is made when it is not there."""
        self._path = path
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._most = 0
        self._file: int | None = None
        # A full disk, perhaps: then nothing is noted, and everything else works as before.
        with contextlib.suppress(OSError):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def left(self) -> tuple[str, ...]:
        """What was begun and not ended when the process before us was gone."""
        try:
            text = self._path.read_bytes().decode("ascii", "replace")
        except OSError:
            return ()
        return tuple(sorted({found for found in text.split() if found}))

    def forget(self) -> None:
        """What was left is taken care of."""
        if self._file is not None and not self._slots:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)

    def begin(self, one: str) -> None:
        """From now on, if we are gone, this was under way."""
        if not self._free:
            self._free.append(self._most)
            self._most += 1
        slot = self._slots[one] = self._free.pop()
        self._write(slot, one)

    def end(self, one: str) -> None:
        """It is under way no more."""
        slot = self._slots.pop(one, None)
        if slot is not None:
            self._write(slot, "")
            self._free.append(slot)

    def close(self) -> None:
        """Let go of the file; twice is once."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, slot: int, text: str) -> None:
        if self._file is not None:
            line = text[: SLOT - 1].ljust(SLOT - 1) + "\n"
            with contextlib.suppress(OSError):
                os.pwrite(self._file, line.encode("ascii", "replace"), slot * SLOT)
