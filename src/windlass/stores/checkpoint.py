"""
Moving what was written ahead into the database, beside the writer.

SQLite would do it in the writer's thread, all at once, with everybody waiting.
Done here a little after each burst, there is next to nothing left when the
writer's own turn comes, and its turn begins the log anew.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress

PAUSE = 0.2  # seconds from a commit to the next look


class Checkpoints:
    """A thread that sleeps until something is committed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Start; `connect` is called on the thread."""
        self._connect = connect
        self._due = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-checkpoint", daemon=True)
        self._thread.start()

    def due(self) -> None:
        """Something was committed; from any thread, costs nothing."""
        self._due.set()

    def close(self) -> None:
        """End; blocks until the thread is gone."""
        self._end.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while self._due.wait() and not self._end.wait(PAUSE):
            self._due.clear()
            with suppress(sqlite3.Error):  # the writer will meet it too, and say so
                connection = connection or self._connect()
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
