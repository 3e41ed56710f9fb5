"""
Commits of the state repository, spelled for git and read back.

Pure: bytes for `git fast-import` on the way in, the output of `git log` on the
way out. Paths, names and trailers are checked here, so that none of them can
become a command, a `.git` folder or a second trailer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from windlass.core.errors import UserError

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>\ud800-\udfff]+")
_FORBIDDEN = {"", ".", ".."}


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit, and when in seconds since 1970, UTC."""

    name: str
    email: str
    at: int


@dataclass(frozen=True, slots=True)
class StateCommit:
    """One commit of the state repository; `body` has the trailers too."""

    FORMAT: ClassVar[str] = (
        "--format=%H%x00%an%x00%ae%x00%at%x00%s%x00%b%x00%(trailers:only,unfold,separator=%x01)"
    )

    sha: str
    author: Signature
    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]

    @property
    def at(self) -> int:
        """When it was made, in seconds since 1970, UTC."""
        return self.author.at


def check_path(path: str) -> str:
    """The same path; UserError when it is no place for a file in a repository."""
    parts = path.split("/")
    if (
        _CONTROL.search(path)
        or _FORBIDDEN.intersection(parts)
        or any(_is_git(part) for part in parts)
    ):
        raise UserError(
            f"{path!a} is not a path in the state repository",
            hint="use names separated by '/', without '..', '.git' or control characters",
            code="state-path",
        )
    return path


def check_trailer(key: str, value: str) -> str:
    """The same value; UserError when key and value do not make exactly one trailer line."""
    if not _KEY.fullmatch(key) or not value.strip() or _CONTROL.search(value):
        raise UserError(f"{key!a}: {value!a} is not a trailer", code="state-trailer")
    if value != value.strip():
        raise UserError(f"the trailer {key} has space around its value", code="state-trailer")
    return value


def script(
    ref: str,
    changes: Mapping[str, bytes | None],
    message: str,
    *,
    parent: str | None,
    author: Signature,
) -> bytes:
    """What `git fast-import` reads to make one commit on `ref` and print its id."""
    who = f"{_name(author.name)} <{_name(author.email)}> {author.at} +0000"
    lines = [
        b"feature done",
        f"commit {ref}".encode(),
        b"mark :1",
        f"author {who}".encode(),
        f"committer Windlass <windlass@localhost> {author.at} +0000".encode(),
        _data(message.replace("\0", " ").encode("utf-8", "replace")),
    ]
    if parent:
        lines.append(f"from {parent}".encode())
    # Removals first: a file may make way for a folder of its name.
    for path, content in sorted(changes.items(), key=lambda change: change[1] is not None):
        where = _quoted(check_path(path))
        if content is None:
            lines.append(b"D " + where)
        else:
            lines += [b"M 100644 inline " + where, _data(content)]
    return b"\n".join((*lines, b"", b"get-mark :1", b"done", b""))


def parse_log(raw: bytes) -> tuple[StateCommit, ...]:
    """The commits in the output of `git log -z` with `StateCommit.FORMAT`."""
    fields = raw.decode("utf-8", "replace").split("\0")
    return tuple(
        StateCommit(
            sha,
            Signature(name, email, int(at)),
            subject,
            body.rstrip("\n"),
            tuple(
                (key, value)
                for key, _, value in (t.partition(": ") for t in trailers.split("\1"))
                if key
            ),
        )
        for sha, name, email, at, subject, body, trailers in zip(
            *(fields[number : len(fields) - 1 : 7] for number in range(7)), strict=True
        )
    )


def _data(content: bytes) -> bytes:
    return b"data %d\n%s" % (len(content), content)


def _quoted(path: str) -> bytes:
    return b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _name(text: str) -> str:
    """A name as git can store it."""
    return " ".join(_NOT_IN_NAMES.sub(" ", text).split()) or "unknown"


def _is_git(part: str) -> bool:
    """Whether some file system takes this name for `.git`."""
    return part.casefold().rstrip(". ") in {".git", "git~1"}
