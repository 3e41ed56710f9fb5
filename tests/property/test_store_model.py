"""
Works in any order and mixture, against a model that is a few dictionaries.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from windlass.core.errors import Conflict, NotFound
from windlass.ports.records import Delivery, Repository
from windlass.stores import database
from windlass.stores.sqlite import SqliteStore
from windlass.testing.contracts.store import delivery, repository

NUMBERS = st.integers(0, 5)
STEP = st.one_of(
    st.tuples(st.just("add"), NUMBERS, NUMBERS),
    st.tuples(st.just("add_all"), NUMBERS, NUMBERS),
    st.tuples(st.just("mark"), NUMBERS, st.sampled_from(["received", "done"])),
    st.tuples(st.just("connect"), NUMBERS, NUMBERS),
    st.tuples(st.just("change"), NUMBERS, st.booleans()),
    st.tuples(st.just("count"), NUMBERS, NUMBERS),
    st.tuples(st.just("fail"), NUMBERS, NUMBERS),
)
WORKS = st.lists(st.lists(STEP, max_size=5), min_size=1, max_size=6)


class Model:
    """What the store should hold: deliveries, repositories, counters."""

    def __init__(self, other=None):
        self.deliveries = dict(other.deliveries) if other else {}
        self.repositories = dict(other.repositories) if other else {}
        self.counters = dict(other.counters) if other else {}

    def add(self, number, key):
        if number in self.deliveries:
            return False
        if str(key) in {one.delivery_key for one in self.deliveries.values()}:
            return False
        self.deliveries[number] = delivery(number, delivery_key=str(key))
        return True

    def do(self, step):
        """One step of a work: its answer, or its failure."""
        match step:
            case "add", number, key:
                return self.add(number, key)
            case "add_all", number, key:
                return [self.add(number, key), self.add(number + 1, key + 1), self.add(number, key)]
            case "mark", number, state:
                if number in self.deliveries:
                    self.deliveries[number] = replace(self.deliveries[number], state=state)
                return None
            case "connect", number, _:
                return self.repositories.setdefault(number, 0) == 0 and number
            case "change", number, stale:
                if number not in self.repositories or stale:
                    raise Conflict("")
                self.repositories[number] += 1
                return None
            case "count", number, _:
                self.counters[number] = self.counters.get(number, 0) + 1
                return self.counters[number]
        raise NotFound("")


def perform(tx, step):
    """The same step on the store."""
    match step:
        case "add", number, key:
            return tx.add(delivery(number, delivery_key=str(key)))
        case "add_all", number, key:
            pairs = [(number, key), (number + 1, key + 1), (number, key)]
            return tx.add_all([delivery(n, delivery_key=str(k)) for n, k in pairs])
        case "mark", number, state:
            if (found := tx.get(Delivery, delivery(number).id)) is not None:
                tx.save(replace(found, state=state))
            return None
        case "connect", number, _:
            tx.add(repository(str(number)))
            found = tx.get(Repository, str(number))
            return found.version == 0 and number
        case "change", number, stale:
            found = tx.get(Repository, str(number)) or repository(str(number), version=9)
            tx.save(replace(found, version=found.version + stale))
            return None
        case "count", number, _:
            return tx.next(str(number))
    raise NotFound("")


class StoreAndModel(RuleBasedStateMachine):
    """The store, the model, and the rows that are claimed."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "windlass.db"
        self.runner = asyncio.Runner()
        self.store = SqliteStore.open(self.path, synchronous="OFF")
        self.model = Model()
        self.claimed = set()

    @rule(works=WORKS)
    def works_at_once(self, works):
        """Each is all or nothing, in the order they were asked for."""
        expected = []
        for steps in works:
            tried = Model(self.model)
            try:
                expected.append([tried.do(step) for step in steps])
                self.model = tried
            except (Conflict, NotFound) as failure:
                expected.append(type(failure))

        async def ask():
            asked = [
                self.store.transaction(lambda tx, steps=steps: [perform(tx, s) for s in steps])
                for steps in works
            ]
            return await asyncio.gather(*asked, return_exceptions=True)

        found = self.runner.run(ask())
        told = [type(one) if isinstance(one, Exception) else one for one in found]
        assert told == expected

    @rule(limit=st.integers(1, 3))
    def claim(self, limit):
        """Only what waits, nothing twice, and nothing is forgotten."""
        rows = self.runner.run(self.store.claim(Delivery, 0.0, limit))
        waiting = {
            one.id for one in self.model.deliveries.values() if one.state == "received"
        } - self.claimed
        got = {row.id for row in rows}
        assert len(got) == len(rows) == min(limit, len(waiting))
        assert got <= waiting
        self.claimed |= got

    @rule()
    def release(self):
        """All claimed rows go back."""
        self.runner.run(self.store.release(Delivery, tuple(self.claimed)))
        self.claimed.clear()

    @rule()
    def restart(self):
        """What is stored stays, and claims do not."""
        self.runner.run(self.store.close())
        self.store = SqliteStore.open(self.path, synchronous="OFF")
        self.claimed.clear()

    @invariant()
    def they_agree(self):
        """A reader finds what the model holds."""
        deliveries, repositories = self.runner.run(
            self.store.read(lambda tx: (tx.find(Delivery), tx.find(Repository)))
        )
        assert {int(one.id): one for one in deliveries} == self.model.deliveries
        assert {int(one.name): one.version for one in repositories} == self.model.repositories

    def teardown(self):
        self.runner.run(self.store.close())
        self.runner.close()
        assert database.integrity(self.path) == ()
        self.folder.cleanup()


TestStoreAndModel = StoreAndModel.TestCase
TestStoreAndModel.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
