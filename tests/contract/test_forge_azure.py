"""Azure DevOps keeps the contracts of Webhooks, Reports and Source."""

from __future__ import annotations

import asyncio
import time

import pytest

from windlass.forges.azure.dialect import AzureDialect
from windlass.forges.azure.forge import AzureForge
from windlass.forges.azure.reports import STATES
from windlass.forges.http.client import Http
from windlass.ports.forge import MARKER, Approval, Hook, PullRequest, PullState, Request, Status
from windlass.reach import Reach
from windlass.testing.contracts.reports import Place, ReportsContract, Seen
from windlass.testing.contracts.source import Approved, SourceContract, World
from windlass.testing.contracts.webhooks import WebhooksContract
from windlass.testing.servers.azure import AzureServer
from windlass.testing.servers.azure_state import Person
from windlass.testing.servers.serving import Reply

HOOK = Hook(url="http://127.0.0.1:9/", secret=b"a-secret-of-the-hook")
TOKEN = "azure-token-of-windlass"


class Wall:
    """The clock on the wall."""

    def now(self):
        return time.time()


class Fresh:
    """The forge, with a client of its own for every call, as each is made in a loop of its own."""

    def __init__(self, tokens):
        self.forge = AzureForge(None, tokens)

    def __getattr__(self, name):
        async def call(*given):
            self.forge._http = Http(Wall(), Reach(frozenset({"127.0.0.1"})))
            try:
                return await getattr(self.forge, name)(*given)
            finally:
                await self.forge._http.close()

        return call


@pytest.fixture
def server(tmp_path):
    with AzureServer(tmp_path) as server:
        yield server


@pytest.fixture
def home(server):
    return server.add("Web Shop", "shop")


@pytest.fixture
def address(home):
    return f"{home.url.replace(' ', '%20')}/_git/{home.name}"


@pytest.fixture
def forge():
    return Fresh(lambda _url: TOKEN)


class TestWebhooks(WebhooksContract):
    @pytest.fixture
    def webhooks(self, forge):
        return forge

    @pytest.fixture
    def url(self, address):
        return address

    @pytest.fixture
    def anew(self):
        return Fresh(lambda _url: TOKEN)

    @pytest.fixture
    def dialect(self):
        return AzureDialect()

    @pytest.fixture
    def missing(self, server, home):
        # Nobody listens at the contract's address.
        return lambda: server.push(home, "refs/heads/main", home.commit("Lost"))

    @pytest.fixture
    def pings(self, server):
        return lambda: server.pings

    @pytest.fixture
    def forbidden(self, server, home):
        server.add("Web Shop", "vault").hookers.clear()
        return f"{server.url}/acme/Web%20Shop/_git/vault"

    @pytest.fixture
    def unknown(self, server, home):
        return f"{server.url}/acme/shop/_git/nothing"


class TestReports(ReportsContract):
    @pytest.fixture
    def reports(self, forge):
        return forge

    @pytest.fixture
    def place(self, server, home, address):
        home.point({"refs/heads/one": home.commit("One")})
        number = server.propose(home, "one").number
        return Place(url=address, sha=home.refs()["refs/heads/one"][0], number=number)

    @pytest.fixture
    def seen(self, server, home, place):
        states = {word: state for state, word in STATES.items()}

        def look():
            said = {
                one["context"]["name"]: Status(
                    sha=one["sha"],
                    context=one["context"]["name"],
                    state=states[one["state"]],
                    description=one["description"],
                    url=one.get("targetUrl", ""),
                )
                for one in home.statuses
                if one["sha"] == place.sha and one["context"]["genre"] == "windlass"
            }
            threads = home.threads.get(place.number, [])
            comments = [one["comments"][0] for one in threads]
            mine = [
                one["content"].removeprefix(f"{MARKER}\n")
                for one in comments
                if one["author"]["displayName"] == "windlass" and not one.get("isDeleted")
            ]
            return Seen(statuses=said, comments=tuple(mine))

        return look

    @pytest.fixture
    def busy(self, server):
        return lambda pause: server.faults.append(
            Reply(429, {"message": "slow down"}, {"retry-after": str(int(pause))})
        )


class TestSource(SourceContract):
    @pytest.fixture
    def source(self, forge):
        return forge

    @pytest.fixture
    def world(self, server, address):
        return World(
            url=address,
            writer=server.people["ada"].id,
            stranger=Person("nobody").id,
            default="main",
        )

    @pytest.fixture
    def filled(self, server, home):
        def fill(count):
            tip = home.refs()["refs/heads/main"][0]
            branches = {f"refs/heads/b{at}": tip for at in range(count)}
            other = home.commit("Other")
            home.point({**branches, "refs/heads/one": other, "refs/heads/gone": other})
            home.git("tag", "--annotate", "--message=x", "v1", tip)
            server.propose(home, "gone").status = "abandoned"
            number = server.propose(home, "one").number
            rest = {"refs/heads/main": tip, "refs/heads/one": other, "refs/heads/gone": other}
            proposed = {f"refs/pull/{number}/head": other, "refs/tags/v1": tip}
            return {**branches, **rest, **proposed}

        return fill

    @pytest.fixture
    def proposed(self, server, home):
        def propose():
            head = home.commit("One")
            home.point({"refs/heads/one": head})
            made = server.propose(home, "one", labels=("hold",), more={"isDraft": True})
            grace = Person("grace")
            made.voted(grace, 10)
            made.voted(Person("eve"), -5)
            team = {**server.people["team"].shown, "vote": 10, "isContainer": True}
            made.votes["team"] = team
            return PullRequest(
                number=made.number,
                title="Add one",
                author="ada",
                author_id=server.people["ada"].id,
                base="main",
                head="one",
                head_sha=head,
                state=PullState.OPEN,
                draft=True,
                labels=("hold",),
                approved_by=("grace",),
                approvals=(Approval(grace.id, head, "grace"),),
            )

        return propose

    @pytest.fixture
    def approved(self, server, home, address, forge):
        asyncio.run(forge.install(address, HOOK))
        home.point({"refs/heads/one": home.commit("One")})
        pull, mallory = server.propose(home, "one"), server.people["mallory"]

        def push():
            home.point({"refs/heads/one": home.commit(f"More {len(pull.iterations)}")})
            pull.iterated()

        push()
        # A vote sends nothing that is read; what mallory says does.
        server.say(pull, mallory, "Good.")
        sent = server.delivered[-1]
        (event,) = AzureDialect().read(Request(headers={}, body=sent.body, at=0.0), "shop")
        pull.voted(mallory, 10)
        return Approved(
            number=pull.number,
            by=event.sender_id,
            sha=event.head_sha,
            push=push,
            back=lambda: pull.voted(mallory, 0),
        )
