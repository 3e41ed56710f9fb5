"""
The SQL of the store, as text.

Each text is made once for a (layout, operation) and then goes to the
driver as it is. It is what SQLite and PostgreSQL both understand, but for `Without`,
which only claims in memory need; the mark of a parameter differs. Names come from
record classes alone, never from input.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from windlass.core.errors import Bug
from windlass.ports.store import Above, Below, Scalar, Wanted, Without
from windlass.stores.rows import Layout

# A condition's shape: its column, its operator, and how many values it takes.
Shape = tuple[tuple[str, str, int], ...]


@cache
def insert(of: Layout[object], mark: str = "?", rows: int = 1) -> str:
    """Insert so many rows; a row that exists already is passed over."""
    values = "(" + ", ".join([mark] * len(of.names)) + ")"
    return (
        f'INSERT INTO "{of.table}" ({_names(of.names)}) '  # noqa: S608 - names of record classes
        f"VALUES {', '.join([values] * rows)} ON CONFLICT DO NOTHING"
    )


@cache
def get(of: Layout[object], mark: str = "?") -> str:
    """The row with a key."""
    where = " AND ".join(f'"{name}" = {mark}' for name in of.key)
    return f'SELECT {_names(of.names)} FROM "{of.table}" WHERE {where}'  # noqa: S608 - the same


@cache
def update(of: Layout[object], mark: str = "?") -> str:
    """Write over the row with a key and a version: all values, then key, then version."""
    sets = ", ".join(f'"{name}" = {mark}' for name in of.names)
    where = " AND ".join(f'"{name}" = {mark}' for name in (*of.key, "version"))
    return f'UPDATE "{of.table}" SET {sets} WHERE {where}'  # noqa: S608 - the same


@cache
def upsert(of: Layout[object], mark: str = "?") -> str:
    """Insert the row, or write over the one with its key."""
    values = ", ".join([mark] * len(of.names))
    rest = [name for name in of.names if name not in of.key]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return (
        f'INSERT INTO "{of.table}" ({_names(of.names)}) VALUES ({values}) '  # noqa: S608 - the same
        f"ON CONFLICT ({_names(of.key)}) DO UPDATE SET {sets}"
    )


@cache
def count(mark: str = "?") -> str:
    """Raise a counter by one, and tell its value."""
    return (
        f'INSERT INTO "counter" ("name", "value") VALUES ({mark}, 1) '  # noqa: S608 - the same
        'ON CONFLICT ("name") DO UPDATE SET "value" = "counter"."value" + 1 RETURNING "value"'
    )


@cache
def find(of: Layout[object], shape: Shape, order: str, mark: str = "?") -> str:
    """Rows that meet the conditions."""
    clauses = [_clause(of, name, operator, size, mark) for name, operator, size in shape]
    text = f'SELECT {_names(of.names)} FROM "{of.table}"'  # noqa: S608 - the same
    if clauses:
        text += " WHERE " + " AND ".join(clauses)
    if order:
        column = _known(of, order.removeprefix("-"))
        text += f' ORDER BY "{column}"' + (" DESC" if order.startswith("-") else "")
    return text


def conditions(where: Mapping[str, Wanted]) -> tuple[Shape, list[Scalar]]:
    """The shape of what is wanted, and the values to put in."""
    shape: list[tuple[str, str, int]] = []
    values: list[Scalar] = []
    for name, wanted in where.items():
        match wanted:
            case None:
                shape.append((name, "IS NULL", 0))
            case Below(value):
                shape.append((name, "<", 1))
                values.append(value)
            case Above(value):
                shape.append((name, ">", 1))
                values.append(value)
            case Without(some):
                shape.append((name, "NOT IN", 1))
                values.append(json.dumps(some))
            case tuple():
                shape.append((name, "IN", len(wanted)))
                values.extend(wanted)
            case _:
                shape.append((name, "=", 1))
                values.append(wanted)
    return tuple(shape), values


def _clause(of: Layout[object], name: str, operator: str, size: int, mark: str) -> str:
    column = f'"{_known(of, name)}"'
    match operator:
        case "IS NULL":
            return f"{column} IS NULL"
        case "NOT IN":
            # One value however many they are, so that the text stays the same.
            return f"{column} NOT IN (SELECT value FROM json_each({mark}))"  # noqa: S608 - the same
        case "IN":
            return f"{column} IN ({', '.join([mark] * size)})" if size else "1 = 0"
        case _:
            return f"{column} {operator} {mark}"


def _known(of: Layout[object], name: str) -> str:
    if name not in of.names:
        raise Bug(f"{of.kind.__name__} has no field {name!r}; it has {', '.join(of.names)}")
    return name


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
