"""The dialect of signed posts keeps the contract, and takes nothing on trust."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace

import pytest

from windlass.forges.generic import GenericDialect
from windlass.forges.plain.program.signing import headers
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import DialectContract, mutated, read_calmly

AT = 1_700_000_000.0
# Each body a hundred times more often where the result is published.
CASES = 10_000 if os.environ.get("CI") else 100
BODIES = ({"type": "image.pushed", "data": {"tag": "v1"}}, {"any": ["thing", 1, None]})


class TestGeneric(DialectContract):
    @pytest.fixture
    def dialect(self):
        return GenericDialect()

    @pytest.fixture
    def signed(self):
        return lambda request, secret: replace(
            request, headers=headers(secret, "msg_1", request.at, request.body)
        )

    @pytest.fixture
    def samples(self):
        return [Request(headers={}, body=json.dumps(one).encode(), at=AT) for one in BODIES]

    def test_s11_no_body_harms_a_reader(self, dialect, samples):
        """Bent thousands of times, a body gives events, Ignored or BadDelivery; nothing else."""
        for number, whole in enumerate(samples):
            chance = random.Random(number)
            for _ in range(CASES):
                read_calmly(dialect, replace(whole, body=mutated(whole.body, chance)))


def test_nothing_but_the_type_is_taken_from_a_post():
    """A sender who claims a branch, a commit or a person is not believed."""
    body = {"type": "x", "branch": "main", "sha": "a" * 40, "sender": {"login": "root", "id": 1}}
    request = Request(headers={}, body=json.dumps(body).encode(), at=AT)
    (event,) = GenericDialect().read(request, "acme/shop")
    assert (event.label, event.title) == ("generic", "x")
    assert event.branch is event.sha is event.sender is event.sender_id is None


def test_a_post_may_say_nothing():
    """That it came is enough."""
    (event,) = GenericDialect().read(Request(headers={}, body=b"{}", at=AT), "acme/shop")
    assert (event.label, event.title) == ("generic", None)
