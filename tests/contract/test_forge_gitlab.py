"""GitLab keeps the contracts of webhooks, reports and questions, asked over its API."""

from __future__ import annotations

import asyncio
import time

import pytest

from windlass.forges.gitlab.dialect import GitLabDialect
from windlass.forges.gitlab.forge import GitLabForge
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
from windlass.testing.plain import Receiver
from windlass.testing.servers.gitlab import ADA, BOT, EVE, TOKEN, GitLab
from windlass.testing.servers.serving import Reply

HOOK = Hook(url="http://127.0.0.1:9/", secret=b"a-secret-of-the-hook")
SAID = {
    "pending": StatusState.PENDING,
    "running": StatusState.PENDING,
    "success": StatusState.SUCCESS,
    "failed": StatusState.FAILURE,
    "canceled": StatusState.ERROR,
    "skipped": StatusState.NEUTRAL,
}


class Now:
    """Real time; nobody here waits for it."""

    def now(self):
        return time.time()


class PerLoop(Http):
    """A client for each event loop, since the contracts ask in one after the other."""

    def __init__(self):
        self.loop = None

    async def send(self, *words, **named):
        if self.loop is not asyncio.get_running_loop():
            self.loop, self.open = asyncio.get_running_loop(), _opened()
            self.http = await anext(self.open)
        return await self.http.send(*words, **named)


async def _opened():
    """A client; the end of its loop ends this generator, and so closes it."""
    http = Http(Now(), Reach(frozenset({"127.0.0.1"})), within=10.0)
    try:
        yield http
    finally:
        await http.close()


@pytest.fixture
def gitlab(tmp_path):
    with GitLab(tmp_path) as server:
        yield server


@pytest.fixture
def forge(gitlab):
    return GitLabForge(PerLoop(), lambda url: TOKEN)


class TestWebhooks(WebhooksContract):
    @pytest.fixture
    def webhooks(self, forge):
        return forge

    @pytest.fixture
    def url(self, gitlab):
        return gitlab.web(gitlab.shop)

    @pytest.fixture
    def anew(self):
        return GitLabForge(PerLoop(), lambda url: TOKEN)

    @pytest.fixture
    def dialect(self):
        return GitLabDialect()

    @pytest.fixture
    def receiver(self):
        with Receiver() as receiver:
            yield receiver

    @pytest.fixture
    def hook(self, receiver):
        return Hook(url=receiver.url, secret=b"correct horse battery staple")

    @pytest.fixture
    def failed(self, gitlab, receiver):
        def fail():
            # The first is lost, and the second is not.
            receiver.answers.append(500)
            for _ in range(2):
                gitlab.push(gitlab.shop, "refs/heads/main")
            before = len(gitlab.delivered)
            return lambda: len(gitlab.delivered) - before

        return fail

    @pytest.fixture
    def pings(self, gitlab):
        return lambda: len(gitlab.delivered)

    @pytest.fixture
    def forbidden(self, gitlab):
        return gitlab.web(gitlab.vault)

    @pytest.fixture
    def unknown(self, gitlab):
        return f"{gitlab.url}/no/where"


class TestReports(ReportsContract):
    @pytest.fixture
    def reports(self, forge):
        return forge

    @pytest.fixture
    def place(self, gitlab):
        number = gitlab.propose(gitlab.shop)
        sha = gitlab.shop.requests[number]["sha"]
        return Place(url=gitlab.web(gitlab.shop), sha=sha, number=number)

    @pytest.fixture
    def seen(self, gitlab, place):
        def look():
            newest = {one["name"]: one for one in gitlab.shop.statuses if one["sha"] == place.sha}
            statuses = {
                name: Status(
                    sha=place.sha,
                    context=name,
                    state=SAID[one["status"]],
                    description=one["description"] or "",
                    url=one["target_url"] or "",
                )
                for name, one in newest.items()
            }
            notes = gitlab.shop.notes.get(place.number, [])
            texts = [one["body"].partition("\n")[2] for one in notes if one["author"]["id"] == BOT]
            return Seen(statuses=statuses, comments=tuple(texts))

        return look

    @pytest.fixture
    def busy(self, gitlab):
        return lambda pause: gitlab.faults.append(
            Reply(429, {"message": "Retry later"}, {"retry-after": str(int(pause))})
        )


class TestSource(SourceContract):
    @pytest.fixture
    def source(self, forge):
        return forge

    @pytest.fixture
    def world(self, gitlab):
        url = gitlab.web(gitlab.shop)
        return World(url=url, writer=str(ADA), stranger="43", default="main")

    @pytest.fixture
    def filled(self, gitlab):
        def fill(count):
            shop = gitlab.shop
            gone, number = gitlab.propose(shop, "gone"), gitlab.propose(shop, "one")
            gitlab.merge(shop, gone)
            tip = shop.bare.git("rev-parse", "main")
            shop.bare.git(
                *("-c", "user.name=x", "-c", "user.email=x@x"), "tag", "-a", "-m", "x", "v1", tip
            )
            shop.bare.point({f"refs/heads/b{at}": tip for at in range(count)})
            head = shop.requests[number]["sha"]
            return {
                **{f"refs/heads/b{at}": tip for at in range(count)},
                "refs/heads/main": tip,
                "refs/heads/one": head,
                "refs/tags/v1": tip,
                "refs/heads/gone": shop.requests[gone]["sha"],
                f"refs/pull/{number}/head": head,
            }

        return fill

    @pytest.fixture
    def proposed(self, gitlab):
        def propose():
            number = gitlab.propose(gitlab.shop, "fix", source=4711)
            gitlab.approve(gitlab.shop, number, EVE)
            merged = gitlab.merge(gitlab.shop, number)
            return PullRequest(
                number=number,
                title="Add fix",
                author="ada",
                author_id=str(ADA),
                base="main",
                head="fix",
                head_sha=gitlab.shop.requests[number]["sha"],
                state=PullState.MERGED,
                merge_sha=merged,
                fork=True,
                labels=("ready",),
                approved_by=("eve",),
                approvals=(Approval(str(EVE), gitlab.shop.requests[number]["sha"], "eve"),),
            )

        return propose

    @pytest.fixture
    def approved(self, gitlab, forge):
        shop = gitlab.shop
        asyncio.run(forge.install(gitlab.web(shop), HOOK))
        number = gitlab.propose(shop, "one")
        gitlab.update(shop, number)
        gitlab.approve(shop, number, EVE)
        sent = gitlab.delivered[-1]
        (event,) = GitLabDialect().read(Request(headers={}, body=sent.body, at=0.0), "shop")
        return Approved(
            number=number,
            by=event.sender_id,
            sha=event.head_sha,
            push=lambda: gitlab.update(shop, number),
            back=lambda: gitlab.revoke(shop, number, EVE),
        )

    def test_an_approval_without_a_time_may_be_of_an_older_head(
        self, gitlab, source, world, approved
    ):
        """Older GitLabs do not tell when it was given: that it stands is all that is known."""
        gitlab.shop.approved[approved.number] = {EVE: ""}
        pull = asyncio.run(source.pull(world.url, approved.number))
        assert pull.approvals == (Approval(str(EVE), "", "eve"),)
