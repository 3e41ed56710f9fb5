"""Who comments is asked what he may do, wherever the head comes from."""

from __future__ import annotations

import asyncio

import pytest

from windlass.core.event import Event, Kind
from windlass.engine import situation
from windlass.ports.forge import Permission
from windlass.ports.records import Repository
from windlass.testing.fakes.forge import FakeForge, FakeRepository

SHOP = Repository(name="shop", forge="plain", url="/x", endpoint="e", default_branch="main")


@pytest.mark.parametrize(
    ("right", "trusted"),
    [(Permission.NONE, False), (Permission.READ, False), (Permission.WRITE, True)],
)
def test_a_commenter_is_trusted_by_his_rights_alone(right, trusted):
    """Most forges do not say with a comment whether its pull request comes from a fork."""
    source = FakeForge()
    source.add(SHOP.url, FakeRepository(people={"7": right}))
    comment = Event(kind=Kind.COMMENT, action="created", repository="shop", number=1, sender_id="7")
    assert asyncio.run(situation._trusted(SHOP, comment, source)) is trusted
