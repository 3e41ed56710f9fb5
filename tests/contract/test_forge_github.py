"""GitHub keeps the contracts, spoken to with a person's token and as an App."""

from __future__ import annotations

import asyncio
import time

import pytest

from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.github.forge import GitHubForge
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
from windlass.testing.servers.github import PERMISSIONS, TOKEN, GitHub
from windlass.testing.servers.serving import Reply

HOOK = Hook(url="http://127.0.0.1:9/", secret=b"a-secret-of-the-hook")


class Now:
    """The machine's time."""

    def now(self):
        return time.time()

    async def sleep(self, _seconds):
        raise AssertionError


class Anew:
    """The client, made anew for each call: every question of a contract has a loop of its own."""

    async def send(self, *words, **more):
        http = Http(Now(), Reach(frozenset({"127.0.0.1"})))
        try:
            return await http.send(*words, **more)
        finally:
            await http.close()


def adapter(token=None, app=None):
    return GitHubForge(Anew(), lambda _url: token, lambda _url: app, Now())


@pytest.fixture
def github(tmp_path):
    with GitHub(tmp_path) as server:
        yield server


@pytest.fixture
def person():
    return adapter(TOKEN)


@pytest.fixture
def app(github):
    return adapter(app=github.register("windlass-acme", PERMISSIONS, "acme/shop"))


class AnyWebhooks(WebhooksContract):
    @pytest.fixture
    def url(self, github):
        return github.address

    @pytest.fixture
    def dialect(self):
        return GitHubDialect()

    @pytest.fixture
    def failed(self, github):
        def fail():
            github.push("main", {"a": "1"})
            github.send()
            return lambda: len(github.asked("POST", ".*/attempts"))

        return fail

    @pytest.fixture
    def pings(self, github):
        def count():
            github.send()
            return sum(one["event"] == "ping" for one in github.shop.deliveries)

        return count

    @pytest.fixture
    def forbidden(self, github):
        return f"{github.url}/acme/vault"

    @pytest.fixture
    def unknown(self, github):
        return f"{github.url}/acme/nowhere"


class TestPersonsWebhooks(AnyWebhooks):
    @pytest.fixture
    def webhooks(self, person):
        return person

    @pytest.fixture
    def anew(self):
        return adapter(TOKEN)


class TestAppsWebhooks(AnyWebhooks):
    @pytest.fixture
    def webhooks(self, app):
        return app


class AnyReports(ReportsContract):
    @pytest.fixture
    def place(self, github):
        number = github.propose("one", {"a": "1"})
        sha = github.shop.pulls[number]["head"]["sha"]
        return Place(url=github.address, sha=sha, number=number)

    @pytest.fixture
    def busy(self, github):
        def pause(seconds):
            headers = {"retry-after": f"{seconds:g}"}
            said = {"message": "You have exceeded a secondary rate limit"}
            github.faults.append(Reply(403, said, headers))

        return pause


def comments(github):
    found = [one["body"] for one in github.shop.comments.values()]
    assert all(one.startswith(f"{MARKER}\n") for one in found)
    return tuple(one.partition("\n")[2] for one in found)


class TestPersonsReports(AnyReports):
    @pytest.fixture
    def reports(self, person):
        return person

    @pytest.fixture
    def seen(self, github, place):
        def status(one):
            neutral = one["description"] == "neutral"
            return Status(
                sha=place.sha,
                context=one["context"],
                state=StatusState.NEUTRAL if neutral else StatusState(one["state"]),
                description="" if neutral else one["description"],
                url=one.get("target_url", ""),
            )

        def look():
            assert not github.shop.checks
            newest = {one["context"]: status(one) for one in github.shop.statuses}
            return Seen(statuses=newest, comments=comments(github))

        return look


class TestAppsReports(AnyReports):
    WORDS = {  # noqa: RUF012 - a table
        (None, "In progress"): StatusState.PENDING,
        ("success", "Succeeded"): StatusState.SUCCESS,
        ("failure", "Failed"): StatusState.FAILURE,
        ("cancelled", "Did not end by itself"): StatusState.ERROR,
        ("neutral", "Neutral"): StatusState.NEUTRAL,
    }

    @pytest.fixture
    def reports(self, app):
        return app

    @pytest.fixture
    def seen(self, github, place):
        states = {conclusion: state for (conclusion, _), state in self.WORDS.items()}

        def status(one):
            title = one["output"]["title"]
            return Status(
                sha=one["head_sha"],
                context=one["name"],
                state=states[one["conclusion"]],
                description="" if (one["conclusion"], title) in self.WORDS else title,
                url=one.get("details_url", ""),
            )

        def look():
            assert not github.shop.statuses
            newest = {one["name"]: status(one) for one in github.shop.checks.values()}
            return Seen(statuses=newest, comments=comments(github))

        return look


class AnySource(SourceContract):
    @pytest.fixture
    def world(self, github):
        return World(
            url=github.address,
            writer=str(github.ada.id),
            stranger="4711",
            default="main",
        )

    @pytest.fixture
    def filled(self, github):
        def fill(count):
            closed, number = github.propose("gone", {"b": "1"}), github.propose("one", {"a": "1"})
            github.shop.pulls[closed]["state"] = "closed"
            tip = github.bench.at("refs/heads/main")
            github.bench.git("tag", "--annotate", "--message=x", "v1", tip)
            github.bench.push("v1", *(f"{tip}:refs/heads/b{at}" for at in range(count)))
            branches = {f"refs/heads/b{at}": tip for at in range(count)}
            proposed = {name: github.bench.at(f"refs/heads/{name}") for name in ("gone", "one")}
            return {
                **branches,
                **{f"refs/heads/{name}": sha for name, sha in proposed.items()},
                "refs/heads/main": tip,
                "refs/tags/v1": tip,
                f"refs/pull/{number}/head": proposed["one"],
            }

        return fill

    @pytest.fixture
    def proposed(self, github):
        def propose():
            number = github.propose(
                "one", {"a": "1"}, github.bo, draft=True, labels=[{"name": "hold"}]
            )
            # Who approved an older head, or has changed their mind, approves no more.
            for by, state in (
                (github.eve, "APPROVED"),
                (github.ada, "CHANGES_REQUESTED"),
            ):
                github.review(number, state, by)
            seen = github.shop.pulls[number]["head"]["sha"]
            head = github.update(number, {"a": "2"})
            for by, state in (
                (github.ada, "APPROVED"),
                (github.ada, "COMMENTED"),
                (github.bo, "APPROVED"),
                (github.bo, "CHANGES_REQUESTED"),
            ):
                github.review(number, state, by)
            return PullRequest(
                number=number,
                title="Add one",
                author="bo",
                author_id=str(github.bo.id),
                base="main",
                head="one",
                head_sha=github.bench.at("refs/heads/one"),
                state=PullState.OPEN,
                draft=True,
                labels=("hold",),
                approved_by=("ada",),
                approvals=(
                    Approval(str(github.eve.id), seen, "eve"),
                    Approval(str(github.ada.id), head, "ada"),
                ),
            )

        return propose

    @pytest.fixture
    def approved(self, github, person):
        asyncio.run(person.install(github.address, HOOK))
        number = github.propose("one", {"a": "1"}, github.bo)
        github.update(number, {"a": "2"})
        github.review(number, "APPROVED", github.eve)
        github.send()
        sent = github.delivered[-1]
        headers = {name.lower(): value for name, value in sent.headers.items()}
        (event,) = GitHubDialect().read(Request(headers=headers, body=sent.body, at=0.0), "shop")
        return Approved(
            number=number,
            by=event.sender_id,
            sha=event.head_sha,
            push=lambda: github.update(number, {"a": "3"}),
            back=lambda: github.shop.reviews[number][-1].update(state="DISMISSED"),
        )


class TestPersonsSource(AnySource):
    @pytest.fixture
    def source(self, person):
        return person


class TestAppsSource(AnySource):
    @pytest.fixture
    def source(self, app):
        return app
