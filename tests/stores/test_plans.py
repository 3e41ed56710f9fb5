"""
What SQLite walks over to answer: only rows that fit, however many there are of the others.

A new question about what grows with every event belongs into this list.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from windlass.ports.records import Delivery, StoredEffect, StoredEvent, StoredRun, StoredVerdict
from windlass.ports.store import Above, Below
from windlass.stores import database
from windlass.stores.rows import layout
from windlass.stores.statements import conditions, find

# What is asked, and the columns that an index must narrow it by.
QUESTIONS = [
    (StoredRun, {"repository": "r", "sha": "s"}, "-number", "sha"),
    (StoredRun, {"repository": "r", "status_sha": "s"}, "number", "status_sha"),
    (StoredRun, {"repository": "r", "pull_request": 7}, "-number", "repository pull_request"),
    (StoredRun, {"repository": "r", "state": "failed"}, "", "repository state"),
    (StoredRun, {"repository": "r", "state": "failed"}, "-number", "repository state"),
    (StoredRun, {"repository": "r"}, "-number", "repository"),
    (StoredRun, {"state": ("running", "held")}, "number", "state"),
    (StoredRun, {"concurrency": "g", "state": ("running",)}, "number", "concurrency state"),
    (StoredRun, {"event": 1, "cause": "c"}, "number", "event"),
    (StoredEvent, {"repository": "r", "sha": "s"}, "-number", "repository sha"),
    (
        StoredEvent,
        {"repository": "r", "sha": "s", "number": Below(9)},
        "-number",
        "repository sha",
    ),
    (
        StoredEvent,
        {"repository": "r", "sha": "s", "recovered": (True,)},
        "",
        "repository sha recovered",
    ),
    (StoredEvent, {"repository": "r", "pull_request": 7}, "-number", "repository pull_request"),
    (StoredEvent, {"repository": "r", "number": Below(9)}, "-number", "repository"),
    (StoredEvent, {"delivery": ("a", "b"), "position": 0}, "number", "delivery position"),
    (StoredVerdict, {"event": (1, 2)}, "", "event"),
    (Delivery, {"endpoint": "e", "delivery_key": "k"}, "", "endpoint delivery_key"),
    (Delivery, {"repository": "r", "source": "webhook"}, "-id", "repository"),
    (Delivery, {"origin": "d"}, "id", "origin"),
    (Delivery, {"state": "received", "repository": "r"}, "due_at", "state repository"),
    (Delivery, {"state": "failed", "id": Above("d")}, "id", "state"),
    (StoredEffect, {"state": "pending", "due_at": Below(9.0)}, "due_at", "state"),
    (StoredEffect, {"state": "failed"}, "", "state"),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    """A new database, which SQLite knows nothing of but its indexes."""
    path = tmp_path_factory.mktemp("plans") / "new.db"
    database.prepare(path)
    with closing(sqlite3.connect(path)) as opened:
        yield opened


def plan(connection, kind, where, order):
    """What SQLite would do, in its words."""
    shape, values = conditions(where)
    text = f"EXPLAIN QUERY PLAN {find(layout(kind), shape, order)} LIMIT 1"
    return [row[3] for row in connection.execute(text, values)]


@pytest.mark.parametrize(("kind", "where", "order", "by"), QUESTIONS)
def test_what_grows_is_asked_by_an_index(connection, kind, where, order, by):
    """Equal to every column that narrows it; nothing is looked through from end to end."""
    search, *_ = plan(connection, kind, where, order)
    assert search.startswith("SEARCH ")
    assert all(f"{column}=?" in search for column in by.split()), search


@pytest.mark.parametrize("order", ["-number", "-id"])
def test_the_newest_of_a_repository_are_not_sorted(connection, order):
    """A list shows a page, and reads no more than that."""
    kind = Delivery if order == "-id" else StoredRun
    assert len(plan(connection, kind, {"repository": "r"}, order)) == 1
