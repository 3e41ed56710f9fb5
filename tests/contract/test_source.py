"""What every forge, real or fake, tells of a repository keeps the contract."""

from __future__ import annotations

import asyncio
import os
import pwd

import pytest

from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.plain.forge import PlainForge
from windlass.ports.forge import Hook, Permission, PullRequest, PullState, Request
from windlass.testing.contracts.source import Approved, SourceContract, World
from windlass.testing.fakes.forge import FakeForge, FakeRepository
from windlass.testing.plain import Bench


class TestPlain(SourceContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return Bench(tmp_path)

    @pytest.fixture
    def source(self):
        return PlainForge()

    @pytest.fixture
    def world(self, bench, source):
        me = pwd.getpwuid(os.geteuid()).pw_name
        asyncio.run(source.install(bench.url, Hook(url="http://127.0.0.1:9/", secret=b"x")))
        return World(url=bench.url, writer=f"os:{me}", stranger="os:no-such-user", default="main")

    @pytest.fixture
    def filled(self, bench, source):
        def fill(count):
            closed, number = bench.propose("gone", {"b": "1"}), bench.propose("one", {"a": "1"})
            asyncio.run(source.close(bench.url, closed, "ada"))
            tip = bench.at("refs/heads/main")
            bench.git("tag", "--annotate", "--message=x", "v1", tip)
            bench.push("v1", *(f"{tip}:refs/heads/b{at}" for at in range(count)))
            branches = {f"refs/heads/b{at}": tip for at in range(count)}
            proposed = f"refs/pull/{number}/head"
            rest = {"refs/heads/main": tip, "refs/tags/v1": tip, proposed: bench.at(proposed)}
            return {**branches, **rest}

        return fill

    @pytest.fixture
    def proposed(self, bench):
        def propose():
            number = bench.propose("one", {"a": "1"})
            me = pwd.getpwuid(os.geteuid()).pw_name
            return PullRequest(
                number=number,
                title="Add one",
                author=me,
                author_id=f"os:{me}",
                base="main",
                head="one",
                head_sha=bench.at(f"refs/pull/{number}/head"),
                state=PullState.OPEN,
            )

        return propose

    @pytest.fixture
    def approved(self, bench, source, world):
        number = bench.propose("one", {"a": "1"})
        bench.propose("one", {"a": "2"})
        before = set(bench.bare.glob("windlass/outbox/*.json"))
        asyncio.run(source.approve(bench.url, number, "bob"))
        (body,) = set(bench.bare.glob("windlass/outbox/*.json")) - before
        (event,) = PlainDialect().read(Request(headers={}, body=body.read_bytes(), at=0.0), "shop")
        return Approved(
            number=number,
            by=event.sender_id,
            sha=event.head_sha,
            push=lambda: bench.propose("one", {"a": "3"}),
        )


class TestFake(SourceContract):
    @pytest.fixture
    def source(self):
        return FakeForge()

    @pytest.fixture
    def world(self, source):
        people = {"42": Permission.WRITE}
        source.add("acme/shop", FakeRepository(people=people, default="trunk"))
        return World(url="acme/shop", writer="42", stranger="43", default="trunk")

    @pytest.fixture
    def filled(self, source, world):
        def fill(count):
            heads = {f"refs/heads/b{at}": "a" * 40 for at in range(count)}
            source.repositories[world.url].heads.update(heads)
            return heads

        return fill

    @pytest.fixture
    def proposed(self, source, world):
        def propose():
            pull = PullRequest(
                number=7,
                title="one",
                author="ada",
                author_id="42",
                base="trunk",
                head="one",
                head_sha="b" * 40,
                state=PullState.OPEN,
                approved_by=("grace",),
            )
            source.repositories[world.url].proposals[7] = pull
            return pull

        return propose

    @pytest.fixture
    def approved(self, source, world, proposed):
        pull = proposed()
        source.approve(world.url, pull.number, "44")
        return Approved(
            number=pull.number,
            by="44",
            sha=pull.head_sha,
            push=lambda: source.push(world.url, pull.number, "c" * 40),
            back=lambda: source.revoke(world.url, pull.number, "44"),
        )
