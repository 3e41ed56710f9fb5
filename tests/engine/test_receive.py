"""
Receive: stored once, whatever comes how often.
"""

from __future__ import annotations

import asyncio
import zlib
from contextlib import contextmanager
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.errors import BadDelivery, Bug, Conflict, Transient
from windlass.engine.ids import Ids
from windlass.engine.receive import KEPT, Arrival, Receive
from windlass.engine.refuse import Refusals, Refused
from windlass.engine.wellformed import MENDED, wellformed
from windlass.ports.records import Audit, Delivery, Refusal
from windlass.testing.fakes.memory import MemoryStore


class Clock:
    """A clock that stands, and counts how long one slept."""

    def __init__(self):
        self.slept = 0.0
        self.gate = asyncio.Event()

    def now(self):
        return 1000.0

    async def sleep(self, seconds):
        self.slept += seconds
        await self.gate.wait()


def arrival(key="k", body=b"{}", **changes):
    """A verified request."""
    given_ = {"endpoint": "e", "repository": "acme/shop", "headers": {}, "at": 5.0, **changes}
    return Arrival(key=key, body=body, digest=sha256(body).hexdigest(), **given_)


def receiver(store):
    return Receive(store, Clock(), Ids(lambda: 1000.0))


def deliveries(store):
    return asyncio.run(store.read(lambda tx: tx.find(Delivery, order="id")))


def test_a_delivery_is_stored_as_it_came():
    """Its body, compressed; its digest; the headers that may be kept; due at once."""
    store = MemoryStore()
    headers = {"x-github-event": "push", "authorization": "Basic c2VjcmV0"}
    identity = asyncio.run(receiver(store)(arrival(body=b'{"a":1}', headers=headers)))
    (stored,) = deliveries(store)
    assert stored.id == identity
    assert zlib.decompress(stored.body) == b'{"a":1}'
    assert stored.digest == sha256(b'{"a":1}').hexdigest()
    assert stored.headers == {"x-github-event": "push"}
    assert (stored.state, stored.due_at, stored.source) == ("received", 5.0, "webhook")


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "cookie",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-github-encoded-secret",
        "x-gitlab-token",
        "x-gitea-signature",
        "x-forgejo-signature",
        "x-gogs-signature",
        "webhook-signature",
        "x-forwarded-for",
        "x-anything-new",
    ],
)
def test_no_header_that_may_be_a_secret_is_kept(name):
    """The list says what is kept, so what a forge invents tomorrow is not."""
    assert name not in KEPT
    store = MemoryStore()
    asyncio.run(receiver(store)(arrival(headers={name: "secret"})))
    assert deliveries(store)[0].headers == {}


def test_the_same_delivery_again_is_the_same():
    """One row and one id, one after the other and all at once."""
    store = MemoryStore()

    async def test():
        receive = receiver(store)
        first = await receive(arrival())
        again = await asyncio.gather(*(receive(arrival()) for _ in range(50)))
        many = await asyncio.gather(*(receive(arrival("other")) for _ in range(50)))
        return {first, *again}, set(many)

    one, other = asyncio.run(test())
    assert len(one) == len(other) == 1
    assert len(deliveries(store)) == 2


def test_the_same_key_with_another_body_is_refused_and_recorded():
    """The first stays; the audit says that there was a second."""
    store = MemoryStore()

    async def test():
        receive = receiver(store)
        first = await receive(arrival(body=b"1"))
        with pytest.raises(Conflict, match="another body") as refused:
            await receive(arrival(body=b"2"))
        assert first in refused.value.hint
        return await store.read(lambda tx: tx.find(Audit))

    (entry,) = asyncio.run(test())
    assert entry.what == "delivery-differs"
    assert [one.digest for one in deliveries(store)] == [sha256(b"1").hexdigest()]


def test_keys_belong_to_their_endpoint():
    """Two repositories may be sent the same id."""
    store = MemoryStore()

    async def test():
        receive = receiver(store)
        return await receive(arrival()), await receive(arrival(endpoint="other"))

    one, other = asyncio.run(test())
    assert one != other


def test_long_values_are_cut_and_long_keys_are_digested():
    """What a sender writes has a bound at rest."""
    store = MemoryStore()
    asyncio.run(receiver(store)(arrival(key="k" * 5000, headers={"user-agent": "a" * 5000})))
    (stored,) = deliveries(store)
    assert stored.delivery_key == "sha256:" + sha256(b"k" * 5000).hexdigest()
    assert len(stored.headers["user-agent"]) == 512


class Failing(MemoryStore):
    """A store that fails as it is told to."""

    __slots__ = ("failure",)

    async def transaction(self, work):
        await asyncio.sleep(0)
        if (failure := getattr(self, "failure", None)) is not None:
            raise failure
        return await MemoryStore.transaction(self, work)


@pytest.mark.parametrize(
    ("failure", "told"),
    [(Transient("full", retry_after=7.0), Transient), (KeyError("odd"), Bug)],
)
def test_what_cannot_be_stored_fails_everyone_who_waits(failure, told):
    """Nobody is told otherwise, and nobody waits for ever; afterwards it goes on."""
    store = Failing()

    async def test():
        receive = receiver(store)
        store.failure = failure
        asked = (receive(arrival(str(n))) for n in range(5))
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in found] == [told] * 5
        assert getattr(found[0], "retry_after", 7.0) == 7.0
        store.failure = None
        assert await receive(arrival())

    asyncio.run(test())
    assert len(deliveries(store)) == 1


def test_one_who_hung_up_takes_nobody_along():
    """A cancelled request may be stored; the others of its group are answered."""
    store = Failing()

    async def test():
        receive = receiver(store)
        tasks = [asyncio.create_task(receive(arrival(str(n)))) for n in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(test())
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(one, str) for one in found[1:])


def test_a_ping_is_stored_as_done():
    """It shows that the hook works, and there is nothing to do about it."""
    store = MemoryStore()
    asyncio.run(receiver(store)(arrival(ping=True)))
    (stored,) = deliveries(store)
    assert (stored.state, stored.reason) == ("done", "ping")


@given(st.lists(st.floats(0, 4e9), min_size=2, max_size=30))
def test_ids_rise_whatever_the_clock_does(times):
    """In one process each id is above the one before it."""
    moments = iter(times)
    ids = Ids(lambda: next(moments), entropy=lambda size: b"\xff" * size)
    made = [ids.new() for _ in times]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {26}


REFUSED = {
    "no JSON": [b"", b"{", b"NaN", b'{"a":1}x', b'"\x00"', b"\xff", b"\xef\xbb\xbf{}", b"[1e999]"],
    "UTF-16": ["{}".encode("utf-16")],
    "deep": [b"[" * 100_000, b"[" * 500 + b"]" * 500],
    "long": [b"9" * 5000, b"[9999999999999999999999]", b"-99999999999999999999"],
    "twice": [b'{"a":1,"a":1}', b'[{"b":{"a":1,"\\u0061":2}}]'],
}


@pytest.mark.parametrize("body", [body for bodies in REFUSED.values() for body in bodies])
def test_a_body_that_readers_could_differ_on_is_refused(body):
    """With one class of error, whatever is wrong with it."""
    with pytest.raises(BadDelivery) as refused:
        wellformed(body)
    assert refused.value.trusted


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        (b'["\\ud83d\\ude00"]', b'["\\ud83d\\ude00"]'),
        (b'["\\ud800"]', b'["\\ufffd"]'),
        (
            b'["\\uDC00 \\\\ud800 \\ud83d\\ude00\\ud83d"]',
            b'["\\ufffd \\\\ud800 \\ud83d\\ude00\\ufffd"]',
        ),
    ],
)
def test_half_a_surrogate_pair_is_replaced_and_said(body, mended):
    """Real commit messages have them; the rest of the body stays as it is."""
    found = wellformed(body)
    assert found.content == mended
    assert found.note == ("" if body == mended else MENDED)


def test_wellformed_bodies_of_any_style_pass_unchanged():
    """Compact or not, escaped or not, with any number that has one reading."""
    for body in (b"{}", b' {"a" : [1, -0, 1.50, 1e5, 18446744073709551615]}\n', b'"\\u0000\\/"'):
        assert wellformed(body).content == body


def refused(**changes):
    given_ = {"endpoint": "e", "repository": "r", "status": 401, "reason": "wrong", "size": 9}
    return Refused(**{**given_, "source": "10.0.0.1", "headers": {"cookie": "c"}, **changes})


@contextmanager
def collected(slots=5):
    """Refusals on a clock that stands."""
    store = MemoryStore()
    with asyncio.Runner() as runner:

        async def make():
            return Refusals(store, Clock(), slots=slots)

        yield store, runner, runner.run(make())


def test_refusals_are_kept_in_a_ring():
    """The newest stay, and there are never more than its slots."""
    with collected() as (store, runner, refusals):

        async def fill():
            for number in range(12):
                refusals.note(refused(reason=f"reason {number}"))
                await refusals.flush()
            await refusals.close()
            return await store.read(lambda tx: tx.find(Refusal))

        found = runner.run(fill())
    assert {one.reason for one in found} == {f"reason {number}" for number in range(7, 12)}
    assert all(one.headers == {} for one in found)


def test_a_flood_is_a_few_rows_with_a_count():
    """Like refusals become one; too many unlike ones are only counted."""
    with collected(slots=1000) as (store, runner, refusals):

        async def flood():
            for number in range(5000):
                refusals.note(refused())
                refusals.note(refused(source=f"10.0.{number // 250}.{number % 250}"))
            await asyncio.sleep(0)
            await refusals.close()
            return await store.read(lambda tx: tx.find(Refusal))

        found = runner.run(flood())
    assert len(found) <= 65
    assert any("times" in one.reason for one in found)
    assert any("more from other places" in one.reason for one in found)
