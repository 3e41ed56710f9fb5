"""
What the route refuses: with which answer, and that nothing is stored for it.
"""

from __future__ import annotations

import asyncio
import hmac

import pytest

from windlass.core.errors import Transient
from windlass.ports.records import Refusal
from windlass.testing.fakes.memory import MemoryStore
from windlass.web import limits as web_limits
from windlass.web.limits import Limits

SECRET = b"It's a Secret to Everybody"


BODY = b'{"a":1}'
RIGHT = hmac.digest(SECRET, BODY, "sha256").hex()


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        RIGHT,
        f"sha1={RIGHT}",
        f"sha256={RIGHT[:-1]}0" if RIGHT[-1] != "0" else f"sha256={RIGHT[:-1]}1",
        f"sha256={RIGHT.upper()}",
        "sha256=\xe4\xf6\xfc",
        "s" * 65000,
        "sha256=" + hmac.digest(b"another secret", BODY, "sha256").hex(),
    ],
)
def test_what_is_not_signed_is_401_and_takes_no_id(run, signature):
    """Nothing is parsed or stored, and the true delivery of that id is still new."""

    async def test(site):
        wrong = await site.post(BODY, x_hub_signature_256=signature)
        assert (wrong.status, wrong.json["error"]["code"]) == (401, "signature")
        assert await site.stored() == []
        (noted,) = await site.stored(Refusal)
        assert (noted.status, noted.repository, noted.source) == (401, "acme/shop", "192.0.2.1")
        assert (await site.post(BODY)).status == 202

    run(test)


def test_two_signature_headers_are_401(run):
    """Not even when one of them is right."""

    async def test(site):
        headers = [*site.headers(BODY), ("x-hub-signature-256", "sha256=00")]
        assert (await site.ask([site.chunk(BODY)], headers)).status == 401

    run(test)


def test_a_malformed_body_is_401_unless_it_is_signed(run):
    """Nothing is parsed before it is trusted."""

    async def test(site):
        bad = b'{"a":1,"a":'
        assert (await site.post(bad, x_hub_signature_256="sha256=00")).status == 401
        answer = await site.post(bad)
        assert (answer.status, answer.json["error"]["code"]) == (400, "malformed")
        assert await site.stored() == []

    run(test)


@pytest.mark.parametrize("name", ["unknown-endpoint", "short", "x" * 65, "a%2Fb" * 5, "\xe4" * 9])
def test_an_unknown_endpoint_is_404(run, name):
    """Asked twice, the store is looked into once at most."""

    async def test(site):
        for _ in range(2):
            answer = await site.ask([site.chunk(b"")], [], path=f"/hooks/{name}")
            assert (answer.status, answer.json["error"]["code"]) == (404, "not-found")
        assert len(site.looked_up) <= 1

    run(test)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_another_method_is_405(run, method):
    """And says which one it is."""

    async def test(site):
        answer = await site.ask([site.chunk(b"")], [], method=method)
        assert answer.status == 405
        assert answer.headers[b"allow"] == b"POST"

    run(test)


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": None},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "text/json"},
        {"content_type": "application/json, application/json"},
        {"content_encoding": "gzip"},
        {"content_encoding": "br"},
    ],
)
def test_another_type_or_encoding_is_415(run, headers):
    """Nothing is unpacked, so there is no bomb."""

    async def test(site):
        answer = await site.post(**headers)
        assert (answer.status, answer.json["error"]["code"]) == (415, "media-type")
        assert answer.headers[b"connection"] == b"close"

    run(test)


def test_a_body_that_says_it_is_too_large_is_413_unread(run):
    """Not one byte of it is read."""

    async def test(site):
        answer = await site.ask([], site.headers(b"", content_length=str(26 * 1024 * 1024)))
        assert (answer.status, answer.json["error"]["code"]) == (413, "too-large")
        assert answer.headers[b"connection"] == b"close"

    run(test)


def test_a_body_that_grows_too_large_is_413_at_the_limit(run):
    """Without a declared length it is cut off, and no memory stays taken."""

    async def test(site):
        headers = site.headers(b"", content_length=None, transfer_encoding="chunked")
        parts = [site.chunk(b"x" * 60, more=True) for _ in range(100)]
        answer = await site.ask(parts, headers)
        assert answer.status == 413
        assert site.hooks._held == 0
        body = b'"' + b"x" * 97 + b'"'
        assert (await site.post(body)).status == 202

    run(test, limits=Limits(body=100))


def test_a_slow_body_is_408(run, monkeypatch):
    """The time is for the whole body, so a byte now and then does not help."""
    monkeypatch.setattr(web_limits, "LOOK", 0.01)

    async def test(site):
        answer = await site.ask([site.chunk(b"{", more=True)], site.headers(b"{}"))
        assert (answer.status, answer.json["error"]["code"]) == (408, "slow")
        assert site.hooks._held == 0
        assert (await site.post()).status == 202

    run(test, limits=Limits(slow=0.05))


def test_too_many_bodies_at_once_are_503(run):
    """Memory stays within its bound; the sender comes again."""

    async def test(site):
        first = asyncio.create_task(
            site.ask([site.chunk(b"x" * 80, more=True)], site.headers(b"", content_length=None))
        )
        await asyncio.sleep(0)
        answer = await site.post(b'"' + b"x" * 30 + b'"')
        assert answer.status == 503
        assert int(answer.headers[b"retry-after"]) > 0
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert site.hooks._held == 0
        assert (await site.post(b'"' + b"x" * 30 + b'"')).status == 202

    run(test, limits=Limits(held=100))


class Broken(MemoryStore):
    """A store that does not store deliveries."""

    def fail(self):
        raise Transient("the disk is full", retry_after=7.2)

    async def transaction(self, work):
        return self.fail()


class Odd(Broken):
    def fail(self):
        raise KeyError("secret detail")


class Hanging(MemoryStore):
    hangs = True

    async def transaction(self, work):
        if self.hangs:
            await asyncio.Event().wait()
        return await MemoryStore.transaction(self, work)


@pytest.mark.parametrize("store", [Broken, Odd])
def test_what_cannot_be_stored_is_503_with_retry_after(run, store):
    """Whatever it was, and nothing of the inside is shown."""

    async def test(site):
        answer = await site.post()
        assert (answer.status, answer.json["error"]["code"]) == (503, "not-stored")
        assert answer.headers[b"retry-after"] in {b"8", b"5"}
        assert "detail" not in str(answer.json)
        assert "disk" not in str(answer.json)

    run(test, store=store())


def test_a_store_that_hangs_is_503_in_time(run, monkeypatch):
    """Before the most impatient forge hangs up."""
    monkeypatch.setattr(web_limits, "LOOK", 0.01)

    async def test(site):
        answer = await site.post()
        assert (answer.status, answer.json["error"]["code"]) == (503, "not-stored")
        site.store.hangs = False

    run(test, store=Hanging(), limits=Limits(store=0.05))


def test_an_error_nobody_foresaw_is_logged_once_without_secrets(run, capsys):
    """503, one line in the log, and no secret or body in it."""

    async def look_up(name):
        raise RuntimeError("odd")

    async def test(site):
        answer = await site.post(b'{"body":"of the request"}')
        assert answer.status == 503
        assert "odd" not in str(answer.json)

    run(test, look_up=look_up)
    logged = "".join(capsys.readouterr())
    assert logged.count("hook failed") == 1
    assert "RuntimeError" in logged
    assert "Secret" not in logged
    assert "of the request" not in logged


def test_a_sender_that_hangs_up_is_not_answered(run):
    """And leaves nothing behind."""

    async def test(site):
        messages = [site.chunk(b"{", more=True), {"type": "http.disconnect"}]
        assert await site.ask(messages, site.headers(b"{}")) is None
        assert await site.stored() == []
        assert site.hooks._held == 0

    run(test)


def test_one_source_that_is_refused_too_often_is_429(run):
    """For the rest of the minute, at that endpoint; the ring notes no more of it."""

    async def test(site):
        for _ in range(3):
            assert (await site.post(x_hub_signature_256="sha256=00")).status == 401
        answer = await site.post()
        assert answer.status == 429
        assert 0 < int(answer.headers[b"retry-after"]) <= 60
        assert {one.status for one in await site.stored(Refusal)} == {401}
        site.clock.time += 60
        assert (await site.post()).status == 202

    run(test, limits=Limits(refusals=3))
