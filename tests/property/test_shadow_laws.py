"""
Shadow says of recorded events what dispatch decides.

Recorded webhooks of every forge are dispatched by random listeners, and then put
before others: what shadow tells must lead from what the first have started to
what dispatch starts by the second.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import ALL, FILES, RECORDED, Here, Strangers, configured, listeners

from windlass.core.errors import BadDelivery
from windlass.core.shadow import Kind
from windlass.engine.configurations import Configurations
from windlass.engine.dispatch import Dispatch
from windlass.engine.receive import kept
from windlass.engine.shadow import Replaying
from windlass.engine.wellformed import wellformed
from windlass.engine.world import Forge
from windlass.ports.records import Delivery, Repository, StoredEvent, StoredVerdict
from windlass.testing.fakes.memory import MemoryStore
from windlass.wiring.dialects import DIALECTS

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="no recorded webhooks beside the project"
)

NOW = 1_700_000_000.0
# The hardest to tell afterwards: it hangs on what was open when the push came.
UNLESS = {"on": "push", "unless": "open_pull_request", "do": [{"pipeline": "ci"}]}


@dataclass
class Played:
    """Recorded webhooks, dispatched by one configuration."""

    world: SimpleNamespace
    repositories: list[Repository]
    configurations: Configurations

    def started(self):
        """What has started: (number of the event, listener)."""
        verdicts = self.world.store.fill(lambda tx: tx.find(StoredVerdict))
        return {(one.event, one.listener) for one in verdicts if one.run}

    async def shadow(self, text):
        """What another configuration says to it, repository by repository."""
        candidate = (await self.configurations.of({".windlass.yaml": text})).configuration
        return [
            await Replaying(self.world, self.configurations, one, candidate).since(0)
            for one in self.repositories
        ]


async def played(text, cases, files):
    """Dispatch these recordings; one repository for each forge."""
    forges = {
        name: Forge(dialect=dialect, webhooks=None, reports=None, source=Strangers())
        for name, dialect in DIALECTS.items()
    }
    store, mirror = MemoryStore(), Here(text, files)
    world = SimpleNamespace(
        store=store,
        forges=forges,
        mirrors=SimpleNamespace(of=lambda one: mirror),
        clock=SimpleNamespace(now=lambda: NOW),
    )
    repositories = [
        Repository(name=forge, forge=forge, url=forge, endpoint=forge, default_branch="default")
        for forge in sorted({case[0] for case in cases})
    ]
    store.fill(lambda tx: [tx.add(one) for one in repositories])
    configurations = Configurations()
    dispatch = Dispatch(world, configurations, None, None)
    for number, (forge, headers, path) in enumerate(cases):
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            body = wellformed(path.read_bytes()).content
        except BadDelivery:
            continue
        delivery = Delivery(
            id=f"d{number:04}",
            endpoint=forge,
            delivery_key=str(number),
            repository=forge,
            received_at=NOW - 1000 + number,
            headers=kept(lower),
            body=zlib.compress(body),
            digest=hashlib.sha256(body).hexdigest(),
        )
        store.fill(lambda tx, one=delivery: tx.add(one))
        await dispatch._dispatch(delivery)
    return Played(world, repositories, configurations)


def differences(shadows, kind):
    """What is told of this kind."""
    return {
        (one.event.number, one.difference.listener) for each in shadows for one in each.found[kind]
    }


@pytest.mark.parametrize("files", [(), ("src/a.py",)], ids=len)
def test_the_unchanged_configuration_makes_no_difference(files):
    """On every recorded webhook there is, with the widest listeners."""
    kinds = ("push", "pull_request", "tag", "branch", "comment", "review")
    written = [{"on": kind, "do": [{"pipeline": "ci"}]} for kind in kinds]
    written += [UNLESS, {"on": "push", "paths": ["src/**"], "do": [{"pipeline": "ci"}]}]
    text = configured(written)

    async def whole():
        here = await played(text, ALL, files)
        return here, await here.shadow(text)

    here, shadows = asyncio.run(whole())
    events = here.world.store.fill(lambda tx: tx.find(StoredEvent))
    compared = sum(one.compared for one in shadows)
    assert compared == sum(one.kind != "ping" for one in events) > 40
    assert compared == sum(one.unchanged for one in shadows)
    assert not any(one.unknown or one.cut for one in shadows)
    assert len(here.started()) > 40


CASES = st.lists(st.sampled_from(ALL or [None]), min_size=1, max_size=12)
SOME = st.lists(listeners() | st.just(UNLESS), min_size=1, max_size=4)


@settings(max_examples=40)
@given(SOME, SOME, CASES, FILES)
def test_what_shadow_tells_is_what_dispatch_would_do(first, second, cases, files):
    """Started by the first, and what is told of the second: started by the second."""

    async def whole():
        here = await played(configured(first), cases, files)
        there = await played(configured(second), cases, files)
        told = await here.shadow(configured(second))
        assert not any(one.differs for one in await here.shadow(configured(first)))
        return here.started(), there.started(), told

    before, after, told = asyncio.run(whole())
    assert (before | differences(told, Kind.STARTS)) - differences(told, Kind.STOPS) == after
    assert not differences(told, Kind.CHANGES)
