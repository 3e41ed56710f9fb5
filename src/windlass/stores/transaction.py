"""
`SqliteTx`: one transaction, on one connection of SQLite.

It speaks to the driver directly. The first write of a grouped transaction sets a
savepoint, so that the group survives when this one is taken back. A transaction
that is over refuses everything, so one that was kept by mistake does no harm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

from windlass.core.errors import Bug, Conflict
from windlass.ports.store import Scalar, Wanted
from windlass.stores import statements
from windlass.stores.failures import Lost, translate, undoes_all
from windlass.stores.rows import Layout, Row, layout

R = TypeVar("R")

# The largest whole number of a column.
LARGEST = 2**63 - 1
# How many rows one statement inserts; a few sizes, so that their texts are reused.
CHUNKS = (64, 32, 16, 8, 4, 2, 1)


class SqliteTx:
    """`ports.store.Tx` on a connection whose BEGIN and COMMIT are the caller's."""

    __slots__ = ("_connection", "_grouped", "_saved", "_writable", "lost")

    def __init__(
        self, connection: sqlite3.Connection, *, writable: bool, grouped: bool = False
    ) -> None:
        self._connection: sqlite3.Connection | None = connection
        self._writable = writable
        self._grouped = grouped
        self._saved = False
        self.lost: Lost | None = None

    def get(self, kind: type[R], *key: Scalar) -> R | None:
        """The record with this key."""
        of = layout(kind)
        if len(key) != len(of.key):
            raise Bug(f"the key of {kind.__name__} is {of.key}, not {len(key)} values")
        if any(isinstance(part, int) and abs(part) > LARGEST for part in key):
            return None  # anyone may ask for such a number; no record can have it
        row = self._run(statements.get(of), key).fetchone()
        return None if row is None else of.unpack(row)

    def find(self, kind: type[R], *, order: str = "", limit: int = 0, **where: Wanted) -> list[R]:
        """Records that meet every condition."""
        shape, values = statements.conditions(where)
        of = layout(kind)
        text = statements.find(of, shape, order)
        if limit:
            text += f" LIMIT {int(limit)}"
        return [of.unpack(row) for row in self._run(text, tuple(values)).fetchall()]

    def add(self, record: object) -> bool:
        """Insert; False when its key or a unique set exists."""
        of = layout(type(record))
        return self._write(statements.insert(of), of.pack(record)) == 1

    def add_all(self, records: Sequence[object]) -> list[bool]:
        """Insert many of one class, in few statements; for each, whether it was new."""
        if not records:
            return []
        of = layout(type(records[0]))
        rows = [of.pack(record) for record in records]
        added: list[bool] = []
        while left := len(rows) - len(added):
            size = next(size for size in CHUNKS if size <= left)
            added += self._insert(of, rows[len(added) : len(added) + size])
        return added

    def save(self, record: object) -> None:
        """Write over the record with its key; `Conflict` when the version moved on."""
        of = layout(type(record))
        row = of.pack(record)
        if not of.versioned:
            self._write(statements.upsert(of), row)
            return
        place = of.names.index("version")
        version = row[place]
        raised = (*row[:place], int(version or 0) + 1, *row[place + 1 :])
        key = of.key_values(record)
        if self._write(statements.update(of), (*raised, *key, version)) != 1:
            name = "/".join(map(str, key))
            raise Conflict(
                f"{of.table} {name} was changed by someone else in the meantime",
                hint="read it again and repeat what you wanted",
                code="changed-meanwhile",
            )

    def next(self, counter: str) -> int:
        """The next number of this counter, from 1."""
        self._before_write()
        (value,) = self._run(statements.count(), (counter,)).fetchall()[0]
        return int(value)

    def keep(self) -> None:
        """Leave what was done to the COMMIT of the group."""
        self._leave("RELEASE work")

    def undo(self) -> None:
        """Take back what was done, and nothing else of the group."""
        self._leave("ROLLBACK TO work", "RELEASE work")

    def _insert(self, of: Layout[object], rows: list[Row]) -> list[bool]:
        """Insert these rows at once; when some exist already, one by one, to know which."""
        if len(rows) == 1:
            return [self._write(statements.insert(of), rows[0]) == 1]
        self._before_write()
        self._run("SAVEPOINT chunk", ())
        text = statements.insert(of, rows=len(rows))
        all_new = self._run(text, tuple(chain.from_iterable(rows))).rowcount == len(rows)
        if not all_new:
            self._run("ROLLBACK TO chunk", ())
        self._run("RELEASE chunk", ())
        if all_new:
            return [True] * len(rows)
        return [self._write(statements.insert(of), row) == 1 for row in rows]

    def _leave(self, *texts: str) -> None:
        if self._saved:
            for text in texts:
                self._run(text, ())
        self._connection = None

    def _before_write(self) -> None:
        if not self._writable:
            raise Bug("a transaction for reading was asked to write")
        if self._grouped and not self._saved:
            self._run("SAVEPOINT work", ())
            self._saved = True

    def _write(self, text: str, row: Row) -> int:
        self._before_write()
        return self._run(text, row).rowcount

    def _run(self, text: str, values: Row) -> sqlite3.Cursor:
        if self.lost is not None:
            raise self.lost
        if self._connection is None:
            raise Bug("this transaction is over")
        try:
            return self._connection.execute(text, values)
        except sqlite3.Error as error:
            if not undoes_all(error) and (self._connection.in_transaction or not self._writable):
                raise translate(error, text) from error
            self.lost = Lost(error)
            raise self.lost from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise Bug(f"a value does not fit the database: {error} ({text})") from error
