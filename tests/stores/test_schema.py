"""
The schema: made whole or by revisions, it is the same.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from windlass.ports.records import RECORDS
from windlass.stores import database, schema
from windlass.stores.migrations.revisions import HEAD, REVISIONS
from windlass.stores.rows import layout
from windlass.stores.tables import metadata


def empty(path):
    """A database of ours from before the first revision."""
    path.touch()
    with closing(database.connect(path, writable=True)) as connection:
        connection.execute(f"PRAGMA application_id = {database.APPLICATION}")
    return path


def described(path):
    """Every table and index as SQLite itself describes them."""
    with closing(sqlite3.connect(path)) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: (
                connection.execute(f"PRAGMA table_info({name})").fetchall(),
                sorted(
                    (row[1], row[2], tuple(connection.execute(f"PRAGMA index_info({row[1]})")))
                    for row in connection.execute(f"PRAGMA index_list({name})")
                    if not row[1].startswith("sqlite_")
                ),
            )
            for name in names
            if name != "alembic_version"
        }


def test_a_fresh_database_equals_a_migrated_one(tmp_path):
    """Whoever comes by the revisions has the very tables of a new installation."""
    migrated = empty(tmp_path / "migrated.db")
    schema.upgrade(migrated)
    fresh = tmp_path / "fresh.db"
    database.prepare(fresh)
    assert described(migrated) == described(fresh)


def test_the_revisions_say_what_the_record_classes_say(tmp_path):
    """No field is forgotten: `tools/revision.py` would have nothing to write."""
    migrated = empty(tmp_path / "migrated.db")
    schema.upgrade(migrated)
    with schema.connected(migrated) as bind:
        context = MigrationContext.configure(bind, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata()) == []


def test_the_known_revisions_are_the_written_ones(tmp_path):
    """The list that the start trusts without Alembic is Alembic's own."""
    with schema.connected(empty(tmp_path / "any.db")) as bind:
        scripts = ScriptDirectory.from_config(schema.config(bind))
    written = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(written)) == REVISIONS
    assert scripts.get_current_head() == HEAD


def test_runs_of_earlier_replays_learn_what_they_repeat(tmp_path):
    """Also those that were there before runs said so."""
    old = empty(tmp_path / "old.db")
    schema.upgrade(old, "0002")
    with closing(sqlite3.connect(old)) as connection:

        def add(table, **known):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = [known.get(name, known["number"]) for name in columns]
            marks = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)

        for number, origin in ((1, 0), (2, 1)):
            add("event", number=number, origin=origin)
            add("run", number=number, event=number)
        add("run", number=3, event=9)
        connection.commit()
    schema.upgrade(old)
    with closing(sqlite3.connect(old)) as connection:
        found = connection.execute("SELECT number, origin FROM run ORDER BY number").fetchall()
    assert found == [(1, 0), (2, 1), (3, 0)]


def test_every_record_has_a_table():
    """One class, one table, and no two share a name."""
    assert {layout(kind).table for kind in RECORDS} == set(metadata().tables)
    assert len(metadata().tables) == len(RECORDS)


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    """All revisions of one upgrade are one transaction."""
    path = empty(tmp_path / "old.db")
    before = described(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE counter (mine TEXT)")  # collides with the last table
    with pytest.raises(OperationalError, match="counter"):
        schema.upgrade(path)
    assert set(described(path)) - set(before) == {"counter"}
