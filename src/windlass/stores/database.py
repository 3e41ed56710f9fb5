"""
The database file: made, opened, checked, brought up to date.

A new file is made complete beside its place and then moved there, so a file in
that place is always a whole database; one that is not is refused and never
replaced. What the file is, it says itself: an application id and a revision.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from windlass.core.errors import Conflict, Permanent, Transient
from windlass.stores import failures
from windlass.stores.migrations.revisions import HEAD, REVISIONS

APPLICATION = 0x57494E44  # "WIND"
BUSY = 3.0  # seconds; a forge waits five
CHECKPOINT = 8000  # pages of the WAL, 32 MiB
MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(path: Path) -> None:
    """
    Make the database, or bring it up to date.

    `Conflict` when a newer program or another program made it, `Permanent` when it is
    damaged or out of reach; the file is then left as it is.
    """
    try:
        if not path.exists():
            _make(path)
        _bring_up(path)
    except sqlite3.Error as error:
        if what := failures.passing(error):
            raise Transient(f"{path} cannot be opened now: {what} ({error})") from error
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise Permanent(f"{path} cannot be opened: {error.strerror}") from error


def connect(path: Path, *, writable: bool, synchronous: str = "FULL") -> sqlite3.Connection:
    """A connection for the thread that calls; transactions are the caller's."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY,
        isolation_level=None,
        cached_statements=512,
        check_same_thread=writable,  # readers share theirs, one thread at a time
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        if writable:
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
            connection.execute("PRAGMA journal_size_limit = 67108864")
        else:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def integrity(path: Path) -> tuple[str, ...]:
    """What SQLite finds wrong with the file, line by line; nothing when it is sound."""
    try:
        with closing(connect(path, writable=False)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        return (str(error),)
    return () if found == ["ok"] else tuple(found)


def _make(path: Path) -> None:
    """Write a complete, empty database beside `path`, flush it, and move it there."""
    from windlass.stores import schema  # noqa: PLC0415 - only a new database needs SQLAlchemy

    for suffix in ("-wal", "-journal"):
        left = path.with_name(path.name + suffix)
        if left.exists() and left.stat().st_size:
            raise _damaged(path, f"it is missing, but {left.name} is there")
    fresh = path.with_name(path.name + ".new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(connect(fresh, writable=True)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        for statement in schema.statements():
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _bring_up(path: Path) -> None:
    if not path.stat().st_size:
        raise _damaged(path, "it is empty")
    with closing(connect(path, writable=True)) as connection:
        revision = _revision(connection, path)
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise Permanent(f"{path}: this file system does not carry SQLite's WAL mode")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if revision == HEAD:
        return
    if revision not in REVISIONS:
        raise Conflict(
            f"{path} was written by a newer Windlass: its schema is {revision}, "
            f"and this program knows schemas up to {HEAD}",
            hint="install the newer Windlass again, or restore a backup from before the upgrade",
            code="newer-database",
        )
    from windlass.stores import schema  # noqa: PLC0415 - Alembic is slow to import

    schema.upgrade(path)


def _revision(connection: sqlite3.Connection, path: Path) -> str:
    """The revision that the file says; a file that is not ours is refused."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    rows: list[tuple[str]] = []
    with suppress(sqlite3.OperationalError):
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    if application != APPLICATION or len(rows) != 1:
        raise Conflict(
            f"{path} is a database, but none of Windlass",
            hint="name another data folder, or move the file away",
            code="foreign-database",
        )
    return rows[0][0]


def _damaged(path: Path, why: str) -> Permanent:
    return Permanent(f"{path} cannot be used: {why}. {failures.repair(str(path))}")
