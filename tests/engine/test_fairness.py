"""Who floods holds up himself."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from windlass.engine.loop import Loop
from windlass.engine.slots import Slots
from windlass.ports.records import Delivery
from windlass.stores.sqlite import SqliteStore


def delivery(repository, number):
    """A row that waits."""
    return Delivery(
        id=f"{repository}-{number:06}",
        endpoint=repository,
        delivery_key=str(number),
        repository=repository,
        received_at=float(number),
        headers={},
        body=b"",
        digest="",
        due_at=float(number),
    )


def test_a_flood_of_one_repository_leaves_room_for_every_other(tmp_path):
    """All others are claimed at once, though the flood came before them."""

    async def play():
        async with SqliteStore.open(tmp_path / "w.db") as store:
            flood = [delivery("flood", number) for number in range(5000)]
            quiet = [delivery(f"quiet{number:03}", 5000 + number) for number in range(50)]
            await store.transaction(lambda tx: tx.add_all(flood + quiet))
            first = await store.claim(Delivery, 1e6, 64)
            whose = Counter(row.repository for row in first)
            assert sum(whose[one.repository] for one in quiet) == 50
            assert [row.id for row in first if row.repository == "flood"] == [
                row.id for row in flood[: whose["flood"]]
            ]
            # The rest is claimed as places are given back, in order, none twice.
            taken = [row.id for row in first]
            while rows := await store.claim(Delivery, 1e6, 64):
                taken += [row.id for row in rows]
                done = tuple(row.id for row in rows)
                await store.transaction(lambda tx, rows=rows: [_done(tx, row) for row in rows])
                await store.release(Delivery, done)
                if len(taken) > 500:
                    break
            assert len(set(taken)) == len(taken)
            mine = [one for one in taken if one.startswith("flood")]
            assert mine == sorted(mine)

    asyncio.run(play())


def _done(tx, row):
    tx.save(replace(row, state="done"))


@given(
    st.integers(1, 4),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["stay", "leave", "expect"])), max_size=60
    ),
)
def test_places_go_round_and_none_is_lost(count, asked):
    """Whoever waits, leaves, gives back or is expected: never over `count`, and all get through."""

    async def play():
        slots = Slots(count)
        under_way, most = 0, 0

        async def job(name):
            nonlocal under_way, most
            await slots.take(name)
            under_way += 1
            most = max(most, under_way)
            try:
                await asyncio.sleep(0)
            finally:
                under_way -= 1
                slots.release(name)

        tasks = []
        for name, how in asked:
            if how == "expect":
                slots.expect(name)  # it may come or not: nobody waits for it longer than a moment
                continue
            task = asyncio.create_task(job(name))
            tasks.append(task)
            if how == "leave":
                await asyncio.sleep(0)
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert most <= count
        for _ in range(count):
            await asyncio.wait_for(slots.take("z"), 1)
        assert slots.full()

    asyncio.run(play())


def test_a_repository_with_many_jobs_delays_another_by_one():
    """Ten thousand waiting jobs of one are not ahead of the first of another."""

    async def play():
        slots, came = Slots(1), []
        await slots.take("flood")

        async def job(name):
            await slots.take(name)
            came.append(name)

        tasks = [asyncio.create_task(job("flood")) for _ in range(1000)]
        tasks.append(asyncio.create_task(job("quiet")))
        await asyncio.sleep(0)
        for _ in range(3):
            slots.release("quiet" if came[-1:] == ["quiet"] else "flood")
            await asyncio.sleep(0)
        assert "quiet" in came[:2]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(play())


def test_a_place_given_to_who_leaves_in_that_moment_is_not_lost():
    """It was his already, and goes to the next."""

    async def play():
        slots = Slots(1)
        await slots.take("a")
        leaving = asyncio.create_task(slots.take("b"))
        await asyncio.sleep(0)
        slots.release("a")
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await asyncio.wait_for(slots.take("c"), 1)

    asyncio.run(play())


def test_who_has_something_running_gives_way_to_who_has_nothing():
    """From the other's webhook until its job has a place, or does not come."""

    async def play():
        slots, came = Slots(2), []

        async def job(name):
            await slots.take(name)
            came.append(name)

        await slots.take("flood")
        slots.expect("flood")  # it has something running, and is let through by nobody
        tasks = [asyncio.create_task(job("flood"))]
        await asyncio.sleep(0)
        assert came == ["flood"]
        slots.expect("quiet")
        slots.release("flood")
        tasks.append(asyncio.create_task(job("flood")))
        giving = asyncio.create_task(slots.give_way("flood"))
        await asyncio.sleep(0)
        assert came == ["flood"]
        assert not giving.done()
        await slots.give_way("new")
        tasks.append(asyncio.create_task(job("quiet")))
        await asyncio.sleep(0)
        assert came == ["flood", "quiet"]
        await asyncio.wait_for(giving, 1)
        slots.release("quiet")
        await asyncio.sleep(0)
        assert came == ["flood", "quiet", "flood"]
        await asyncio.gather(*tasks)

    asyncio.run(play())


def test_who_is_expected_and_does_not_come_holds_nobody_up():
    """A mirror that is being cloned takes its time, and the places are not kept for that."""

    async def play():
        slots = Slots(2)
        await slots.take("busy")
        slots.expect("slow")
        await asyncio.wait_for(slots.take("busy"), 5)

    asyncio.run(play())


def test_however_many_come_nobody_is_held_back_for_long():
    """Webhooks that start nothing, one after the other, let their repository through once."""

    async def play():
        slots = Slots(4)
        await slots.take("busy")

        async def noisy(name):
            while True:
                slots.expect(name)
                await slots.give_way(name)
                await asyncio.sleep(0.06)
                slots.forget(name)
                await asyncio.sleep(0.005)

        noise = [asyncio.create_task(noisy(f"n{number}")) for number in range(10)]
        await asyncio.sleep(0.03)
        for _ in range(3):
            await asyncio.wait_for(slots.take("busy"), 5)
            await asyncio.wait_for(slots.give_way("busy"), 5)
        for task in noise:
            task.cancel()
        await asyncio.gather(*noise, return_exceptions=True)

    asyncio.run(play())


async def served(store, flood, others):
    """How many dispatches it takes until each of `others` is done, one at a time in all."""
    turns, done, through = 0, {}, asyncio.Event()

    async def dispatch(row):
        nonlocal turns
        await asyncio.sleep(0)
        await store.transaction(lambda tx: _done(tx, row))
        turns += 1
        done[row.repository] = turns
        if len(done) == others + bool(flood):
            through.set()

    rows = [delivery("flood", number) for number in range(flood)]
    rows += [delivery(f"quiet{number:03}", flood + number) for number in range(others)]
    await store.transaction(lambda tx: tx.add_all(rows))
    loop = asyncio.create_task(Loop(store, Now(), Delivery, dispatch, 64).run())
    await asyncio.wait_for(through.wait(), 30)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    done.pop("flood", None)
    return max(done.values())


class Now:
    """A clock that is far enough."""

    def now(self):
        return 1e6

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


def test_r16_a_flood_makes_nobody_wait_twice_as_long(tmp_path):
    """Four thousand events of one, one of each of two hundred others: counted in dispatches."""

    async def play(flood):
        async with SqliteStore.open(tmp_path / f"{flood}.db", synchronous="OFF") as store:
            return await served(store, flood, 200)

    idle, flooded = asyncio.run(play(0)), asyncio.run(play(4000))
    assert idle == 200
    assert flooded <= 2 * idle
