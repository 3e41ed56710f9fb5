"""
Artifacts of a job -> one tar that is the same for the same files.

Names are sorted, times are zero, owners are nobody, modes are 644 or 755, so
equal content has an equal digest wherever and whenever it was built. What could
do harm where the tar is unpacked is refused: links that lead out, devices,
names with control characters.
"""

from __future__ import annotations

import os
import stat
import tarfile
from fnmatch import fnmatchcase

from windlass.core.redact import mask_text

TYPE_CHECKING = False  # the module typing costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

# Bytes between two looks at whether to go on.
_CHUNK = 8 << 20


class CannotPack(Exception):
    """The artifacts cannot be packed; the text says which, and why."""


def pack(
    root: str,
    globs: list[str],
    target: str,
    secrets: tuple[str, ...],
    check: Callable[[], None] = lambda: None,
) -> None:
    """
    Write the files below `root` that match to `target`; `!GLOB` takes back.

    `check` is called all the time, and ends it by raising.
    """
    names = _select(root, globs)
    _check_size(root, names, os.path.dirname(target))
    # Synced before the end is journaled: a build must not be half a file after a power cut.
    with open(target, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(names):
                _check_name(name, secrets)
                check()
                _add(tar, root, name, check)
        file.flush()
        os.fsync(file.fileno())


def _select(root: str, globs: list[str]) -> set[str]:
    names: set[str] = set()
    for glob in globs:
        taken_back = glob.startswith("!")
        parts = [part for part in glob.removeprefix("!").split("/") if part not in ("", ".")]
        if ".." in parts or glob.startswith("/"):
            raise CannotPack(f"artifact pattern {glob} leads out of the repository")
        found: set[str] = set()
        _expand(root, "", parts, found)
        if taken_back:
            names -= found
        elif found:
            names |= found
        else:
            raise CannotPack(f"no file matches the artifact pattern {glob}")
    if not names:
        raise CannotPack("the artifact patterns leave no file")
    return names


def _expand(root: str, at: str, parts: list[str], found: set[str]) -> None:
    """Add what matches `parts` below the folder, or at the name, `at`."""
    if not parts:
        _take(root, at, found)
        return
    head, rest = parts[0], parts[1:]
    if head == "**":
        _expand(root, at, rest, found)
        for name in _entries(root, at):
            if _is_folder(f"{root}/{name}"):
                _expand(root, name, parts, found)
        return
    for name in _entries(root, at):
        if fnmatchcase(name.rpartition("/")[2], head) and (
            not rest or _is_folder(f"{root}/{name}")
        ):
            _expand(root, name, rest, found)


def _entries(root: str, at: str) -> list[str]:
    """Names in a folder, as seen from the root; a repository's `.git` is no artifact."""
    try:
        names = os.listdir(f"{root}/{at}")
    except OSError:
        return []
    return [f"{at}/{name}" if at else name for name in names if name != ".git"]


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(os.lstat(path).st_mode)


def _take(root: str, at: str, found: set[str]) -> None:
    """Add a name with all that is below it."""
    pending = [at]
    while pending:
        name = pending.pop()
        if name:
            found.add(name)
        if _is_folder(f"{root}/{name}"):
            pending += _entries(root, name)


def _check_name(name: str, secrets: tuple[str, ...]) -> None:
    if not name.isprintable():
        raise CannotPack(f"an artifact has a name with control characters: {name!a}")
    shown = mask_text(name, secrets)
    if shown != name:
        raise CannotPack(f"an artifact's name holds a secret: {shown}")


def _check_size(root: str, names: set[str], folder: str) -> None:
    """Of a file that is mostly a hole nothing is on the disk yet; packed, all of it would be."""
    found = (os.lstat(f"{root}/{name}") for name in names)
    size = sum(one.st_size for one in found if stat.S_ISREG(one.st_mode))
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if size > free:
        raise CannotPack(
            f"the artifacts take {size >> 20} MiB, and the disk has {free >> 20} MiB left"
        )


class _Watched:
    """A file that looks up from time to time while it is read."""

    def __init__(self, file: BinaryIO, check: Callable[[], None]) -> None:
        self._file = file
        self._check = check
        self._left = _CHUNK

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        self._left -= size
        if self._left < 0:
            self._left = _CHUNK
            self._check()
        return self._file.read(size)


def _add(tar: tarfile.TarFile, root: str, name: str, check: Callable[[], None]) -> None:
    path = f"{root}/{name}"
    info = tarfile.TarInfo(name)
    mode = os.lstat(path).st_mode
    if stat.S_ISDIR(mode):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
    elif stat.S_ISLNK(mode):
        info.type, info.mode = tarfile.SYMTYPE, 0o777
        info.linkname = _link(root, name)
        tar.addfile(info)
    elif stat.S_ISREG(mode):
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            found = os.fstat(file.fileno())
            info.size = found.st_size
            info.mode = 0o755 if found.st_mode & 0o111 else 0o644
            tar.addfile(info, _Watched(file, check))
    else:
        raise CannotPack(f"artifact {name} is neither a file, nor a folder, nor a link")


def _link(root: str, name: str) -> str:
    """Where a link leads; refused when that is outside, by its text or in truth."""
    target = os.readlink(f"{root}/{name}")
    written = os.path.normpath(os.path.join(os.path.dirname(name), target))
    real = os.path.realpath(f"{root}/{name}")
    if (
        target.startswith("/")
        or written == ".."
        or written.startswith("../")
        or not (real + "/").startswith(os.path.realpath(root) + "/")
        or not target.isprintable()
    ):
        raise CannotPack(f"artifact {name} is a link that leads out of the repository: {target!a}")
    return target
