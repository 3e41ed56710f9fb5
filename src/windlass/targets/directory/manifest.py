"""
What a release consists of, and how it differs from that now.

Size and times decide while they are equal; a file is hashed only when they are
not, so looking at an untouched release reads no content.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

# Python writes these beside the code whenever it likes; a reconciler that
# took them for an edit would restart a Python service for ever.
PASSING = frozenset({"__pycache__"})

Skip = Callable[[str], bool]


class EntryKind(StrEnum):
    """What a release may hold."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One name in a release.

    `content` is the SHA-256 (hex) of a file, the destination of a link, empty for
    a folder. `stamp` holds modification and change time in nanoseconds.
    """

    kind: EntryKind
    mode: int = 0
    size: int = 0
    stamp: tuple[int, int] = (0, 0)
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """
    Everything in a release by its path.

    `own` are names that the service itself made while it was started; they, and
    what is below them, belong to it and are not looked at.
    """

    entries: Mapping[str, Entry]
    own: frozenset[str] = frozenset()


def settle(root: Path, unpacked: Mapping[str, Entry]) -> Manifest:
    """The manifest of a release whose `after` has run: what that changed or made is meant so."""
    entries: dict[str, Entry] = {}
    own: set[str] = set()
    for path, status in _walk(root, skip=lambda path: path not in unpacked):
        expected = unpacked.get(path)
        if expected is None:
            own.add(_shown(path))
        elif _same_at_a_glance(expected, status):
            entries[path] = expected
        elif _kind(status) is expected.kind:
            entries[path] = stamped(root / path, replace(expected, content=_content(root / path)))
        else:
            own.add(_shown(path))
    return Manifest(entries=entries, own=frozenset(own))


def differences(root: Path, manifest: Manifest) -> Iterator[str]:
    """What was done to a release by hand, one `changed|added|missing PATH` each."""
    seen: set[str] = set()
    for path, status in _walk(root, skip=lambda path: path not in manifest.entries):
        expected = manifest.entries.get(path)
        if expected is not None:
            seen.add(path)
            if not _same(root / path, expected, status):
                yield f"changed {path}"
        elif _shown(path) not in manifest.own:
            yield f"added {_shown(path)}"
    for path in sorted(manifest.entries.keys() - seen):
        yield f"missing {path}"


def stamped(path: Path, entry: Entry) -> Entry:
    """The entry with the size, mode and times its file has now."""
    status = path.lstat()
    return replace(
        entry, mode=stat.S_IMODE(status.st_mode), size=status.st_size, stamp=_stamp(status)
    )


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(root: Path, *, skip: Skip, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Every name below `root`, sorted, links not followed; folders that `skip` names stay shut."""
    with os.scandir(root / below) as found:
        names = sorted(found, key=lambda entry: entry.name)
    for name in names:
        if name.name in PASSING:
            continue
        path = f"{below}/{name.name}" if below else name.name
        status = name.stat(follow_symlinks=False)
        yield path, status
        if stat.S_ISDIR(status.st_mode) and not skip(path):
            yield from _walk(root, skip=skip, below=path)


def _same(path: Path, expected: Entry, status: os.stat_result) -> bool:
    if _same_at_a_glance(expected, status):
        return True
    if _kind(status) is not expected.kind or stat.S_IMODE(status.st_mode) != expected.mode:
        return False
    return _content(path) == expected.content


def _same_at_a_glance(expected: Entry, status: os.stat_result) -> bool:
    if _kind(status) is not expected.kind or stat.S_IMODE(status.st_mode) != expected.mode:
        return False
    if expected.kind is EntryKind.FOLDER:
        return True
    return (status.st_size, _stamp(status)) == (expected.size, expected.stamp)


def _content(path: Path) -> str:
    """What `Entry.content` says of the file, link or folder that stands there now."""
    if path.is_symlink():
        return str(path.readlink())
    return "" if path.is_dir() else hash_file(path)


def _kind(status: os.stat_result) -> EntryKind | None:
    """What it is; None for a device, a socket or a pipe, which no release holds."""
    if stat.S_ISREG(status.st_mode):
        return EntryKind.FILE
    if stat.S_ISDIR(status.st_mode):
        return EntryKind.FOLDER
    return EntryKind.LINK if stat.S_ISLNK(status.st_mode) else None


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_ctime_ns


def _shown(path: str) -> str:
    """A name as text; a service may use names that are none."""
    return os.fsencode(path).decode(errors="backslashreplace")
