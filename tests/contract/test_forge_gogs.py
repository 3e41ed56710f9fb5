"""Gogs keeps the contracts of a forge, as far as it has what they speak of."""

from __future__ import annotations

import asyncio

import pytest

from windlass.core.errors import NotFound, Permanent, Transient
from windlass.forges.gogs.dialect import GogsDialect
from windlass.forges.gogs.forge import GogsForge
from windlass.forges.http.client import Http
from windlass.ports.forge import MARKER, Status, StatusState
from windlass.reach import Reach
from windlass.testing.contracts.reports import Place, ReportsContract, Seen
from windlass.testing.contracts.source import SourceContract, World
from windlass.testing.contracts.webhooks import WebhooksContract
from windlass.testing.servers.gogs import Gogs
from windlass.testing.servers.gogs_words import Pull
from windlass.testing.servers.serving import Reply


class Still:
    """A clock that stands."""

    def now(self):
        return 1000.0

    async def sleep(self, seconds):
        """Wait for nothing."""


class OneShot(Http):
    """A client for each call, since each question of a contract has a loop of its own."""

    async def send(self, *words, **more):
        http = Http(Still(), Reach(frozenset({"127.0.0.1"})))
        try:
            return await http.send(*words, **more)
        finally:
            await http.close()


def ours(gogs, ada):
    """Our side of it, with a token of hers."""
    token = gogs.token(ada)
    return GogsForge(OneShot(Still(), Reach(frozenset({"127.0.0.1"}))), lambda _url: token)


class OnGogs:
    """A host with a repository, its owner, and our token, which is the owner's."""

    @pytest.fixture
    def gogs(self, tmp_path):
        with Gogs(tmp_path) as server:
            yield server

    @pytest.fixture
    def ada(self, gogs):
        return gogs.person("ada")

    @pytest.fixture
    def shop(self, gogs, ada):
        return gogs.repository("acme/shop", ada)

    @pytest.fixture
    def url(self, gogs, shop):
        return f"{gogs.url}/{shop.name}"

    @pytest.fixture
    def forge(self, gogs, ada):
        return ours(gogs, ada)

    @pytest.fixture
    def pull(self, gogs, shop, ada):
        tip = shop.bare.refs("refs/heads")["refs/heads/main"]
        sha = shop.bare.commit("Add one", tip)
        gogs.push(shop, "refs/heads/one", sha, ada)
        return gogs.propose(shop, Pull(number=7, title="Add one", author=ada, head="one", sha=sha))


class TestWebhooks(OnGogs, WebhooksContract):
    @pytest.fixture
    def webhooks(self, forge):
        return forge

    @pytest.fixture
    def anew(self, gogs, ada):
        return ours(gogs, ada)

    @pytest.fixture
    def dialect(self):
        return GogsDialect()

    @pytest.fixture
    def forbidden(self, gogs):
        return f"{gogs.url}/{gogs.repository('acme/other', gogs.person('bob')).name}"

    @pytest.fixture
    def unknown(self, gogs):
        return f"{gogs.url}/acme/nowhere"

    def test_a_ping_is_not_promised(self, webhooks, url, hook):
        """Gogs can be asked for a test on its pages only, and that is said."""
        assert not asyncio.run(webhooks.ping(url, hook))


class TestReports(OnGogs, ReportsContract):
    @pytest.fixture
    def reports(self, forge):
        return forge

    @pytest.fixture
    def place(self, url, pull):
        return Place(url=url, sha=pull.sha, number=pull.number)

    @pytest.fixture
    def seen(self, shop):
        def look():
            comments = [one.body.removeprefix(f"{MARKER}\n") for one in shop.comments.values()]
            return Seen(statuses={}, comments=tuple(comments))

        return look

    @pytest.fixture
    def busy(self, gogs):
        def ask(pause):
            gogs.faults.append(Reply(429, None, {"retry-after": f"{pause:g}"}))

        return ask

    def test_a_status_told_twice_is_once(self, gogs, reports, place, seen):
        """Gogs has no commit statuses: each is refused in words, and the forge is not asked."""
        status = Status(sha=place.sha, context="windlass/ci", state=StatusState.SUCCESS)
        with pytest.raises(Permanent, match="no commit statuses; the result is on Windlass's page"):
            asyncio.run(reports.status(place.url, status))
        assert not gogs.calls

    def test_the_last_status_counts(self, reports, place, seen):
        """Whatever the status says, it is refused alike."""
        for state in StatusState:
            with pytest.raises(Permanent, match="knows no commit statuses"):
                asyncio.run(
                    reports.status(place.url, Status(sha=place.sha, context="ci", state=state))
                )

    def test_a_pause_is_transient(self, reports, place, busy):
        """A forge that asks for a pause is asked again after it, not before."""
        busy(17.0)
        with pytest.raises(Transient) as caught:
            asyncio.run(reports.comment(place.url, place.number, "text"))
        assert caught.value.retry_after == 17.0
        asyncio.run(reports.comment(place.url, place.number, "text"))


class TestSource(OnGogs, SourceContract):
    @pytest.fixture
    def source(self, forge):
        return forge

    @pytest.fixture
    def world(self, gogs, shop, url):
        bob, eve = gogs.person("bob"), gogs.person("eve")
        shop.people["bob"] = "write"
        return World(url=url, writer=str(bob.id), stranger=str(eve.id), default="main")

    @pytest.fixture
    def filled(self, shop, pull):
        def fill(count):
            tip = shop.bare.refs("refs/heads")["refs/heads/main"]
            branches = {f"refs/heads/b{at}": tip for at in range(count)}
            shop.bare.fill(branches)
            shop.bare.git("tag", "--annotate", "--message=x", "v1", tip)
            # Of pull requests its API tells nothing.
            rest = {"refs/heads/main": tip, "refs/heads/one": pull.sha, "refs/tags/v1": tip}
            return {**branches, **rest}

        return fill

    @pytest.fixture
    def proposed(self):
        pytest.skip("does not apply: Gogs has no API of pull requests")

    @pytest.fixture
    def approved(self):
        pytest.skip("does not apply: Gogs has no reviews")

    def test_a_pull_request_cannot_be_told(self, gogs, source, world, pull):
        """What Gogs does not tell is said, and an issue is no pull request."""
        with pytest.raises(Permanent, match="does not tell the branches of a pull request"):
            asyncio.run(source.pull(world.url, pull.number))
        gogs.issues.add(8)
        with pytest.raises(NotFound, match="no pull request"):
            asyncio.run(source.pull(world.url, 8))
