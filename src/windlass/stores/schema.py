"""
Making and changing the schema, with SQLAlchemy and Alembic.

Apart from `database`, so that a program whose database is up to date imports neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from windlass.stores.database import MIGRATIONS, connect
from windlass.stores.migrations.revisions import HEAD
from windlass.stores.tables import metadata


def statements() -> tuple[str, ...]:
    """The whole schema of today for SQLite, and the mark that it is today's."""
    dialect = sqlite.dialect()
    found = []
    for table in metadata().sorted_tables:
        found.append(str(CreateTable(table).compile(dialect=dialect)))
        found += [
            str(CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    return (
        *found,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        f"INSERT INTO alembic_version VALUES ('{HEAD}')",  # noqa: S608 - our own constant
    )


def upgrade(path: Path, to: str = "head") -> None:
    """Bring the file to a revision, in one transaction."""
    with connected(path) as connection:
        command.upgrade(config(connection), to)


def config(connection: Connection) -> Config:
    """Alembic's view of our revisions on this connection."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found


@contextmanager
def connected(path: Path) -> Iterator[Connection]:
    """A connection of SQLAlchemy in one transaction that is ours, kept when nothing fails."""
    engine = create_engine(
        "sqlite://", creator=lambda: connect(path, writable=True), poolclass=NullPool
    )
    event.listen(engine, "begin", lambda found: found.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        yield connection
