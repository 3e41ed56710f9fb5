"""R-17: a delivery that kills the server is counted, and named among others."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from playing import every, play, runs

from windlass.engine.suspects import REASON, Suspects
from windlass.ports.records import Delivery

CONFIGURATION = """\
listeners: {each: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
"""


class Left:
    """`UnderWay` with what a server left that died; notes who was handled with whom."""

    def __init__(self, *names):
        self.names = names
        self.now, self.most = [], 0

    def left(self):
        return self.names

    def forget(self):
        self.names = ()

    def begin(self, one):
        self.now.append(one)
        self.most = max(self.most, len(self.now))

    def end(self, one):
        self.now.remove(one)


async def waiting(here, count):
    """Deliveries of as many repositories, which wait for the far future."""
    rows = [
        Delivery(
            id=f"d{number}", endpoint="e", delivery_key=str(number), repository=f"r{number}",
            received_at=0.0, headers={}, body=b"", digest="", due_at=9e12,
        )
        for number in range(count)
    ]  # fmt: skip
    await here.world.store.transaction(lambda tx: tx.add_all(rows))


def after(here, left):
    """The suspects of a server that starts on this world."""
    return Suspects(replace(here.world, under_way=left))


def test_who_was_handled_alone_is_counted_and_parked_the_third_time(tmp_path):
    """At once the first time, later the second, and then no more; it says why."""

    async def work(here, _story):
        here.work.cancel()  # nobody but the test handles it
        await asyncio.gather(here.work, return_exceptions=True)
        await waiting(here, 1)
        seen = []
        for _ in range(4):
            await after(here, Left("d0", "gone")).resume()
            (one,) = await every(here, Delivery)
            seen.append((one.deaths, one.state, one.due_at - here.clock.now()))
        assert seen == [
            (1, "received", 0.0), (2, "received", 2.0), (3, "failed", 2.0), (3, "failed", 2.0)
        ]  # fmt: skip
        assert (one.reason, one.attempts) == (REASON, 0)  # tries of the forge are another count

    play(tmp_path, CONFIGURATION, work)


def test_of_a_crowd_none_is_counted_and_each_is_handled_alone(tmp_path):
    """Sixty-three innocent ones are not parked for what one has done."""

    async def work(here, _story):
        await waiting(here, 5)
        left = Left("d0", "d1", "d2")
        suspects = after(here, left)
        await suspects.resume()
        assert [one.attempts for one in await every(here, Delivery)] == [0] * 5
        assert left.names == ()

        async def handle(one, *, fails=False):
            async with suspects.handling(one):
                await asyncio.sleep(0)
                if fails:
                    raise RuntimeError

        both = (handle("d0"), handle("d3"), handle("d1", fails=True), handle("d2"))
        await asyncio.gather(*both, return_exceptions=True)
        assert (left.most, left.now) == (1, [])
        await asyncio.gather(handle("d3"), handle("d4"))
        assert left.most == 2

    play(tmp_path, CONFIGURATION, work)


def test_what_was_done_before_the_death_is_not_counted(tmp_path):
    """Its end was stored, and only the note of it was not taken away."""

    async def work(here, story):
        await story.play([{"push": {"branch": "FB1", "files": {"a": "1"}}}])
        (one,) = await every(here, Delivery)
        await after(here, Left(one.id)).resume()
        assert await every(here, Delivery) == [one]

    play(tmp_path, CONFIGURATION, work)


def test_a_delivery_is_noted_while_it_is_handled(tmp_path):
    """Each of them, and none is left when all is done."""
    left = Left()

    async def work(here, story):
        await story.play([{"push": {"branch": "FB1", "files": {"a": "1"}}}])
        assert len(await runs(here)) == 1
        assert (left.most, left.now) == (1, [])

    play(tmp_path, CONFIGURATION, work, under_way=left)
