"""
A package becomes a folder, or nothing does.

The tar may come from anybody's build, so nothing in it is believed: names are
checked before a file is made, links are resolved after all of them stand, and
what it says of its size is counted again. When anything is wrong the folder is
removed as a whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import unicodedata
from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from pathlib import Path

from windlass.core.errors import Permanent
from windlass.targets.directory.manifest import Entry, EntryKind, stamped

# No single read may be larger: a header that claims to be is an attack on memory.
CHUNK = 1 << 16
# Folders in each other; deeper ones cannot even be removed again.
DEEP = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much a package may hold: bytes of all files together, and names."""

    bytes: int = 4 << 30
    entries: int = 100_000


def unpack(package: Path, into: Path, quota: Quota) -> dict[str, Entry]:
    """
    Every entry of the tar, made below the new folder `into`.

    Raises `Permanent` for a package that is not to be trusted or cannot be read.
    """
    with _Careful(FileIO(package)) as file:
        into.mkdir(mode=0o755)
        try:
            into.chmod(0o755)
            return _Unpacking(file, into, quota).all()
        except (tarfile.TarError, ValueError, LookupError, OverflowError, RecursionError) as error:
            shutil.rmtree(into, ignore_errors=True)
            raise Permanent(f"the package cannot be read as a tar: {error}") from error
        except BaseException:
            shutil.rmtree(into, ignore_errors=True)
            raise


class _Careful(BufferedReader):
    """A file that hands out no more than `CHUNK` bytes at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= CHUNK:
            raise tarfile.ReadError("a header is too large")
        return super().read(size)


@dataclass(slots=True)
class _Unpacking:
    file: _Careful
    root: Path
    quota: Quota
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 0
    count: int = 0

    def all(self) -> dict[str, Entry]:
        with tarfile.open(fileobj=self.file, mode="r:") as tar:
            while member := tar.next():
                self._one(member)
            end = tar.offset
        # tarfile takes a torn or spoilt header for the end, so look for the real one.
        self.file.seek(end)
        if self.file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise Permanent("the package is cut off: it has no end mark")
        self._check_links()
        return {path: stamped(self.root / path, entry) for path, entry in self.entries.items()}

    def _one(self, member: tarfile.TarInfo) -> None:
        self.count += 1
        if self.count > self.quota.entries:
            raise Permanent(f"the package holds more than {self.quota.entries} names")
        path = _checked(member.name)
        if not path:
            return
        self._folder(path.rpartition("/")[0])
        if member.isdir():
            self._folder(path)
            return
        if path in self.entries:
            raise Permanent(f"the package holds {path} twice")
        if member.isreg() and not member.issparse():
            self._file(path, member)
        elif member.issym():
            self._link(path, member.linkname)
        elif member.islnk():
            self._copy(path, member)
        else:
            raise Permanent(f"{path} in the package is no file, folder or link")

    def _folder(self, path: str) -> None:
        """Make a folder and those above it; what stands there already must be a folder of ours."""
        known = self.entries.get(path)
        if not path or (known and known.kind is EntryKind.FOLDER):
            return
        if known:
            raise Permanent(f"{path} in the package is a folder and also a {known.kind}")
        self._folder(path.rpartition("/")[0])
        (self.root / path).mkdir()
        (self.root / path).chmod(0o755)
        self.entries[path] = Entry(kind=EntryKind.FOLDER)

    def _file(self, path: str, member: tarfile.TarInfo) -> None:
        self.file.seek(member.offset_data)
        self._write(path, self.file, member.size, executable=bool(member.mode & 0o100))

    def _link(self, path: str, to: str) -> None:
        if not _plain(to) or to.startswith("/"):
            raise Permanent(f"the link {path} in the package leaves it")
        (self.root / path).symlink_to(to)
        self.entries[path] = Entry(kind=EntryKind.LINK, content=to)

    def _copy(self, path: str, member: tarfile.TarInfo) -> None:
        """A hard link: a file of its own with the content of one that came before."""
        source = _checked(member.linkname)
        known = self.entries.get(source)
        if known is None or known.kind is not EntryKind.FILE:
            raise Permanent(f"the link {path} in the package leads to no file of it")
        with (self.root / source).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            executable = bool(os.fstat(file.fileno()).st_mode & 0o100)
            self._write(path, file, size, executable=executable)

    def _write(self, path: str, source: BufferedReader, size: int, *, executable: bool) -> None:
        self.size += size
        if self.size > self.quota.bytes:
            raise Permanent(f"the package holds more than {self.quota.bytes} bytes")
        content = hashlib.sha256()
        with (self.root / path).open("xb") as file:
            while size:
                data = source.read(min(CHUNK, size))
                if not data:
                    raise Permanent(f"the package is cut off in {path}")
                content.update(data)
                file.write(data)
                size -= len(data)
            os.fchmod(file.fileno(), 0o755 if executable else 0o644)
        self.entries[path] = Entry(kind=EntryKind.FILE, content=content.hexdigest())

    def _check_links(self) -> None:
        """Where every link ends, now that links on its way stand too."""
        root = os.path.realpath(self.root)
        for path, entry in self.entries.items():
            if entry.kind is EntryKind.LINK:
                end = os.path.realpath(self.root / path)
                if end != root and not end.startswith(root + "/"):
                    raise Permanent(f"the link {path} in the package leaves it")


def _checked(name: str) -> str:
    """The name without `.` and doubled slashes; `Permanent` unless it stays inside."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts or len(parts) > DEEP or not _plain(name):
        shown = ascii(name)[:200]
        raise Permanent(f"the package holds a name that is not allowed: {shown}")
    return "/".join(parts)


def _plain(name: str) -> bool:
    """Whether it is text that can be shown and stored: UTF-8, without control characters."""
    return bool(name) and not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name)
