"""Gitea and Forgejo keep the contracts of a forge."""

from __future__ import annotations

import asyncio

import pytest

from windlass.forges.gitea.dialect import GiteaDialect
from windlass.forges.gitea.forge import GiteaForge
from windlass.forges.http.client import Http
from windlass.ports.forge import (
    MARKER,
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
from windlass.testing.servers.gitea import Gitea
from windlass.testing.servers.gogs_words import Pull
from windlass.testing.servers.serving import Reply

HOOK = Hook(url="http://127.0.0.1:9/", secret=b"a-secret-of-the-hook")
SCOPES = ("write:repository", "write:issue", "read:user")


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


def ours(gitea, ada):
    """Our side of it, with a token of hers."""
    token = gitea.token(ada, *SCOPES)
    return GiteaForge(OneShot(Still(), Reach(frozenset({"127.0.0.1"}))), lambda _url: token)


class OnGitea:
    """A host with a repository, its owner, and our token, which is the owner's."""

    forgejo = False

    @pytest.fixture
    def gitea(self, tmp_path):
        with Gitea(tmp_path, forgejo=self.forgejo) as server:
            yield server

    @pytest.fixture
    def ada(self, gitea):
        return gitea.person("ada")

    @pytest.fixture
    def shop(self, gitea, ada):
        return gitea.repository("acme/shop", ada)

    @pytest.fixture
    def url(self, gitea, shop):
        return f"{gitea.url}/{shop.name}"

    @pytest.fixture
    def forge(self, gitea, ada):
        return ours(gitea, ada)

    @pytest.fixture
    def open_pull(self, gitea, shop, ada):
        def propose(number=7):
            tip = shop.bare.refs("refs/heads")["refs/heads/main"]
            sha = shop.bare.commit("Add one", tip)
            gitea.push(shop, "refs/heads/one", sha, ada)
            pull = Pull(number=number, title="Add one", author=ada, head="one", sha=sha)
            return gitea.propose(shop, pull)

        return propose


class TestWebhooks(OnGitea, WebhooksContract):
    @pytest.fixture
    def webhooks(self, forge):
        return forge

    @pytest.fixture
    def anew(self, gitea, ada):
        return ours(gitea, ada)

    @pytest.fixture
    def dialect(self):
        return GiteaDialect()

    @pytest.fixture
    def pings(self, gitea):
        return lambda: len(gitea.delivered)

    @pytest.fixture
    def forbidden(self, gitea):
        return f"{gitea.url}/{gitea.repository('acme/other', gitea.person('bob')).name}"

    @pytest.fixture
    def unknown(self, gitea):
        return f"{gitea.url}/acme/nowhere"


class TestReports(OnGitea, ReportsContract):
    @pytest.fixture
    def reports(self, forge):
        return forge

    @pytest.fixture
    def place(self, url, open_pull):
        pull = open_pull()
        return Place(url=url, sha=pull.sha, number=pull.number)

    @pytest.fixture
    def seen(self, shop, place):
        def look():
            statuses = {
                one["context"]: _status(one) for one in shop.statuses if one["sha"] == place.sha
            }
            comments = [one.body.removeprefix(f"{MARKER}\n") for one in shop.comments.values()]
            return Seen(statuses=statuses, comments=tuple(comments))

        return look

    @pytest.fixture
    def busy(self, gitea):
        def ask(pause):
            gitea.faults.append(Reply(429, None, {"retry-after": f"{pause:g}"}))

        return ask


class TestSource(OnGitea, SourceContract):
    @pytest.fixture
    def source(self, forge):
        return forge

    @pytest.fixture
    def world(self, gitea, shop, url):
        bob, eve = gitea.person("bob"), gitea.person("eve")
        shop.people["bob"] = "write"
        del gitea.people["eve"]
        return World(url=url, writer=str(bob.id), stranger=str(eve.id), default="main")

    @pytest.fixture
    def filled(self, gitea, shop, ada, open_pull):
        def fill(count):
            pull, gone = open_pull(), open_pull(8)
            gone.state = "closed"
            tip = shop.bare.refs("refs/heads")["refs/heads/main"]
            branches = {f"refs/heads/b{at}": tip for at in range(count)}
            tags = {f"refs/tags/t{at}": tip for at in range(60)}
            shop.bare.fill(branches | tags)
            shop.bare.git("tag", "--annotate", "--message=x", "v1", tip)
            heads = {"refs/heads/main": tip, "refs/heads/one": gone.sha, "refs/tags/v1": tip}
            return {**branches, **tags, **heads, f"refs/pull/{pull.number}/head": pull.sha}

        return fill

    @pytest.fixture
    def proposed(self, gitea, shop, ada, open_pull):
        def propose():
            pull = open_pull()
            bob, eve, late = (gitea.person(name) for name in ("bob", "eve", "late"))
            head, pull.sha = pull.sha, "d" * 40
            gitea.review(shop, pull, "approved", late)
            pull.sha = head
            for by, verdict in (
                (bob, "rejected"),
                (bob, "approved"),
                (bob, "comment"),
                (eve, "approved"),
                (eve, "rejected"),
            ):
                gitea.review(shop, pull, verdict, by)
            pull.labels, pull.title = ("hold",), "WIP: Add one"
            pull.fork, pull.state, pull.merge_sha = 999, "merged", "c" * 40
            return PullRequest(
                number=pull.number,
                title=pull.title,
                author="ada",
                author_id=str(ada.id),
                base="main",
                head="one",
                head_sha=pull.sha,
                state=PullState.MERGED,
                merge_sha="c" * 40,
                fork=True,
                draft=True,
                labels=("hold",),
                approved_by=("bob",),
                approvals=(
                    Approval(str(late.id), "d" * 40, "late"),
                    Approval(str(bob.id), pull.sha, "bob"),
                ),
            )

        return propose

    @pytest.fixture
    def approved(self, gitea, shop, forge, url, open_pull):
        asyncio.run(forge.install(url, HOOK))
        pull, bob = open_pull(), gitea.person("bob")
        gitea.review(shop, pull, "approved", bob)
        sent = gitea.delivered[-1]
        request = Request(headers=sent.headers, body=sent.body, at=0.0)
        (event,) = GiteaDialect().read(request, "shop")
        return Approved(
            number=pull.number,
            by=event.sender_id,
            sha=event.head_sha,
            push=lambda: setattr(pull, "sha", "d" * 40),
            back=lambda: pull.reviews[-1].update(dismissed=True),
        )


class TestForgejoWebhooks(TestWebhooks):
    forgejo = True


class TestForgejoReports(TestReports):
    forgejo = True


class TestForgejoSource(TestSource):
    forgejo = True


def _status(one):
    """What a person reads in it."""
    state, said = StatusState(one["status"]), one["description"]
    if said.startswith("neutral"):
        state, said = StatusState.NEUTRAL, said.removeprefix("neutral").removeprefix(": ")
    return Status(
        sha=one["sha"],
        context=one["context"],
        state=state,
        description=said,
        url=one["target_url"],
    )
