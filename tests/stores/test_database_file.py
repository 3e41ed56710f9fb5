"""
The file: a whole database or none, never replaced, never guessed at.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from windlass.core.errors import Conflict, Permanent, Transient
from windlass.stores import database, schema
from windlass.stores.migrations.revisions import HEAD


@pytest.fixture
def path(tmp_path):
    return tmp_path / "windlass.db"


def change(path, *texts):
    """Change the database behind its back."""
    with closing(sqlite3.connect(path)) as connection:
        for text in texts:
            connection.execute(text)
        connection.commit()


def test_a_new_database_is_whole_and_private(path):
    """It is ours, of today's schema, in WAL mode, and nobody else may read it."""
    database.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        read = [
            connection.execute(text).fetchone()[0]
            for text in (
                "PRAGMA application_id",
                "PRAGMA journal_mode",
                "SELECT version_num FROM alembic_version",
            )
        ]
    assert read == [database.APPLICATION, "wal", HEAD]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [left.name for left in path.parent.iterdir()] == ["windlass.db"]


def test_what_an_interrupted_start_left_is_no_obstacle(path):
    """A half-made file beside the place is thrown away."""
    path.with_name("windlass.db.new").write_bytes(b"half")
    path.with_name("windlass.db.new-wal").write_bytes(b"half")
    database.prepare(path)
    assert database.integrity(path) == ()


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_refused_and_kept(path, content):
    """With the way to repair it; it is not replaced by a fresh one."""
    path.write_bytes(content)
    with pytest.raises(Permanent, match=r"restore a backup.*\.recover"):
        database.prepare(path)
    assert path.read_bytes() == content


def test_a_file_cut_short_is_refused_and_kept(path):
    """A database that lost its end is not opened as if nothing had happened."""
    database.prepare(path)
    data = path.read_bytes()[:8192]
    path.write_bytes(data)
    with pytest.raises(Permanent, match="recover"):
        database.prepare(path)
    assert path.read_bytes() == data


def test_a_missing_file_with_its_log_is_refused(path):
    """The log of a lost database is not buried under a fresh one."""
    path.with_name("windlass.db-wal").write_bytes(b"frames")
    with pytest.raises(Permanent, match="missing"):
        database.prepare(path)
    assert not path.exists()


@pytest.mark.parametrize(
    "texts",
    [
        ["CREATE TABLE other (a)"],
        ["CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('1')"],
        [f"PRAGMA application_id = {database.APPLICATION}", "CREATE TABLE other (a)"],
    ],
)
def test_a_foreign_database_is_refused_and_kept(path, texts):
    """Somebody else's file is not touched."""
    change(path, *texts)
    before = path.read_bytes()
    with pytest.raises(Conflict, match="none of Windlass"):
        database.prepare(path)
    assert path.read_bytes() == before


def test_a_newer_database_is_refused_with_a_clear_text(path):
    """An older program does not touch what it does not know."""
    database.prepare(path)
    change(path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match=r"newer Windlass.*9999") as refused:
        database.prepare(path)
    assert refused.value.code == "newer-database"


def test_a_start_on_a_ready_database_is_light(path):
    """Neither Alembic nor SQLAlchemy is imported when there is nothing to change."""
    database.prepare(path)
    program = (
        "import sys; from pathlib import Path; from windlass.stores.sqlite import SqliteStore; "
        f"SqliteStore.open(Path({str(path)!r})); "
        "sys.exit(bool({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_older_database_is_brought_up(path, monkeypatch):
    """By Alembic, once, and what is in it stays."""
    database.prepare(path)
    change(path, "INSERT INTO counter (name, value) VALUES ('a', 7)")
    monkeypatch.setattr(database, "REVISIONS", (HEAD, "9999"))
    monkeypatch.setattr(database, "HEAD", "9999")
    upgraded = []
    monkeypatch.setattr(schema, "upgrade", upgraded.append)
    database.prepare(path)
    assert upgraded == [path]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value FROM counter").fetchone() == (7,)


def test_a_file_that_cannot_be_made_is_told(tmp_path):
    """By its name; no exception of the system comes out."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "windlass.db", tmp_path / "none" / "windlass.db"):
        with pytest.raises(Permanent, match=r"windlass.db cannot be opened"):
            database.prepare(path)


def test_a_database_that_another_program_holds_is_told(path, monkeypatch):
    """After a bounded wait, as something that passes."""
    monkeypatch.setattr(database, "BUSY", 0.05)
    database.prepare(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO counter (name, value) VALUES ('a', 1)")
        with pytest.raises(Transient, match="another program holds"):
            database.prepare(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="does not apply: root may read everything")
def test_a_file_that_cannot_be_read_is_told(path):
    """The owner is wrong: said, and left alone."""
    database.prepare(path)
    path.chmod(0)
    with pytest.raises(Exception, match=r"cannot be opened|unable to open"):
        database.prepare(path)
