"""
The schema, made from the record classes.

One class is one table, one field one column. A column takes its field's default
in the database too, so that a program from before the column still writes rows.
Only making or changing a database needs this module; serving one does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TextClause,
    text,
)

from windlass.ports.records import RECORDS
from windlass.ports.store import Scalar
from windlass.stores import rows
from windlass.stores.rows import Record, Storage, layout

TYPES: Mapping[Storage, Text | BigInteger | Double[float] | Boolean | LargeBinary] = {
    Storage.TEXT: Text(),
    # In SQLite only INTEGER makes a primary key the row's own number.
    Storage.INTEGER: BigInteger().with_variant(Integer(), "sqlite"),
    Storage.REAL: Double(),
    Storage.BOOLEAN: Boolean(),
    Storage.BYTES: LargeBinary(),
    Storage.JSON: Text(),
}


@cache
def metadata() -> MetaData:
    """Every table, with its keys and indexes."""
    found = MetaData()
    for kind in RECORDS:
        _table(kind, found)
    return found


def _table(kind: type[Record], into: MetaData) -> Table:
    of = layout(kind)
    table = Table(of.table, into, *(_column(column, of.key) for column in of.columns))
    for names in kind.UNIQUE:
        Index("_".join(("uq", of.table, *names)), *(table.c[name] for name in names), unique=True)
    for names in kind.INDEXES:
        Index("_".join(("ix", of.table, *names)), *(table.c[name] for name in names))
    return table


def _column(column: rows.Column, key: tuple[str, ...]) -> Column[object]:
    return Column(
        column.name,
        TYPES[column.storage],
        primary_key=column.name in key,
        nullable=column.nullable,
        autoincrement=False,
        server_default=_default(column.default),
    )


def _default(value: Scalar) -> TextClause | None:
    """The default as SQL; PostgreSQL and SQLite agree on these words."""
    match value:
        case None | bytes():
            return None
        case bool():
            return text("true" if value else "false")
        case int() | float():
            return text(str(value))
        case _:
            return text("'" + value.replace("'", "''") + "'")
