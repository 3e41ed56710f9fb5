"""What doctor says of a repository: only what is wrong now, with a fix that fits."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from playing import play

from windlass.engine.doctor import examine
from windlass.engine.world import Outlook
from windlass.ports.records import Delivery, Refusal, Repository
from windlass.testing.fakes.requests import FakeCircuit


async def found(world, check):
    """The findings of one kind."""
    return [one for one in await examine(world) if one.check == check]


def refused(at):
    """A request that was not taken then."""
    return Refusal(
        slot=1,
        at=at,
        endpoint="e",
        repository="shop",
        status=401,
        reason="the signature is wrong",
        source="203.0.113.9",
        headers={},
        size=2,
    )


def came(at):
    """A request that was taken then."""
    return Delivery(
        id="d1",
        endpoint="e",
        delivery_key="k",
        repository="shop",
        received_at=at,
        headers={},
        body=b"",
        digest="",
        state="ignored",
    )


def quiet(work):
    """A story in which the engine does nothing by itself."""

    async def told(here, _story):
        here.work.cancel()
        await asyncio.gather(here.work, return_exceptions=True)
        await work(here)

    return told


def test_a_refusal_is_over_when_something_came_after_it(tmp_path):
    """The first of both is something to do, the second is only told."""

    async def work(here):
        now = here.clock.now()
        put = here.world.store.transaction
        (line,) = await found(here.world, "delivery")
        assert line.said == "none has come yet"
        await put(lambda tx: (tx.add(refused(now - 50)), tx.add(came(now - 60))))
        (line,) = await found(here.world, "refused")
        assert (line.passed, line.said[:13]) == (False, "1 request was")
        await put(lambda tx: tx.add(replace(came(now - 40), id="d2", delivery_key="k2")))
        (line,) = await found(here.world, "refused")
        assert line.passed
        assert line.said.endswith("401 the signature is wrong; since then 1 came")

    play(tmp_path, "listeners: {}\n", quiet(work))


def test_a_hook_of_plain_git_is_no_code_host(tmp_path):
    """Its fix speaks of the hook."""

    async def work(here):
        now = here.clock.now()

        def story(tx):
            tx.add(refused(now - 50))
            tx.save(replace(tx.get(Repository, "shop"), forge="plain"))

        (forge,) = here.world.forges.values()
        await here.world.store.transaction(story)
        (line,) = await found(replace(here.world, forges={"plain": forge}), "refused")
        assert line.fix == "windlass repo check shop gives the hook the present secret"

    play(tmp_path, "listeners: {}\n", quiet(work))


def test_only_code_hosts_of_connected_repositories_are_named(tmp_path):
    """The API of one counts as the host; what somebody once tried to connect does not."""

    async def work(here):
        def story(tx):
            tx.save(replace(tx.get(Repository, "shop"), url="https://github.com/acme/shop"))

        await here.world.store.transaction(story)
        left = tuple(
            FakeCircuit(origin=f"https://{host}", since=0.0, until=1e10, reason="it failed")
            for host in ("api.github.com", "gone.example", "notgithub.com")
        )
        world = replace(here.world, outlook=Outlook(circuits=lambda: left))
        assert [one.subject for one in await found(world, "code host")] == [
            "https://api.github.com"
        ]

    play(tmp_path, "listeners: {}\n", quiet(work))
