"""
One server per data folder.

The lock is `flock` on a file in the folder: it goes when its holder goes, however
that ends, and needs no clean-up. The file says who holds it, for people to read.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from windlass.core.errors import Conflict, Permanent

NAME = "windlass.lock"


@contextmanager
def hold(folder: Path, *, now: float, address: str = "") -> Iterator[Path]:
    """
    Be the only server of this folder until the block ends; makes the folder.

    `Conflict` names the holder; `now` is UTC seconds, `address` where we answer.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Permanent(f"the data folder {folder} cannot be used: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise _taken(folder, os.pread(descriptor, 4096, 0)) from held
        _sign(descriptor, address, now)
        try:
            yield folder
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _sign(descriptor: int, address: str, now: float) -> None:
    since = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    note = json.dumps({"pid": os.getpid(), "address": address, "since": since})
    with suppress(OSError):  # a full disk does not make us less the holder
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)


def _taken(folder: Path, note: bytes) -> Conflict:
    who = "another process"
    with suppress(ValueError, KeyError, TypeError):
        found = json.loads(note)
        who = f"process {found['pid']}"
        if found["address"]:
            who += f" at {found['address']}"
        who += f", since {found['since']}"
    return Conflict(
        f"the data folder {folder} is in use by {who}",
        hint="stop that server first, or name another data folder",
        code="folder-in-use",
    )
