"""
A fact becomes the next state and its effects, in one transaction.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core import run as rules
from windlass.core.errors import Bug
from windlass.core.run import ENDED, Fact
from windlass.engine import effects
from windlass.ports.records import StoredFact, StoredRun
from windlass.ports.store import Tx


def advance(tx: Tx, number: int, fact: Fact, key: str, now: float) -> StoredRun:
    """
    Take a fact in, once per `key`, and return the run as it is after it.

    An empty key is for facts that may come again because they say how things are now.
    """
    stored = tx.get(StoredRun, number)
    if stored is None:
        raise Bug(f"a fact came for run {number}, which does not exist")
    if key and not tx.add(StoredFact(id=key, run=number, kind=type(fact).__name__, at=now)):
        return stored
    run, wanted = rules.advance(stored.run, fact)
    if run is stored.run:
        return stored
    after = replace(
        stored,
        run=run,
        state=run.state,
        ended_at=run.ended_at if run.state in ENDED else None,
    )
    tx.save(after)
    effects.write(tx, after, wanted, now)
    return replace(after, version=after.version + 1)
