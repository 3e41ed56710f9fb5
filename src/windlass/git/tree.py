"""
Bytes of git objects, read.

Raw trees and commits are parsed here and nowhere else, so that no name in a
repository is ever spelled on a command line or in a request to git.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from windlass.core.errors import Permanent


class Kind(Enum):
    """What a name in a tree stands for."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "symbolic link"
    MODULE = "submodule"


_SECONDS = re.compile(r" *([0-9]{1,12})(?: |\Z)")
_KINDS = {"40000": Kind.FOLDER, "120000": Kind.LINK, "160000": Kind.MODULE}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree. A name that is not UTF-8 keeps its bytes by surrogate escapes."""

    mode: str
    kind: Kind
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit; `at` is the committer's time in seconds since 1970, UTC."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    at: int
    subject: str
    message: str


def parse_tree(raw: bytes, width: int) -> tuple[Entry, ...]:
    """The entries of a raw tree object whose ids are `width` bytes wide."""
    found: list[Entry] = []
    at = 0
    while at < len(raw):
        space = raw.find(b" ", at)
        end = raw.find(b"\0", space)
        if min(space, end) < 0 or end + width >= len(raw):
            raise Permanent("a tree of the repository is damaged")
        mode = raw[at:space].decode("ascii", "replace").lstrip("0")
        name = raw[space + 1 : end].decode("utf-8", "surrogateescape")
        at = end + 1 + width
        found.append(Entry(mode, _KINDS.get(mode, Kind.FILE), raw[end + 1 : at].hex(), name))
    return tuple(found)


def parse_commit(sha: str, raw: bytes) -> CommitInfo:
    """A raw commit object, whatever its writer put in it."""
    text = raw.decode("utf-8", "replace")
    head, _, message = text.partition("\n\n")
    tree, parents, author, committer = "", [], "", ""
    for line in head.split("\n"):
        key, _, value = line.partition(" ")
        match key:
            case "tree":
                tree = tree or value
            case "parent":
                parents.append(value)
            case "author":
                author = author or value
            case "committer":
                committer = committer or value
            case _:
                pass
    name, email, _ = _person(author)
    message = message.rstrip("\n")
    subject = " ".join(message.lstrip("\n").split("\n\n", 1)[0].split("\n"))
    return CommitInfo(
        sha, tree, tuple(parents), name, email, _person(committer)[2], subject, message
    )


def _person(line: str) -> tuple[str, str, int]:
    """Name, address and time of `Name <address> 1700000000 +0100`."""
    name, _, rest = line.partition("<")
    email, _, time = rest.rpartition(">")
    seconds = _SECONDS.match(time)
    return name.strip(), email.strip(), int(seconds[1]) if seconds else 0
