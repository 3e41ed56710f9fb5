"""
The route that forges speak to, on a store in memory, without a network.
"""

from __future__ import annotations

import asyncio
import hmac
import json

import pytest
from starlette.applications import Starlette

from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.refuse import Refusals
from windlass.forges.github.dialect import GitHubDialect
from windlass.ports.records import Delivery
from windlass.testing.fakes.memory import MemoryStore
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
        return await self.ask([self.chunk(body)], push_headers(body, key, **changes))

    @staticmethod
    def headers(body, key="delivery-1", **changes):
        return push_headers(body, key, **changes)

    @staticmethod
    def chunk(body, *, more=False):
        return {"type": "http.request", "body": body, "more_body": more}

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


def run_on_site(test, **options):
    """Run an async test on a new site."""

    async def whole():
        site = Site(**options)
        try:
            async with asyncio.timeout(30):
                return await test(site)
        finally:
            await site.refusals.close()

    return asyncio.run(whole())


@pytest.fixture
def run():
    """Run an async test on a new site; options are those of `Site`."""
    return run_on_site
