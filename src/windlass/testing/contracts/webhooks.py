"""
What every forge does with our webhook.

Subclass `WebhooksContract` and give it `webhooks`, `url` and `dialect`, and `missing`
when the forge keeps deliveries that did not arrive, `forbidden` when a right can
be missing, `anew` where a second one is cheap:

    class TestMine(WebhooksContract):
        @pytest.fixture
        def webhooks(self):
            return MyForge(...)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from windlass.core.errors import UserError
from windlass.ports.forge import Dialect, Hook, Webhooks


class WebhooksContract:
    """Promises of the port `Webhooks`."""

    @pytest.fixture
    def webhooks(self) -> Webhooks:
        """The forge under test."""
        raise NotImplementedError

    @pytest.fixture
    def url(self) -> str:
        """A repository without a hook of ours."""
        raise NotImplementedError

    @pytest.fixture
    def hook(self) -> Hook:
        """Where webhooks shall go; nobody listens there."""
        return Hook(url="http://127.0.0.1:9/hooks/7", secret=b"correct horse battery staple")

    @pytest.fixture
    def dialect(self) -> Dialect:
        """The dialect that reads what this forge holds."""
        raise NotImplementedError

    @pytest.fixture
    def anew(self, webhooks: Webhooks) -> Webhooks:
        """The same forge after a restart, if it can be had: it remembers nothing."""
        return webhooks

    @pytest.fixture
    def foreign(self) -> Hook:
        """Where somebody else's webhooks go, beside ours."""
        return Hook(url="http://127.0.0.1:8/hooks/7", secret=b"staple battery horse correct")

    @pytest.fixture
    def missing(self) -> Callable[[], None]:
        """Make something happen whose webhook does not arrive."""
        pytest.skip("this forge keeps no deliveries")

    @pytest.fixture
    def forbidden(self) -> str:
        """A repository where we may not set up a webhook."""
        pytest.skip("no right can be missing here")

    @pytest.fixture
    def unknown(self) -> str:
        """No repository at all."""
        return "/nowhere/at/all.git"

    def test_installed_twice_is_once(self, webhooks: Webhooks, url: str, hook: Hook) -> None:
        """Installing again changes nothing, and one removal takes it all away."""

        async def walk() -> None:
            first = await webhooks.install(url, hook)
            assert first.present
            assert not first.problem
            assert await webhooks.install(url, hook) == first
            assert await webhooks.check(url, hook) == first
            await webhooks.remove(url, hook)
            assert not (await webhooks.check(url, hook)).present

        asyncio.run(walk())

    def test_an_absent_hook_is_named(self, webhooks: Webhooks, url: str, hook: Hook) -> None:
        """Without a hook, `check` says so and what to do; removing nothing is fine, twice."""

        async def walk() -> None:
            state = await webhooks.check(url, hook)
            assert not state.present
            assert state.problem
            await webhooks.remove(url, hook)
            await webhooks.remove(url, hook)

        asyncio.run(walk())

    def test_only_ours_is_removed(
        self, webhooks: Webhooks, anew: Webhooks, url: str, hook: Hook, foreign: Hook
    ) -> None:
        """Whoever did not put ours there takes it away all the same, and leaves a foreign one."""

        async def walk() -> None:
            await webhooks.install(url, foreign)
            await anew.remove(url, hook)
            assert (await webhooks.check(url, foreign)).present
            await webhooks.install(url, hook)
            await anew.remove(url, hook)
            assert not (await webhooks.check(url, hook)).present
            assert (await webhooks.check(url, foreign)).present

        asyncio.run(walk())

    def test_a_hook_to_elsewhere_is_repaired(
        self, webhooks: Webhooks, url: str, hook: Hook
    ) -> None:
        """A hook with another address is told, and put right by installing."""

        async def walk() -> None:
            await webhooks.install(url, replace(hook, url="http://127.0.0.1:9/hooks/old"))
            assert (await webhooks.check(url, hook)).problem
            assert not (await webhooks.install(url, hook)).problem

        asyncio.run(walk())

    def test_what_did_not_arrive_is_found(
        self,
        webhooks: Webhooks,
        url: str,
        hook: Hook,
        dialect: Dialect,
        missing: Callable[[], None],
    ) -> None:
        """A lost delivery can be asked for, is signed with our secret, and stays the same one."""

        async def walk() -> list[tuple[str, bytes]]:
            found = await webhooks.missed(url, hook, 0.0)
            return [(dialect.verify(one, (hook.secret,)).delivery_key, one.body) for one in found]

        asyncio.run(webhooks.install(url, hook))
        assert asyncio.run(walk()) == []
        missing()
        first = asyncio.run(walk())
        assert first
        assert asyncio.run(walk()) == first

    @pytest.fixture
    def failed(self) -> Callable[[], Callable[[], int]]:
        """Let deliveries fail; how often they were sent again since then."""
        pytest.skip("this forge sends nothing again")

    def test_what_failed_is_sent_again(
        self, webhooks: Webhooks, url: str, hook: Hook, failed: Callable[[], Callable[[], int]]
    ) -> None:
        """A forge with a log of its own is asked to send again what failed, and only that."""
        asyncio.run(webhooks.install(url, hook))
        again = failed()
        assert asyncio.run(webhooks.missed(url, hook, 0.0)) == ()
        assert again() == 1

    @pytest.fixture
    def pings(self) -> Callable[[], int]:
        """How many pings the forge has sent."""
        pytest.skip("this forge sends no pings")

    def test_a_ping_is_sent(
        self, webhooks: Webhooks, url: str, hook: Hook, pings: Callable[[], int]
    ) -> None:
        """The forge can be asked to prove that it reaches us."""
        asyncio.run(webhooks.install(url, hook))
        before = pings()
        assert asyncio.run(webhooks.ping(url, hook))
        assert pings() == before + 1

    def test_a_missing_right_is_named(self, webhooks: Webhooks, forbidden: str, hook: Hook) -> None:
        """Who may not set up a webhook is told so in words that help."""
        with pytest.raises(UserError) as caught:
            asyncio.run(webhooks.install(forbidden, hook))
        assert caught.value.hint

    def test_an_unknown_repository_is_named(
        self, webhooks: Webhooks, unknown: str, hook: Hook
    ) -> None:
        """A repository that is not there is a person's mistake, and says so."""
        with pytest.raises(UserError, match=unknown):
            asyncio.run(webhooks.install(unknown, hook))
