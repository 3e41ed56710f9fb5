"""
What an error of SQLite means to us.

Some failures (a full disk, a failed write) may undo the whole transaction that
they happen in, with everything that was grouped into it: `Lost`.
"""

from __future__ import annotations

import sqlite3

from windlass.core.errors import Bug, Conflict, Permanent, Transient, WindlassError

# Primary result codes, https://sqlite.org/rescode.html.
_PASSES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write",
    sqlite3.SQLITE_BUSY: "another program holds the database",
    sqlite3.SQLITE_LOCKED: "another program holds the database",
    sqlite3.SQLITE_NOMEM: "memory has run out",
    sqlite3.SQLITE_READONLY: "the database cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "another program holds the database",
    sqlite3.SQLITE_INTERRUPT: "the statement was interrupted",
}
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Lost(Exception):
    """The transaction is gone, and all that was grouped into it."""

    def __init__(self, error: sqlite3.Error) -> None:
        super().__init__(str(error))
        self.error = error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension; 0 when the driver itself complains."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def undoes_all(error: sqlite3.Error) -> bool:
    """Whether nothing else of the same transaction may be trusted."""
    return primary_code(error) in _PASSES.keys() | _BROKEN


def passing(error: sqlite3.Error) -> str:
    """What is wrong, when it may pass; empty when it will not."""
    return _PASSES.get(primary_code(error), "")


def translate(error: sqlite3.Error, doing: str = "") -> WindlassError:
    """The error in our words."""
    code = primary_code(error)
    where = f" ({doing})" if doing else ""
    if what := passing(error):
        return Transient(f"not stored: {what}{where}: {error}", retry_after=5.0)
    if code in _BROKEN:
        return Permanent(f"the database is damaged{where}: {error}. {repair()}")
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"it clashes with what is stored{where}: {error}")
    return Bug(f"the store was asked for something impossible{where}: {error}")


def repair(path: str = "DATABASE") -> str:
    """What to do about a damaged database."""
    return (
        "Stop Windlass, then restore a backup, or save what can be read: "
        f"sqlite3 '{path}' .recover | sqlite3 '{path}.recovered'"
    )
