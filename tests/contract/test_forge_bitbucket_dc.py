"""Bitbucket Data Center keeps a forge's contracts, against a server that refuses as it does."""

from __future__ import annotations

import asyncio
import time

import pytest

from windlass.forges.bitbucket_dc.dialect import BitbucketDataCenterDialect
from windlass.forges.bitbucket_dc.forge import BitbucketDataCenterForge
from windlass.forges.bitbucket_words import MARK
from windlass.forges.http.client import Http
from windlass.ports.forge import (
    Approval,
    Hook,
    PullRequest,
    PullState,
    Request,
    Status,
    StatusState,
)
from windlass.reach import Reach
from windlass.testing.contracts.reports import Place, ReportsContract, Seen
from windlass.testing.contracts.source import Approved, SourceContract, World
from windlass.testing.contracts.webhooks import WebhooksContract
from windlass.testing.servers.bitbucket_dc import BitbucketDataCenterServer
from windlass.testing.servers.serving import Reply

HOOK = Hook(url="http://127.0.0.1:9/", secret=b"a-secret-of-the-hook")
BOT = "an-http-access-token-of-the-bot"


class Clock:
    def now(self):
        return time.time()


class EachItsOwn:
    """A client that holds no connection between two calls, so that each may run in a new loop."""

    async def send(self, *what, **more):
        http = Http(Clock(), Reach(frozenset({"127.0.0.1"})), within=10.0)
        try:
            return await http.send(*what, **more)
        finally:
            await http.close()


@pytest.fixture
def server(tmp_path):
    with BitbucketDataCenterServer(tmp_path, "/bitbucket") as server:
        server.token(BOT, server.person("bot"))
        yield server


@pytest.fixture
def bot(server):
    return server.tokens[BOT].who


@pytest.fixture
def shop(server, bot):
    return server.repository("ACME", "shop", bot)


@pytest.fixture
def forge():
    return BitbucketDataCenterForge(EachItsOwn(), lambda _url: BOT)


class TestWebhooks(WebhooksContract):
    @pytest.fixture
    def webhooks(self, forge):
        return forge

    @pytest.fixture
    def url(self, server, shop):
        return server.address(shop)

    @pytest.fixture
    def anew(self):
        return BitbucketDataCenterForge(EachItsOwn(), lambda _url: BOT)

    @pytest.fixture
    def dialect(self):
        return BitbucketDataCenterDialect()

    @pytest.fixture
    def forbidden(self, server, bot):
        vault = server.repository("ACME", "vault", server.person("grace"))
        vault.rights[bot.id] = "REPO_WRITE"
        return server.address(vault)

    @pytest.fixture
    def pings(self, server):
        return lambda: sum(
            one.headers["x-event-key"] == "diagnostics:ping" for one in server.delivered
        )

    @pytest.fixture
    def unknown(self, server):
        return f"{server.base}/projects/ACME/repos/nowhere"


STATES = {
    "INPROGRESS": StatusState.PENDING,
    "SUCCESSFUL": StatusState.SUCCESS,
    "FAILED": StatusState.FAILURE,
}


def told(sha, body, page):
    """A status as a person reads it; the commit's own page is no page of a result."""
    word, _, rest = body["description"].partition(": ")
    state = STATES[body["state"]]
    if word in {"error", "neutral"}:
        state, text = StatusState(word), rest
    else:
        text = body["description"]
    url = "" if body["url"] == page else body["url"]
    return Status(sha=sha, context=body["name"], state=state, description=text, url=url)


class TestReports(ReportsContract):
    @pytest.fixture
    def reports(self, forge):
        return forge

    @pytest.fixture
    def pull(self, server, shop):
        return server.proposed(shop, "one", server.person("ada"))

    @pytest.fixture
    def place(self, server, shop, pull):
        return Place(url=server.address(shop), sha=shop.bare.at(pull.ref), number=pull.number)

    @pytest.fixture
    def seen(self, shop, pull, place):
        def look():
            page = f"{place.url}/commits/{place.sha}"
            statuses = [told(sha, body, page) for (sha, _), body in shop.builds.items()]
            shown = [one["comment"]["text"] for one in pull.activities]
            return Seen(
                statuses={one.context: one for one in statuses if one.sha == place.sha},
                comments=tuple(text.removeprefix(f"{MARK}\n\n") for text in shown),
            )

        return look

    @pytest.fixture
    def busy(self, server):
        def ask(pause):
            error = {"message": "You have been rate limited", "exceptionName": "x"}
            headers = {"retry-after": f"{pause:.0f}"}
            server.faults.append(Reply(429, {"errors": [error]}, headers))

        return ask


class TestSource(SourceContract):
    @pytest.fixture
    def source(self, forge):
        return forge

    @pytest.fixture
    def world(self, server, shop):
        ada, eve = server.person("ada"), server.person("eve")
        shop.rights[ada.id] = "REPO_WRITE"
        return World(
            url=server.address(shop), writer=str(ada.id), stranger=str(eve.id), default="main"
        )

    @pytest.fixture
    def filled(self, server, shop, bot):
        def fill(count):
            server.declined(shop, server.proposed(shop, "gone", bot), bot)
            fork = server.repository("~eve", "shop", server.person("eve"))
            near, far = server.proposed(shop, "one", bot), server.proposed(shop, "two", bot, fork)
            main = shop.bare.at("refs/heads/main")
            shop.bare.point({f"refs/heads/b{at}": main for at in range(count)})
            shop.bare.tag("v1", main)
            return {
                **{f"refs/heads/b{at}": main for at in range(count)},
                **{f"refs/heads/{name}": shop.bare.at(name) for name in ("main", "gone", "one")},
                "refs/tags/v1": main,
                f"refs/pull/{near.number}/head": shop.bare.at(near.ref),
                f"refs/pull/{far.number}/head": shop.bare.at(far.ref),
            }

        return fill

    @pytest.fixture(params=["here", "fork", "merged"])
    def proposed(self, server, shop, request):
        def propose():
            ada = server.person("ada")
            fork = server.repository("~eve", "shop", ada) if request.param == "fork" else None
            pull = server.proposed(shop, "one", ada, fork)
            pull.draft, grace = fork is not None, server.person("grace")
            server.approved(shop, pull, grace)
            merged = server.merged(shop, pull, ada) if request.param == "merged" else ""
            return PullRequest(
                number=pull.number,
                title="Add one",
                author="ada",
                author_id=str(ada.id),
                base="main",
                head="one",
                head_sha=shop.bare.at(pull.ref),
                state=PullState.MERGED if merged else PullState.OPEN,
                merge_sha=merged,
                fork=fork is not None,
                draft=fork is not None,
                approved_by=("grace",),
                approvals=(Approval(str(grace.id), shop.bare.at(pull.ref), "grace"),),
            )

        return propose

    @pytest.fixture
    def approved(self, server, shop, forge):
        asyncio.run(forge.install(server.address(shop), HOOK))
        ada, grace = server.person("ada"), server.person("grace")
        pull = server.proposed(shop, "one", ada)
        server.moved(shop, pull, ada)
        server.approved(shop, pull, grace)
        sent = server.delivered[-1]
        request = Request(headers=sent.headers, body=sent.body, at=0.0)
        (event,) = BitbucketDataCenterDialect().read(request, "shop")
        return Approved(
            number=pull.number,
            by=event.sender_id,
            sha=event.head_sha,
            push=lambda: server.moved(shop, pull, ada),
            back=lambda: server.unapproved(shop, pull, grace),
        )
