"""
What the route takes: every answer, and what is stored for it.
"""

from __future__ import annotations

import asyncio
import time
import zlib

import pytest

from windlass.forges.github.dialect import GitHubDialect
from windlass.ports.records import Audit
from windlass.web.endpoints import Endpoint, Endpoints

NAME = "endpoint-of-shop"
SECRET = b"It's a Secret to Everybody"


def test_a_signed_push_is_stored_and_answered_202(run):
    """With the delivery's id and its page; the body as it came."""

    async def test(site):
        answer = await site.post(b'{"ref":"refs/heads/FB1"}')
        (stored,) = await site.stored()
        assert answer.status == 202
        assert answer.json == {
            "delivery": stored.id,
            "url": f"https://windlass.example/api/v1/deliveries/{stored.id}",
        }
        assert zlib.decompress(stored.body) == b'{"ref":"refs/heads/FB1"}'
        assert stored.repository == "acme/shop"
        assert "x-hub-signature-256" not in stored.headers

    run(test)


def test_how_long_a_request_took_is_kept_with_it(run):
    """In milliseconds, from its first byte until all but the disk was done."""

    async def test(site):
        begun = time.perf_counter()
        await site.post(b'{"ref":"refs/heads/FB1"}')
        (stored,) = await site.stored()
        assert 0.0 < stored.took < (time.perf_counter() - begun) * 1000

    run(test)


def test_the_same_delivery_again_is_202_with_the_same_id(run):
    """One row, however often it comes."""

    async def test(site):
        answers = await asyncio.gather(*(site.post() for _ in range(20)))
        assert {answer.status for answer in answers} == {202}
        assert len({answer.json["delivery"] for answer in answers}) == 1
        assert len(await site.stored()) == 1

    run(test)


def test_the_same_id_with_another_body_is_409(run):
    """The first stays, and the audit has the second."""

    async def test(site):
        await site.post(b"1")
        answer = await site.post(b"2")
        assert (answer.status, answer.json["error"]["code"]) == (409, "delivery-differs")
        assert len(await site.stored()) == 1
        assert len(await site.stored(Audit)) == 1

    run(test)


def test_a_ping_is_200(run):
    """It is on record, and nothing follows from it."""

    async def test(site):
        answer = await site.post(x_github_event="ping")
        (stored,) = await site.stored()
        assert (answer.status, answer.json["delivery"]) == (200, stored.id)
        assert stored.state == "done"

    run(test)


def test_half_a_surrogate_pair_is_202_and_said(run):
    """Replaced in what is stored; the delivery says so, and again it is the same."""

    async def test(site):
        answers = [await site.post(b'["\\ud800"]') for _ in range(2)]
        (stored,) = await site.stored()
        assert {answer.json["delivery"] for answer in answers} == {stored.id}
        assert zlib.decompress(stored.body) == b'["\\ufffd"]'
        assert "replaced" in stored.reason

    run(test)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/cloudevents+json"]
)
def test_json_by_any_name_is_taken(run, kind):
    """With parameters, and as a suffix."""

    async def test(site):
        assert (await site.post(content_type=kind)).status == 202

    run(test)


def test_a_body_in_pieces_is_one_body(run):
    """However the network cuts it."""

    async def test(site):
        body = b'{"a":"' + b"x" * 300 + b'"}'
        parts = [site.chunk(body[n : n + 7], more=True) for n in range(0, len(body), 7)]
        answer = await site.ask([*parts, site.chunk(b"")], site.headers(body))
        assert answer.status == 202

    run(test)


def test_a_change_is_seen_once_it_is_said(run):
    """Endpoints are looked up once, and again after `forget`; also in the middle of a look-up."""
    gate = asyncio.Event()

    async def test(site):
        asked = []

        async def look_up(name):
            asked.append(name)
            answer = len(asked)
            if answer == 1:
                await gate.wait()
            return Endpoint(
                name=name, repository=str(answer), dialect=GitHubDialect(), secrets=(SECRET,)
            )

        endpoints = Endpoints(look_up)
        stale = asyncio.create_task(endpoints.of(NAME))
        await asyncio.sleep(0)
        endpoints.forget()
        gate.set()
        await stale
        for _ in range(3):
            found = await endpoints.of(NAME)
            assert found is not None
            assert found.repository == "2"
        endpoints.forget()
        found = await endpoints.of(NAME)
        assert found is not None
        assert found.repository == "3"

    run(test)


def test_the_secret_before_ends_at_its_time(run):
    """Until then it is as good as the new one; nobody has to look the endpoint up anew."""

    async def look_up(name):
        dialect, previous = GitHubDialect(), (SECRET,)
        return Endpoint(
            name=name,
            repository="acme/shop",
            dialect=dialect,
            secrets=(b"a new one",),
            previous=previous,
            previous_until=7000.0,
        )

    async def test(site):
        site.clock.time = 6999.0
        assert (await site.post(key="one")).status == 202
        site.clock.time = 7000.0
        assert (await site.post(key="two")).status == 401

    run(test, look_up=look_up)


def test_an_endpoint_does_not_show_its_secrets():
    """Not even by accident, in a log."""
    endpoint = Endpoint(
        name=NAME,
        repository="r",
        dialect=GitHubDialect(),
        secrets=(SECRET,),
        previous=(SECRET,),
    )
    assert "Secret" not in repr(endpoint)
