"""
The store in SQLite: what it promises beyond the contract.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from windlass.core.errors import Bug, Conflict, NotFound, Permanent, Transient
from windlass.ports.records import Audit, Delivery, Repository
from windlass.stores import database
from windlass.stores.sqlite import SqliteStore
from windlass.testing.contracts.store import audit, delivery, repository


def scene(path, test):
    """Run an async test on an open store."""

    async def whole():
        async with SqliteStore.open(path / "windlass.db") as store, asyncio.timeout(60):
            return await test(store)

    return asyncio.run(whole())


def numbers(path):
    """The audit's numbers, as another program reads them."""
    with closing(sqlite3.connect(path / "windlass.db")) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM audit ORDER BY number")]


def blocked(store):
    """Hold the writer in a work until the event is set."""
    gate, inside = threading.Event(), threading.Event()

    def work(tx):
        inside.set()
        assert gate.wait(30)

    return gate, inside, asyncio.create_task(store.transaction(work))


async def group(store, *works):
    """Run works so that they share one BEGIN and one COMMIT."""
    gate, inside, first = blocked(store)
    await asyncio.to_thread(inside.wait, 30)
    rest = [asyncio.create_task(store.transaction(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


def test_it_writes_ahead_and_flushes_fully(tmp_path):
    """WAL, synchronous=FULL, foreign keys, a bounded wait: on the very connection that writes."""

    async def test(store):
        def look(tx):
            connection = tx._connection
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await store.transaction(look) == ["wal", 2, 1, 3000]

    scene(tmp_path, test)


def test_what_waits_shares_a_commit(tmp_path):
    """The fuller the queue, the larger the group."""

    async def test(store):
        before = await store.transaction(lambda tx: tx.next("commits")) and await store.wake(0)
        await group(store, *(lambda tx, n=n: tx.add(audit(n)) for n in range(100)))
        assert await store.wake(before) == before + 1
        assert await store.transaction(lambda tx: len(tx.find(Audit))) == 100

    scene(tmp_path, test)


def test_one_of_a_group_fails_alone(tmp_path):
    """Its savepoint is rolled back, whatever kind of failure it was."""

    def fails(error):
        def work(tx):
            tx.add(audit(50))
            raise error

        return work

    async def test(store):
        found = await group(
            store,
            lambda tx: tx.add(audit(1)),
            fails(NotFound("no")),
            fails(StopIteration()),
            fails(KeyError("k")),
            fails(RecursionError()),
            lambda tx: tx.get(Delivery, "too", "many"),
            lambda tx: tx.add(audit(10**30)),
            lambda tx: tx.add(audit(2)),
        )
        kinds = [type(one) for one in found]
        assert kinds == [bool, NotFound, Bug, KeyError, RecursionError, Bug, Bug, bool]

    scene(tmp_path, test)
    assert numbers(tmp_path) == [1, 2]


def full(store):
    """Let the database grow no further, as on a full disk; returns how to end it."""

    async def limit(pages):
        def work(tx):
            (now,) = tx._connection.execute("PRAGMA page_count").fetchone()
            size = now if pages is None else pages
            tx._connection.execute(f"PRAGMA max_page_count = {size}").fetchall()

        await store.transaction(work)

    return limit


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_full_disk_fails_the_whole_group_and_passes(tmp_path, swallowed):
    """Nothing of it is acknowledged or stored, even if a work hides it; then it goes on."""

    def large(tx):
        try:
            tx.add(audit(2, detail="x" * 1_000_000))
        except Exception:
            if not swallowed:
                raise

    async def test(store):
        limit = full(store)
        await limit(None)
        found = await group(store, lambda tx: tx.add(audit(1)), large, lambda tx: tx.add(audit(3)))
        assert [type(one) for one in found] == [Transient] * 3
        assert "full" in str(found[0])
        assert len({id(one) for one in found}) == 3
        assert await store.read(lambda tx: tx.find(Audit)) == []
        await limit(10**6)
        assert await store.transaction(lambda tx: tx.add(audit(4)))

    scene(tmp_path, test)
    assert numbers(tmp_path) == [4]


def test_another_program_that_holds_the_database_is_waited_for(tmp_path, monkeypatch):
    """Not for ever: `Transient`, and afterwards all is well."""
    monkeypatch.setattr(database, "BUSY", 0.05)

    async def test(store):
        await store.transaction(lambda tx: tx.add(audit(1)))
        with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Transient):
                await store.transaction(lambda tx: tx.add(audit(2)))
            other.execute("ROLLBACK")
        assert await store.transaction(lambda tx: tx.add(audit(3)))

    scene(tmp_path, test)
    assert numbers(tmp_path) == [1, 3]


def test_the_event_loop_goes_on_while_the_store_works(tmp_path):
    """A slow work holds up neither the loop nor readers, and readers see the state before."""

    async def test(store):
        await store.transaction(lambda tx: tx.add(audit(1)))
        gate, inside = threading.Event(), threading.Event()

        def slow(tx):
            tx.add(audit(2))
            inside.set()
            assert gate.wait(30)

        writing = asyncio.create_task(store.transaction(slow))
        await asyncio.to_thread(inside.wait, 30)
        assert [one.number for one in await store.read(lambda tx: tx.find(Audit))] == [1]
        assert not writing.done()
        gate.set()
        await writing
        assert len(await store.read(lambda tx: tx.find(Audit))) == 2

    scene(tmp_path, test)


def test_a_read_is_one_snapshot(tmp_path):
    """What is committed in the middle of a read is not seen by it."""

    async def test(store):
        loop = asyncio.get_running_loop()

        def look(tx):
            first = tx.find(Audit)
            added = store.transaction(lambda tx: tx.add(audit(1)))
            assert asyncio.run_coroutine_threadsafe(added, loop).result(30)
            return first, tx.find(Audit)

        assert await store.read(look) == ([], [])

    scene(tmp_path, test)


def test_closing_finishes_what_was_asked_for(tmp_path):
    """Every work that was accepted is stored and answered; what comes later is refused."""

    async def test():
        store = SqliteStore.open(tmp_path / "windlass.db")
        gate, inside, first = blocked(store)
        await asyncio.to_thread(inside.wait, 30)
        rest = [
            asyncio.create_task(store.transaction(lambda tx, n=n: tx.add(audit(n))))
            for n in range(20)
        ]
        waiting = asyncio.create_task(store.wake(10**6))
        await asyncio.sleep(0)
        closing_ = asyncio.create_task(store.close())
        while not store._writer._closed:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.001)
        for refused in (
            lambda: store.transaction(lambda tx: tx.add(audit(99))),
            lambda: store.read(lambda tx: tx.find(Audit)),
            lambda: store.claim(Delivery, 0.0, 1),
        ):
            with pytest.raises(Transient, match="closed"):
                await refused()
        gate.set()
        await asyncio.gather(first, closing_, *rest)
        for late in (waiting, store.wake(10**6)):
            with pytest.raises(Transient, match="closed"):
                await late
        await store.close()

    asyncio.run(test())
    assert numbers(tmp_path) == list(range(20))
    assert not (tmp_path / "windlass.db-wal").exists()


def test_a_loop_that_ended_holds_nobody_up(tmp_path):
    """A caller whose event loop is gone loses its answer, and nobody else does."""
    store = SqliteStore.open(tmp_path / "windlass.db")
    gate = threading.Event()

    async def leave():
        waiting = asyncio.create_task(store.transaction(lambda tx: gate.wait(30)))
        claim = asyncio.create_task(store.claim(Delivery, 0.0, 1))
        wake = asyncio.create_task(store.wake(10**6))
        await asyncio.sleep(0)
        for task in (waiting, claim, wake):
            task.cancel()

    async def go_on():
        await store.transaction(lambda tx: tx.add(delivery(1)))
        assert len(await store.claim(Delivery, 0.0, 1)) == 1
        await store.close()

    asyncio.run(leave())
    gate.set()
    asyncio.run(go_on())


def test_a_claim_that_nobody_received_is_given_back(tmp_path):
    """Cancelled at any moment, a claimer takes no rows along."""

    async def test(store):
        await store.transaction(lambda tx: tx.add(delivery(1)))
        gate, inside, first = blocked(store)
        await asyncio.to_thread(inside.wait, 30)
        claim = asyncio.create_task(store.claim(Delivery, 0.0, 1))
        await asyncio.sleep(0)
        claim.cancel()
        gate.set()
        await first
        assert len(await store.claim(Delivery, 0.0, 1)) == 1

    scene(tmp_path, test)


def test_a_claim_that_comes_as_its_claimer_is_cancelled_is_given_back(tmp_path):
    """The result is there, and the one who waited for it is not."""

    async def test(store):
        await store.transaction(lambda tx: tx.add(delivery(1)))
        loop, ask, futures = asyncio.get_running_loop(), store._writer.ask, []
        store._writer.ask = lambda asked: (futures.append(asked.future), ask(asked))
        claim = asyncio.create_task(store.claim(Delivery, 0.0, 1))

        def look():
            if futures and futures[0].done():
                claim.cancel()
            elif not claim.done():
                loop.call_soon(look)

        loop.call_soon(look)
        assert isinstance((await asyncio.gather(claim, return_exceptions=True))[0], BaseException)
        assert len(await store.claim(Delivery, 0.0, 1)) == 1

    scene(tmp_path, test)


def test_a_claim_sees_nothing_that_is_not_committed(tmp_path):
    """A row of a group that fails is never worked on."""

    async def test(store):
        await full(store)(None)
        gate, inside, first = blocked(store)
        await asyncio.to_thread(inside.wait, 30)
        adding = asyncio.create_task(store.transaction(lambda tx: tx.add(delivery(1))))
        claim = asyncio.create_task(store.claim(Delivery, 0.0, 1))
        large = delivery(2, body=b"x" * 1_000_000)
        failing = asyncio.create_task(store.transaction(lambda tx: tx.add(large)))
        await asyncio.sleep(0)
        gate.set()
        await first
        answers = await asyncio.gather(adding, failing, return_exceptions=True)
        assert [type(one) for one in answers] == [Transient, Transient]
        assert await claim == []

    scene(tmp_path, test)


def test_a_restart_voids_all_claims(tmp_path):
    """What a server was working on when it ended is due again."""

    async def claim(store):
        await store.transaction(lambda tx: tx.add(delivery(1)))
        return await store.claim(Delivery, 0.0, 1)

    assert scene(tmp_path, claim) == scene(tmp_path, claim) == [delivery(1)]


def test_damage_is_told_with_its_remedy(tmp_path):
    """A page that cannot be read is `Permanent`, and says what to do."""

    async def fill(store):
        rows = [delivery(number, body=b"x" * 3000) for number in range(200)]
        await store.transaction(lambda tx: tx.add_all(rows))

    scene(tmp_path, fill)
    path = tmp_path / "windlass.db"
    assert database.integrity(path) == ()
    data = bytearray(path.read_bytes())
    start = len(data) // 4096 // 2 * 4096
    data[start : start + 40 * 4096] = b"\xa5" * (40 * 4096)
    path.write_bytes(data)
    assert database.integrity(path)

    async def look(store):
        with pytest.raises(Permanent, match="recover"):
            await store.read(lambda tx: tx.find(Delivery))

    scene(tmp_path, look)


def test_stale_versions_among_a_group(tmp_path):
    """Of two works on one version in the same group, one is the loser and hears so."""

    async def test(store):
        await store.transaction(lambda tx: tx.add(repository("a")))
        one = await store.read(lambda tx: tx.get(Repository, "a"))
        found = await group(store, *(lambda tx: tx.save(one) for _ in range(2)))
        assert found[0] is None
        assert isinstance(found[1], Conflict)

    scene(tmp_path, test)
