"""
Artifacts in a dictionary; the bytes lie in a folder, for the port speaks of paths.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from windlass.core.errors import NotFound, Permanent
from windlass.ports.executor import Artifact


class FakeArtifacts:
    """`Artifacts` for tests; `stored` may be looked at and changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stored: dict[str, Artifact] = {}

    def put(self, source: Path) -> Artifact:
        """Store a file; the same content twice is one."""
        if not source.is_file():
            raise NotFound(f"there is no file {source} to store")
        data = source.read_bytes()
        digest = _digest(data)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / digest.removeprefix("sha256:")
        path.write_bytes(data)
        self.stored[digest] = Artifact(digest=digest, size=len(data), path=path)
        return self.stored[digest]

    def get(self, digest: str) -> Artifact:
        """The file, its digest checked; `NotFound`, or `Permanent` when it was tampered with."""
        if digest not in self.stored:
            raise NotFound(f"there is no artifact {digest} here")
        if _digest(self.stored[digest].path.read_bytes()) != digest:
            raise Permanent(f"{digest} was tampered with; build it again")
        return self.stored[digest]

    def list(self) -> tuple[str, ...]:
        """All digests."""
        return tuple(sorted(self.stored))


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
