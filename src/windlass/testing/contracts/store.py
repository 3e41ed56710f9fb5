"""
What every store does.

Subclass `StoreContract` and give it the fixture `opened`: a function that opens the
store under test, always the same one, as an async context manager:

    class TestMine(StoreContract):
        @pytest.fixture
        def opened(self, tmp_path):
            return lambda: MyStore.open(tmp_path)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

import pytest

from windlass.core.errors import Bug, Conflict, NotFound
from windlass.ports.records import Audit, Delivery, Repository, StoredEffect
from windlass.ports.store import Above, Below, Store, Tx, Wanted, Without

Opened = Callable[[], AbstractAsyncContextManager[Store]]
Test = Callable[[Store], Awaitable[None]]
Run = Callable[[Test], None]
WRITES = ("add", "save", "next", "add_all")


def repository(name: str, **changes: object) -> Repository:
    """A repository of that name."""
    made = Repository(
        name=name, forge="plain", url=f"file:///{name}", endpoint=name, default_branch="main"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def delivery(number: int, **changes: object) -> Delivery:
    """A delivery with this number; a higher one is younger."""
    made = Delivery(
        id=f"{number:026}",
        endpoint="endpoint",
        delivery_key=str(number),
        repository="acme/shop",
        received_at=float(number),
        headers={"x-event": "push"},
        body=b"\x00\xff",
        digest="d",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def audit(number: int, **changes: object) -> Audit:
    """An entry of the audit."""
    made = Audit(number=number, at=float(number), actor="ada", what="run", subject="s")
    return replace(made, **changes)  # type: ignore[arg-type]


def save(record: object, tx: Tx) -> None:
    """A work that saves this."""
    tx.save(record)


class StoreContract:
    """Promises of the port `Store`."""

    @pytest.fixture
    def opened(self) -> Opened:
        """How to open the store under test."""
        raise NotImplementedError

    @pytest.fixture
    def run(self, opened: Opened) -> Run:
        """Run an async test on the open store, and close it again."""

        def run(test: Test) -> None:
            async def whole() -> None:
                async with opened() as store, asyncio.timeout(30):
                    await test(store)

            asyncio.run(whole())

        return run

    def test_what_was_added_is_there(self, run: Run) -> None:
        """A record comes back as it went in."""

        async def test(store: Store) -> None:
            one = repository("a", created_at=1.5, problem="two\nlines \u00e9 \U0001f600")
            assert await store.transaction(lambda tx: tx.add(one))
            assert await store.read(lambda tx: tx.get(Repository, "a")) == one
            assert await store.read(lambda tx: tx.get(Repository, "b")) is None
            beyond = (2**63 - 1, 2**63, -(2**63) - 1, 10**5000)
            found = await store.read(lambda tx: [tx.get(Audit, number) for number in beyond])
            assert found == [None] * 4

        run(test)

    @pytest.mark.parametrize("changes", [{}, {"name": "b"}, {"name": "b", "url": "other"}])
    def test_what_exists_is_not_added_again(self, run: Run, changes: dict[str, str]) -> None:
        """A taken key, or a taken unique set, is False and changes nothing."""

        async def test(store: Store) -> None:
            one = repository("a")
            other = replace(one, problem="new", **changes)  # type: ignore[arg-type]
            assert await store.transaction(lambda tx: tx.add(one))
            assert not await store.transaction(lambda tx: tx.add(other))
            assert await store.read(lambda tx: tx.find(Repository)) == [one]

        run(test)

    def test_many_are_added_at_once(self, run: Run) -> None:
        """`add_all` says of each whether it was new, also of one that comes twice in it."""

        async def test(store: Store) -> None:
            await store.transaction(lambda tx: tx.add(delivery(5)))
            wanted = [*(delivery(number) for number in range(150)), delivery(3)]
            added = await store.transaction(lambda tx: tx.add_all(wanted))
            assert added == [number != 5 for number in range(150)] + [False]
            assert await store.transaction(lambda tx: tx.add_all([])) == []
            stored = await store.read(lambda tx: tx.find(Delivery, order="id"))
            assert stored == wanted[:150]

        run(test)

    def test_a_record_without_a_version_is_written_over(self, run: Run) -> None:
        """`save` inserts it, and then replaces it."""

        async def test(store: Store) -> None:
            for text in ("first", "second"):
                entry = audit(1, detail=text)
                await store.transaction(partial(save, entry))
                assert await store.read(lambda tx: tx.find(Audit)) == [entry]

        run(test)

    def test_only_the_version_that_was_read_is_written_over(self, run: Run) -> None:
        """A newer version is never lost: `Conflict`, and everything of that work is undone."""

        async def test(store: Store) -> None:
            one = repository("a")
            await store.transaction(lambda tx: tx.add(one))
            await store.transaction(lambda tx: tx.save(replace(one, problem="mine")))
            assert (await store.read(lambda tx: tx.get(Repository, "a"))) == replace(
                one, problem="mine", version=1
            )

            def late(tx: Tx) -> None:
                tx.add(audit(1))
                tx.save(replace(one, problem="late"))

            with pytest.raises(Conflict):
                await store.transaction(late)
            assert await store.read(lambda tx: tx.get(Audit, 1)) is None
            with pytest.raises(Conflict):
                await store.transaction(lambda tx: tx.save(repository("nowhere")))

        run(test)

    def test_records_are_found_by_what_they_hold(self, run: Run) -> None:
        """Equal, any of, none of, less, more, ordered, limited."""

        async def test(store: Store) -> None:
            await store.transaction(lambda tx: tx.add_all([audit(n) for n in range(1, 6)]))
            await store.transaction(lambda tx: tx.save(audit(6, actor="bob", at=0.5)))

            async def numbers(**where: Wanted) -> list[int]:
                found = await store.read(lambda tx: tx.find(Audit, **where))  # type: ignore[arg-type]
                return [one.number for one in found]

            assert await numbers(actor="bob") == [6]
            assert await numbers(actor="bob", at=1.0) == []
            assert await numbers(number=(1, 3, 99), order="number") == [1, 3]
            assert await numbers(number=()) == []
            assert await numbers(at=Below(2.0), order="at") == [6, 1]
            assert await numbers(at=Above(2.0), order="-at") == [5, 4, 3]
            assert await numbers(actor=Without(("bob",)), order="number", limit=2) == [1, 2]
            assert await numbers(actor=Without(()), order="-number", limit=2) == [6, 5]
            with pytest.raises(Bug):
                await numbers(colour="red")
            with pytest.raises(Bug):
                await numbers(order="colour")

        run(test)

    def test_counters_count_from_one_without_gaps(self, run: Run) -> None:
        """A number of a failed transaction comes again."""

        async def test(store: Store) -> None:
            assert await store.transaction(lambda tx: (tx.next("a"), tx.next("a"))) == (1, 2)
            assert await store.transaction(lambda tx: tx.next("b")) == 1

            def fails(tx: Tx) -> None:
                assert tx.next("a") == 3
                raise NotFound("nothing")

            with pytest.raises(NotFound):
                await store.transaction(fails)
            assert await store.transaction(lambda tx: tx.next("a")) == 3

        run(test)

    def test_a_failed_work_is_undone_alone(self, run: Run) -> None:
        """All of it or nothing, whatever else was asked for at the same time."""

        async def test(store: Store) -> None:
            def work(number: int) -> Callable[[Tx], int]:
                def one(tx: Tx) -> int:
                    tx.add(audit(number))
                    tx.add_all([delivery(number * 100 + more) for more in range(5)])
                    if number % 3 == 0:
                        raise NotFound(str(number))
                    return number

                return one

            asked = [store.transaction(work(number)) for number in range(30)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            for number, answer in enumerate(answers):
                if number % 3:
                    assert answer == number
                else:
                    assert isinstance(answer, NotFound)
                    assert str(answer) == str(number)
            stored = await store.read(lambda tx: tx.find(Audit, order="number"))
            assert [one.number for one in stored] == [n for n in range(30) if n % 3]
            assert len(await store.read(lambda tx: tx.find(Delivery))) == 20 * 5

        run(test)

    def test_works_run_one_after_the_other(self, run: Run) -> None:
        """What is read in a transaction stays so until it is written."""

        async def test(store: Store) -> None:
            await store.transaction(lambda tx: tx.add(audit(1, detail="0")))

            def raise_by_one(tx: Tx) -> None:
                found = tx.get(Audit, 1)
                assert found is not None
                tx.save(replace(found, detail=str(int(found.detail) + 1)))

            await asyncio.gather(*(store.transaction(raise_by_one) for _ in range(100)))
            found = await store.read(lambda tx: tx.get(Audit, 1))
            assert found is not None
            assert found.detail == "100"

        run(test)

    def test_a_work_sees_its_own_writes_and_readers_do_not(self, run: Run) -> None:
        """Nobody reads what is not committed."""

        async def test(store: Store) -> None:
            def fails(tx: Tx) -> None:
                tx.add(audit(1))
                assert tx.get(Audit, 1) is not None
                raise NotFound("no")

            looks = [store.read(lambda tx: tx.find(Audit)) for _ in range(20)]
            tries = [store.transaction(fails) for _ in range(20)]
            found = await asyncio.gather(*looks, *tries, return_exceptions=True)
            assert found[:20] == [[]] * 20

        run(test)

    @pytest.mark.parametrize("how", WRITES)
    def test_a_read_does_not_write(self, run: Run, how: str) -> None:
        """It is a bug of the one who asks, and said so."""

        async def test(store: Store) -> None:
            given = {"next": "a", "add_all": [audit(1)]}.get(how, audit(1))
            with pytest.raises(Bug):
                await store.read(lambda tx: getattr(tx, how)(given))
            assert await store.read(lambda tx: tx.find(Audit)) == []

        run(test)

    def test_a_transaction_that_is_over_does_nothing(self, run: Run) -> None:
        """Keeping a `Tx` beyond its work is a bug, and said so."""

        async def test(store: Store) -> None:
            kept: list[Tx] = []
            await store.transaction(kept.append)
            with pytest.raises(Bug):
                kept[0].add(audit(1))
            assert await store.read(lambda tx: tx.find(Audit)) == []

        run(test)

    def test_an_async_work_is_refused(self, run: Run) -> None:
        """A work that nobody would await must not look like a success."""

        async def test(store: Store) -> None:
            async def work(tx: Tx) -> None:
                tx.add(audit(1))

            with pytest.raises(Bug):
                await (await store.transaction(work))

        run(test)

    def test_claims_are_due_oldest_first_and_nobody_elses(self, run: Run) -> None:
        """Two claimers never share, and what is not due or not waiting is left alone."""

        async def test(store: Store) -> None:
            rows = [delivery(n, due_at=float(n)) for n in range(10)]
            rows[2] = replace(rows[2], state="done")
            await store.transaction(lambda tx: tx.add_all(rows))
            first = await store.claim(Delivery, 7.0, 3)
            assert [row.id for row in first] == [rows[n].id for n in (0, 1, 3)]
            rest = await asyncio.gather(*(store.claim(Delivery, 7.0, 2) for _ in range(6)))
            claimed = [row.id for part in rest for row in part]
            assert sorted(claimed) == [rows[n].id for n in (4, 5, 6, 7)]
            assert await store.claim(StoredEffect, 7.0, 5) == []

        run(test)

    def test_released_rows_can_be_claimed_again(self, run: Run) -> None:
        """Unless they have moved on; then they are gone."""

        async def test(store: Store) -> None:
            effects = [StoredEffect(id=str(n), kind="Report") for n in range(2)]
            await store.transaction(lambda tx: tx.add_all(effects))
            assert await store.claim(StoredEffect, 0.0, 9) == effects
            assert await store.claim(StoredEffect, 0.0, 9) == []
            await store.transaction(lambda tx: tx.save(replace(effects[0], state="done")))
            await store.release(StoredEffect, ("0", "1"))
            await store.release(StoredEffect, ("1", "unknown"))
            assert await store.claim(StoredEffect, 0.0, 9) == effects[1:]

        run(test)

    def test_a_commit_wakes_whoever_waits(self, run: Run) -> None:
        """Every commit that changes something; reading does not."""

        async def test(store: Store) -> None:
            await store.transaction(lambda tx: tx.add(audit(1)))
            seen = await store.wake(0)
            waiting = [asyncio.create_task(store.wake(seen)) for _ in range(3)]
            await store.read(lambda tx: tx.find(Audit))
            await store.transaction(lambda tx: tx.get(Audit, 1))
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            await store.transaction(lambda tx: tx.add(audit(2)))
            counts = await asyncio.gather(*waiting)
            assert min(counts) > seen
            assert await store.wake(seen) > seen

        run(test)

    def test_one_who_no_longer_waits_holds_nobody_up(self, run: Run) -> None:
        """A cancelled wait, claim or transaction leaves the store as good as before."""

        async def test(store: Store) -> None:
            await store.transaction(lambda tx: tx.add(delivery(1)))
            tasks = [
                asyncio.create_task(store.wake(10**6)),
                asyncio.create_task(store.claim(Delivery, 0.0, 1)),
                asyncio.create_task(store.transaction(lambda tx: tx.next("a"))),
            ]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            got = done[1] if isinstance(done[1], list) else []
            await store.release(Delivery, tuple(row.id for row in got))
            await store.transaction(lambda tx: tx.add(audit(1)))
            assert [row.id for row in await store.claim(Delivery, 0.0, 1)] == [delivery(1).id]

        run(test)

    def test_text_that_no_database_takes_is_stored_alike(self, run: Run) -> None:
        """NUL and half a surrogate pair become U+FFFD, in columns and inside JSON."""

        async def test(store: Store) -> None:
            odd = delivery(1, reason="a\0b\ud800c\U0001f600", headers={"k\udc00": "v\ud800"})
            await store.transaction(lambda tx: tx.add(odd))
            found = await store.read(lambda tx: tx.get(Delivery, odd.id))
            assert found is not None
            assert found.reason == "a\ufffdb\ufffdc\U0001f600"
            assert found.headers == {"k\ufffd": "v\ufffd"}

        run(test)
