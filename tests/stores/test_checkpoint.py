"""
The log is moved into the database beside the writer.
"""

from __future__ import annotations

import threading

import pytest

from windlass.stores import checkpoint, database
from windlass.stores.checkpoint import Checkpoints
from windlass.stores.transaction import SqliteTx
from windlass.testing.contracts.store import audit


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "PAUSE", 0.001)
    database.prepare(tmp_path / "windlass.db")
    return tmp_path / "windlass.db"


def test_what_was_committed_is_moved(path):
    """Soon after, without anybody waiting for it."""
    moved = threading.Event()

    class Watched:
        """A connection that tells what it was asked."""

        def __init__(self):
            self.inner = database.connect(path, writable=True)

        def execute(self, text):
            found = self.inner.execute(text).fetchall()
            if "wal_checkpoint" in text and found[0][1] == found[0][2] > 0:
                moved.set()
            return self.inner.execute("SELECT 1")

        def close(self):
            self.inner.close()

    writing = database.connect(path, writable=True)
    checkpoints = Checkpoints(Watched)
    writing.execute("BEGIN IMMEDIATE")
    SqliteTx(writing, writable=True).add(audit(1))
    writing.execute("COMMIT")
    checkpoints.due()
    assert moved.wait(30)
    checkpoints.close()
    writing.close()


def test_it_ends_whether_or_not_there_was_anything_to_do(path):
    """Nobody waits for it, and a connection that cannot be made does no harm."""

    def broken():
        raise database.sqlite3.OperationalError("no")

    for due in (False, True):
        checkpoints = Checkpoints(broken)
        if due:
            checkpoints.due()
        checkpoints.close()
        assert not checkpoints._thread.is_alive()
