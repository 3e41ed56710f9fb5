"""
The route that forges speak to: every answer, and what is stored for it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import zlib

import pytest
from starlette.applications import Starlette

from windlass.core.errors import Transient
from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.refuse import Refusals
from windlass.forges.github import GitHubDialect
from windlass.ports.records import Audit, Delivery, Refusal
from windlass.testing.fakes.memory import MemoryStore
from windlass.web import limits as web_limits
from windlass.web.endpoints import Endpoint, Endpoints
from windlass.web.hooks import Hooks, routes
from windlass.web.limits import Limits

SECRET = b"It's a Secret to Everybody"
NAME = "endpoint-of-shop"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.time = 6000.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        await asyncio.Event().wait()


class Sent:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.json = json.loads(body)


class Site:
    """The route on a store in memory, spoken to as a server would."""

    def __init__(self, store=None, limits=None, look_up=None):
        self.store = store or MemoryStore()
        self.clock = Clock()
        self.looked_up = []
        self.refusals = Refusals(self.store, self.clock)
        self.hooks = Hooks(
            receive=Receive(self.store, self.clock, Ids(self.clock.now)),
            endpoints=Endpoints(look_up or self.look_up),
            refusals=self.refusals,
            clock=self.clock,
            url="https://windlass.example",
            limits=limits or Limits(),
        )
        self.app = Starlette(routes=list(routes(self.hooks)))

    async def look_up(self, name):
        self.looked_up.append(name)
        if name != NAME:
            return None
        return Endpoint(
            name=NAME,
            repository="acme/shop",
            dialect=GitHubDialect(),
            secrets=(SECRET,),
        )

    async def ask(self, messages, headers, method="POST", path=f"/hooks/{NAME}"):
        """Send these messages of ASGI; after the last one nothing comes any more."""
        left = iter(messages)
        answer = []

        async def receive():
            for message in left:
                return message
            return await asyncio.Event().wait()

        async def send(message):
            answer.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "https",
            "client": ("192.0.2.1", 5),
            "server": ("windlass.example", 443),
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        }
        await self.app(scope, receive, send)
        if not answer:
            return None
        return Sent(answer[0]["status"], dict(answer[0]["headers"]), answer[1]["body"])

    async def post(self, body=b'{"zen":1}', key="delivery-1", **changes):
        """A push as GitHub sends it; a header set to None is left out."""
        return await self.ask([chunk(body)], push_headers(body, key, **changes))

    async def stored(self, kind=Delivery):
        await self.refusals.flush()
        return await self.store.read(lambda tx: tx.find(kind))


def push_headers(body, key="delivery-1", **changes):
    signature = hmac.digest(SECRET, body, "sha256").hex()
    headers = {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/1",
        "x-github-event": "push",
        "x-github-delivery": key,
        "x-hub-signature-256": f"sha256={signature}",
        "content-length": str(len(body)),
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return [(name, value) for name, value in headers.items() if value is not None]


def chunk(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def run(test, **options):
    """Run an async test on a new site."""

    async def whole():
        site = Site(**options)
        try:
            async with asyncio.timeout(30):
                return await test(site)
        finally:
            await site.refusals.close()

    return asyncio.run(whole())


def test_a_signed_push_is_stored_and_answered_202():
    """With the delivery's id and its page; the body as it came."""

    async def test(site):
        answer = await site.post(b'{"ref":"refs/heads/FB1"}')
        (stored,) = await site.stored()
        assert answer.status == 202
        assert answer.json == {
            "delivery": stored.id,
            "url": f"https://windlass.example/deliveries/{stored.id}",
        }
        assert zlib.decompress(stored.body) == b'{"ref":"refs/heads/FB1"}'
        assert stored.repository == "acme/shop"
        assert "x-hub-signature-256" not in stored.headers

    run(test)


def test_the_same_delivery_again_is_202_with_the_same_id():
    """One row, however often it comes."""

    async def test(site):
        answers = await asyncio.gather(*(site.post() for _ in range(20)))
        assert {answer.status for answer in answers} == {202}
        assert len({answer.json["delivery"] for answer in answers}) == 1
        assert len(await site.stored()) == 1

    run(test)


def test_the_same_id_with_another_body_is_409():
    """The first stays, and the audit has the second."""

    async def test(site):
        await site.post(b"1")
        answer = await site.post(b"2")
        assert (answer.status, answer.json["error"]["code"]) == (409, "delivery-differs")
        assert len(await site.stored()) == 1
        assert len(await site.stored(Audit)) == 1

    run(test)


def test_a_ping_is_200():
    """It is on record, and nothing follows from it."""

    async def test(site):
        answer = await site.post(x_github_event="ping")
        (stored,) = await site.stored()
        assert (answer.status, answer.json["delivery"]) == (200, stored.id)
        assert stored.state == "done"

    run(test)


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
def test_what_is_not_signed_is_401_and_takes_no_id(signature):
    """Nothing is parsed or stored, and the true delivery of that id is still new."""

    async def test(site):
        wrong = await site.post(BODY, x_hub_signature_256=signature)
        assert (wrong.status, wrong.json["error"]["code"]) == (401, "signature")
        assert await site.stored() == []
        (noted,) = await site.stored(Refusal)
        assert (noted.status, noted.repository, noted.source) == (401, "acme/shop", "192.0.2.1")
        assert (await site.post(BODY)).status == 202

    run(test)


def test_two_signature_headers_are_401():
    """Not even when one of them is right."""

    async def test(site):
        headers = [*push_headers(BODY), ("x-hub-signature-256", "sha256=00")]
        assert (await site.ask([chunk(BODY)], headers)).status == 401

    run(test)


def test_a_malformed_body_is_401_unless_it_is_signed():
    """Nothing is parsed before it is trusted."""

    async def test(site):
        bad = b'{"a":1,"a":'
        assert (await site.post(bad, x_hub_signature_256="sha256=00")).status == 401
        answer = await site.post(bad)
        assert (answer.status, answer.json["error"]["code"]) == (400, "malformed")
        assert await site.stored() == []

    run(test)


def test_half_a_surrogate_pair_is_202_and_said():
    """Replaced in what is stored; the delivery says so, and again it is the same."""

    async def test(site):
        answers = [await site.post(b'["\\ud800"]') for _ in range(2)]
        (stored,) = await site.stored()
        assert {answer.json["delivery"] for answer in answers} == {stored.id}
        assert zlib.decompress(stored.body) == b'["\\ufffd"]'
        assert "replaced" in stored.reason

    run(test)


@pytest.mark.parametrize("name", ["unknown-endpoint", "short", "x" * 65, "a%2Fb" * 5, "\xe4" * 9])
def test_an_unknown_endpoint_is_404(name):
    """Asked twice, the store is looked into once at most."""

    async def test(site):
        for _ in range(2):
            answer = await site.ask([chunk(b"")], [], path=f"/hooks/{name}")
            assert (answer.status, answer.json["error"]["code"]) == (404, "not-found")
        assert len(site.looked_up) <= 1

    run(test)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_another_method_is_405(method):
    """And says which one it is."""

    async def test(site):
        answer = await site.ask([chunk(b"")], [], method=method)
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
def test_another_type_or_encoding_is_415(headers):
    """Nothing is unpacked, so there is no bomb."""

    async def test(site):
        answer = await site.post(**headers)
        assert (answer.status, answer.json["error"]["code"]) == (415, "media-type")
        assert answer.headers[b"connection"] == b"close"

    run(test)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/cloudevents+json"]
)
def test_json_by_any_name_is_taken(kind):
    """With parameters, and as a suffix."""

    async def test(site):
        assert (await site.post(content_type=kind)).status == 202

    run(test)


def test_a_body_that_says_it_is_too_large_is_413_unread():
    """Not one byte of it is read."""

    async def test(site):
        answer = await site.ask([], push_headers(b"", content_length=str(26 * 1024 * 1024)))
        assert (answer.status, answer.json["error"]["code"]) == (413, "too-large")
        assert answer.headers[b"connection"] == b"close"

    run(test)


def test_a_body_that_grows_too_large_is_413_at_the_limit():
    """Without a declared length it is cut off, and no memory stays taken."""

    async def test(site):
        headers = push_headers(b"", content_length=None, transfer_encoding="chunked")
        parts = [chunk(b"x" * 60, more=True) for _ in range(100)]
        answer = await site.ask(parts, headers)
        assert answer.status == 413
        assert site.hooks._held == 0
        body = b'"' + b"x" * 97 + b'"'
        assert (await site.post(body)).status == 202

    run(test, limits=Limits(body=100))


def test_a_body_in_pieces_is_one_body():
    """However the network cuts it."""

    async def test(site):
        body = b'{"a":"' + b"x" * 300 + b'"}'
        parts = [chunk(body[n : n + 7], more=True) for n in range(0, len(body), 7)]
        answer = await site.ask([*parts, chunk(b"")], push_headers(body))
        assert answer.status == 202

    run(test)


def test_a_slow_body_is_408(monkeypatch):
    """The time is for the whole body, so a byte now and then does not help."""
    monkeypatch.setattr(web_limits, "LOOK", 0.01)

    async def test(site):
        answer = await site.ask([chunk(b"{", more=True)], push_headers(b"{}"))
        assert (answer.status, answer.json["error"]["code"]) == (408, "slow")
        assert site.hooks._held == 0
        assert (await site.post()).status == 202

    run(test, limits=Limits(slow=0.05))


def test_too_many_bodies_at_once_are_503():
    """Memory stays within its bound; the sender comes again."""

    async def test(site):
        first = asyncio.create_task(
            site.ask([chunk(b"x" * 80, more=True)], push_headers(b"", content_length=None))
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


class Hanging(Broken):
    async def transaction(self, work):
        return await asyncio.Event().wait()


@pytest.mark.parametrize("store", [Broken, Odd])
def test_what_cannot_be_stored_is_503_with_retry_after(store):
    """Whatever it was, and nothing of the inside is shown."""

    async def test(site):
        answer = await site.post()
        assert (answer.status, answer.json["error"]["code"]) == (503, "not-stored")
        assert answer.headers[b"retry-after"] in {b"8", b"5"}
        assert "detail" not in str(answer.json)
        assert "disk" not in str(answer.json)

    run(test, store=store())


def test_a_store_that_hangs_is_503_in_time(monkeypatch):
    """Before the most impatient forge hangs up."""
    monkeypatch.setattr(web_limits, "LOOK", 0.01)

    async def test(site):
        answer = await site.post()
        assert (answer.status, answer.json["error"]["code"]) == (503, "not-stored")

    async def whole():
        async with asyncio.timeout(30):
            await test(Site(store=Hanging(), limits=Limits(store=0.05)))

    asyncio.run(whole())


def test_an_error_nobody_foresaw_is_logged_once_without_secrets(capsys):
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


def test_a_sender_that_hangs_up_is_not_answered():
    """And leaves nothing behind."""

    async def test(site):
        messages = [chunk(b"{", more=True), {"type": "http.disconnect"}]
        assert await site.ask(messages, push_headers(b"{}")) is None
        assert await site.stored() == []
        assert site.hooks._held == 0

    run(test)


def test_one_source_that_is_refused_too_often_is_429():
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


def test_a_change_is_seen_once_it_is_said():
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


def test_an_endpoint_does_not_show_its_secrets():
    """Not even by accident, in a log."""
    endpoint = Endpoint(name=NAME, repository="r", dialect=GitHubDialect(), secrets=(SECRET,))
    assert "Secret" not in repr(endpoint)
