"""
The folder `windlass` in a bare repository, where hook, sender and adapter meet.

    hook.json     where webhooks go         secret      what signs them (mode 0600)
    spool/        what was pushed or done   outbox/     webhooks made of it, in order
    refused/      webhooks refused for good, each with the answer
    pulls/        one file per pull request statuses/   one file per commit

Every file is written whole (a temporary name, then a rename), so a reader sees
the old or the new one. Modes and owner follow the repository's own `objects`,
so what may push may also spool.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

LOCKS = ("lock", "sending")
FOLDERS = ("spool", "outbox", "refused", "pulls", "statuses")


class Busy(Exception):
    """Another process holds the lock for longer than we wait."""


class Lock:
    """A file lock (`flock`): it ends with the process that holds it, however that ends."""

    def __init__(self, path: str, *, wait: float) -> None:
        self.path = path
        self.wait = wait
        self.descriptor = -1

    def __enter__(self) -> Lock:
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        until = time.monotonic() + self.wait
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EACCES} or time.monotonic() >= until:
                    os.close(self.descriptor)
                    raise Busy(self.path) from error
                time.sleep(0.005)
            else:
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)


class Folder:
    """The folder of one repository; raises OSError where the disk does."""

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.root = os.path.join(repository, "windlass")
        shape = os.stat(os.path.join(repository, "objects"))
        self.mode = shape.st_mode & 0o2777 | 0o700
        self.uid = shape.st_uid
        self.gid = shape.st_gid

    def path(self, *names: str) -> str:
        """Where something in it stands."""
        return os.path.join(self.root, *names)

    def make(self) -> None:
        """Make what is missing of it; twice is once."""
        for path in (self.root, *map(self.path, FOLDERS)):
            try:
                os.mkdir(path)
            except FileExistsError:
                continue
            self.own(path)
            os.chmod(path, self.mode)
        for path in map(self.path, LOCKS):
            if not os.path.exists(path):
                self.write(path, b"")

    def own(self, path: str) -> None:
        """Give it to the repository's owner, when we are root and that is another."""
        if os.geteuid() == 0 and self.uid != 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def state(self, wait: float = 10.0) -> Lock:
        """The lock of pull requests and spool, held for milliseconds; waits so many seconds."""
        return Lock(self.path("lock"), wait=wait)

    def sending(self) -> Lock:
        """The lock of the one sender; does not wait."""
        return Lock(self.path("sending"), wait=0)

    def write(self, path: str, content: bytes, *, mode: int = 0, durable: bool = False) -> None:
        """Write a file whole: a reader sees the old one or the new one."""
        spare = f"{os.path.dirname(path)}/.{os.path.basename(path)}.{os.getpid()}"
        # Whoever left that name is dead: process ids are unique among the living.
        self.drop(spare)
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fchmod(descriptor, mode or self.mode & 0o666)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.own(spare)
        os.replace(spare, path)
        if durable:
            self.settle(os.path.dirname(path))

    def settle(self, folder: str) -> None:
        """Put the names in a folder on disk."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def drop(self, path: str) -> None:
        """Remove a file; twice is once."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def settings(self) -> dict[str, str]:
        """`hook.json`: where webhooks go and which `git` to run; empty when not set up."""
        try:
            with open(self.path("hook.json"), "rb") as file:
                tree = json.load(file)
        except FileNotFoundError:
            return {}
        return {str(key): str(value) for key, value in tree.items()}
