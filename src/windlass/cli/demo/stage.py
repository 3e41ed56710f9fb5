"""
The folder that the story plays in, and who may play there.

    shop.git      the repository, bare, as on a server
    work          a developer's clone of it
    data          what the server keeps
    dev           an environment: releases, and a link to the one that is served
    production    another
    server.log    what the server says

A folder is ours when it holds our mark. The mark is locked while a story plays
in it, so a second one is refused; whatever a killed one left is ended first.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from windlass.cli.exits import Failure

MARK = ".windlass-demo"
ENVIRONMENTS = ("dev", "production")
SERVER = "server.pid"
# Below where the kernel takes ports for outgoing connections, so that they stay free.
PORTS = range(20_000, 32_000)
PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The folder, with a port for the server and for each environment."""

    folder: Path
    server: int
    dev: int
    production: int

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.folder / "shop.git"

    @property
    def work(self) -> Path:
        """The developer's clone."""
        return self.folder / "work"

    @property
    def data(self) -> Path:
        """The server's folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    def url(self, name: str) -> str:
        """The address of `server`, `dev` or `production`."""
        port = {"server": self.server, "dev": self.dev, "production": self.production}[name]
        return f"http://127.0.0.1:{port}"


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """An empty folder of ours, held until the end; then nothing of it runs any more."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(folder)
        mark = os.open(folder / MARK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(
            f"The folder cannot be used: {error.strerror}.",
            where=str(folder),
            next_step="name another: windlass demo FOLDER",
        ) from error
    try:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(
                "A demonstration is running there already.",
                where=str(folder),
                next_step="end it with Ctrl-C, or name another: windlass demo FOLDER",
            ) from None
        end_all(folder)
        _empty(folder)
        server, dev, production = _ports(3)
        yield Stage(folder=folder, server=server, dev=dev, production=production)
    finally:
        end_all(folder)
        os.close(mark)


def played_before(folder: Path) -> bool:
    """Whether a story was played in this folder."""
    return (folder / MARK).exists()


def end_all(folder: Path) -> None:
    """End the server and the shops that run in this folder, whoever started them."""
    notes = [folder / SERVER, *(folder / name / "shop.pid" for name in ENVIRONMENTS)]
    for note in notes:
        if (pid := _pid(note, folder)) is not None:
            _end(pid, note, folder)


def _refuse_strangers(folder: Path) -> None:
    if not played_before(folder) and any(folder.iterdir()):
        raise Failure(
            "The folder is not empty, and no demonstration made it.",
            where=str(folder),
            next_step="name another: windlass demo FOLDER",
        )


def remove(path: Path) -> None:
    """Remove a file or folder, also while what a killed story left behind still writes in it."""
    end = time.monotonic() + PATIENCE
    while os.path.lexists(path):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _empty(folder: Path) -> None:
    try:
        for entry in sorted(folder.iterdir()):
            if entry.name != MARK:
                remove(entry)
    except OSError as error:
        raise Failure(
            f"What is left of an earlier demonstration cannot be removed: {error.strerror}.",
            where=str(error.filename),
            next_step="remove it, or name another folder: windlass demo FOLDER",
        ) from error


def _pid(note: Path, folder: Path) -> int | None:
    """The process that a note names, if it is still the one that was started in this folder."""
    with suppress(OSError, ValueError):
        pid = int(note.read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if os.fsencode(folder) + b"/" in command:
            return pid
    return None


def _end(pid: int, note: Path, folder: Path) -> None:
    for number, patience in ((signal.SIGTERM, 8.0), (signal.SIGKILL, 2.0)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if _pid(note, folder) != pid:
                return
            time.sleep(0.01)


def _ports(count: int) -> list[int]:
    """So many ports that are free now; where to look first depends on the process."""
    found: list[int] = []
    start = os.getpid() * 7 % len(PORTS)
    for offset in range(len(PORTS)):
        port = PORTS[(start + offset) % len(PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise Failure("There are no free ports on 127.0.0.1.")  # pragma: no cover
