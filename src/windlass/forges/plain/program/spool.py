"""
The spool: what was pushed or done and is not yet made into webhooks.

One file is one push or one act, in lines. The hook writes `*.push` without any
program's help, so the lines are plain words:

    by NAME                  who, as a server in front of Git says
    option KEY=VALUE         a push option
    ref OLD NEW REF          one ref that moved
    merged N METHOD · closed N · approved N SHA        (only in `*.act`)

Order and identity come from the file: its time, its name, its owner.
"""

from __future__ import annotations

import hashlib
import os
import pwd

from windlass.forges.plain.program.folder import Folder

SUFFIXES = (".push", ".act")
SHA = frozenset("0123456789abcdef")


class Entry:
    """One spooled push or act."""

    def __init__(self, path: str, shape: os.stat_result) -> None:
        self.path = path
        self.name = os.path.basename(path)
        self.at_ns = shape.st_mtime_ns
        self.user = _user_of(shape.st_uid)
        self.by = self.user
        self.options: dict[str, str] = {}
        self.refs: list[tuple[str, str, str]] = []
        self.acts: list[list[str]] = []

    @property
    def at(self) -> float:
        """When it was spooled, in UTC seconds."""
        return self.at_ns / 1e9

    def identity(self, index: int) -> str:
        """The id of its nth webhook: the same however often it is made."""
        whole = f"{self.name} {self.at_ns} {index}"
        return "msg_" + hashlib.sha256(whole.encode()).hexdigest()[:32]

    def read(self, content: str) -> None:
        """Take in its lines; ValueError when one is not understood."""
        # Not splitlines: a title may hold U+2028, and must not become two lines.
        for line in content.rstrip("\n").split("\n"):
            word, _, rest = line.partition(" ")
            if word == "ref":
                old, new, ref = rest.split(" ", 2)
                if not (SHA.issuperset(old + new) and ref.startswith("refs/")):
                    raise ValueError(line)
                self.refs.append((old, new, ref))
            elif word == "option":
                key, _, value = rest.partition("=")
                self.options[key] = value
            elif word == "by":
                self.by = rest
            elif word in {"merged", "closed", "approved"} and self.name.endswith(".act"):
                self.acts.append([word, *rest.split(" ")])
            else:
                raise ValueError(line)


def waiting(folder: Folder) -> list[str]:
    """The paths of what is spooled, oldest first."""
    try:
        names = os.listdir(folder.path("spool"))
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        if name.endswith(SUFFIXES) and not name.startswith("."):
            path = folder.path("spool", name)
            try:
                found.append((os.stat(path).st_mtime_ns, path))
            except FileNotFoundError:
                continue
    return [path for _, path in sorted(found)]


def load(path: str) -> Entry:
    """One spooled file; ValueError when it is not understood."""
    with open(path, "rb") as file:
        entry = Entry(path, os.fstat(file.fileno()))
        entry.read(file.read().decode("utf-8", "surrogateescape"))
    return entry


def add(folder: Folder, lines: list[str]) -> str:
    """Spool an act; it is on disk when this returns its path."""
    path = folder.path("spool", f"{os.getpid()}-{os.urandom(8).hex()}.act")
    folder.write(path, "".join(f"{line}\n" for line in lines).encode(), durable=True)
    return path


def _user_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
