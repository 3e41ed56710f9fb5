"""
Artifacts as files named by what they hold.

The name of a file is the SHA-256 of its bytes, checked at every `get`; so what
was tested is what is deployed, or nothing is. A file appears whole (written
aside, synced, renamed) or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from windlass.core.errors import NotFound, Permanent, Transient
from windlass.ports.executor import Artifact

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CHUNK = 1 << 20
# A file left aside for so long (seconds) belongs to a program that is gone.
_ABANDONED = 86400.0


class LocalArtifacts:
    """`Artifacts` in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root / "sha256"
        self._aside = root / "aside"
        for folder in (self._root, self._aside):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._aside.iterdir():
            if left.stat().st_mtime < time.time() - _ABANDONED:
                left.unlink(missing_ok=True)

    def put(self, source: Path) -> Artifact:
        """Store a file; the same content twice is one."""
        try:
            with source.open("rb") as file:
                return self._put(file)
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {source} to store") from error
        except OSError as error:
            raise _translated(error, source) from error

    def _put(self, source: BinaryIO) -> Artifact:
        number, name = tempfile.mkstemp(dir=self._aside)
        aside = Path(name)
        try:
            with os.fdopen(number, "wb") as target:
                digest, size = _copied(source, target)
                target.flush()
                os.fsync(target.fileno())
            aside.chmod(0o444)
            path = self._path(digest)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            # Over a file of the same name too: should that have been tampered with, it is mended.
            aside.rename(path)
            _sync(path.parent)
        finally:
            aside.unlink(missing_ok=True)
        return Artifact(digest=digest, size=size, path=path)

    def get(self, digest: str) -> Artifact:
        """The file, its digest checked; `NotFound`, or `Permanent` when it was tampered with."""
        if not _DIGEST.fullmatch(digest):
            raise NotFound(f"{digest} is not a digest (sha256: and 64 hexadecimal digits)")
        path = self._path(digest)
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                found, size = _copied(file, None)
        except FileNotFoundError as error:
            raise NotFound(f"there is no artifact {digest} here") from error
        except OSError as error:
            raise _translated(error, path) from error
        if found != digest:
            raise Permanent(f"{path} was tampered with: it holds {found}; build it again")
        return Artifact(digest=digest, size=size, path=path)

    def list(self) -> tuple[str, ...]:
        """All digests."""
        names = (f"sha256:{path.parent.name}{path.name}" for path in self._root.glob("*/*"))
        return tuple(sorted(name for name in names if _DIGEST.fullmatch(name)))

    def _path(self, digest: str) -> Path:
        value = digest.partition(":")[2]
        return self._root / value[:2] / value[2:]


def _copied(source: BinaryIO, target: BinaryIO | None) -> tuple[str, int]:
    """Read to the end, and write what was read; the digest and the size of it."""
    seen = hashlib.sha256()
    size = 0
    while part := source.read(_CHUNK):
        seen.update(part)
        size += len(part)
        if target:
            target.write(part)
    return f"sha256:{seen.hexdigest()}", size


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _translated(error: OSError, path: Path) -> Transient | Permanent:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return Transient(f"{path} cannot be stored or read now: {error.strerror}")
    return Permanent(f"{path} cannot be stored or read: {error.strerror}")
