"""Our webhook on GitHub: made, mended, taken away, and what it brings."""

from __future__ import annotations

import pytest

from windlass.core.errors import UserError, WindlassError
from windlass.forges.github.dialect import GitHubDialect
from windlass.ports.forge import (
    Hook,
    Request,
)
from windlass.testing.plain import Receiver

SECRET = b"correct horse battery staple"
AWAY = Hook(url="http://127.0.0.1:9/hooks/" + "e" * 24, secret=b"correct horse battery staple")


def test_a_hook_that_is_off_is_told_and_put_right(ask, github):
    """Each thing that differs is named, and installing mends them all with one hook left."""

    async def play(forge):
        assert not (await forge.install(github.address, AWAY)).problem
        (hook,) = github.shop.hooks.values()
        hook["active"], hook["events"] = False, ["push"]
        hook["config"] = {**hook["config"], "insecure_ssl": "1", "content_type": "form"}
        problem = (await forge.check(github.address, AWAY)).problem
        for part in ("switched off", "pull_request_review", "TLS", "JSON"):
            assert part in problem
        assert not (await forge.install(github.address, AWAY)).problem
        assert not (await forge.check(github.address, AWAY)).problem
        assert len(github.shop.hooks) == 1

    ask(play)


def test_only_our_hooks_are_touched(ask, github):
    """Surplus ones of ours go; those of others stay, whatever is asked."""
    urls = [
        "https://chat.example/hooks/" + "x" * 24,
        "http://127.0.0.1:9/other",
        "http://127.0.0.1:10/hooks/7",
        "https://127.0.0.1:9/hooks/7",
        "http://127.0.0.1:9/hooks/old",
        "http://127.0.0.1:9/hooks/older",
    ]
    for number, url in enumerate(urls):
        config = {"url": url, "content_type": "json", "insecure_ssl": "0"}
        hook = {"id": number, "active": True, "events": ["push"], "config": config}
        github.shop.hooks[number] = {**hook, "last_response": {"status": "unused"}}

    def there():
        return {hook["config"]["url"] for hook in github.shop.hooks.values()}

    async def play(forge):
        assert "2 webhooks" in (await forge.check(github.address, AWAY)).problem
        await forge.install(github.address, AWAY)
        assert there() == {*urls[:4], AWAY.url}
        await forge.remove(github.address, AWAY)
        assert there() == set(urls[:4])

    ask(play)


def test_a_failed_delivery_is_told(ask, github):
    """How the last one failed, in GitHub's words."""

    async def play(forge):
        await forge.install(github.address, AWAY)
        github.send()
        state = await forge.check(github.address, AWAY)
        assert state.present
        assert "failed to connect" in state.problem

    ask(play)


def test_an_address_that_github_refuses_is_a_persons_mistake(ask, github):
    """It is said with the setting that mends it."""

    async def play(forge):
        with pytest.raises(UserError) as caught:
            await forge.install(github.address, Hook(url="ftp://x/hooks/7", secret=SECRET))
        assert "public_url" in caught.value.hint

    ask(play)


def test_what_is_sent_is_understood(ask, github):
    """From the hook that we make to the events that our dialect reads."""
    dialect = GitHubDialect()
    with Receiver() as receiver:
        hook = Hook(url=receiver.url, secret=SECRET)
        ask(lambda forge: forge.install(github.address, hook))
        github.push("main", {"a": "1"})
        number = github.propose("one", {"b": "1"})
        updated = github.update(number, {"b": "2"})
        github.say(number, "/windlass run", github.eve)
        merged = github.merge(number)
        github.send()
        events = []
        for one in receiver.wait(9):
            assert dialect.verify(one, (SECRET,)).delivery_key == one.headers["x-github-delivery"]
            events += dialect.read(one, "acme/shop")
    labels = [f"{event.kind} {event.action}" for event in events]
    assert labels == [
        "ping pinged",
        "push pushed",
        "push pushed",
        "branch created",
        "pull_request opened",
        "push pushed",
        "pull_request updated",
        "comment created",
        "push pushed",
        "pull_request merged",
    ]
    assert events[6].sha == updated
    assert events[7].sender_id == str(github.eve.id)
    assert events[9].sha == merged


def test_what_failed_comes_again_and_only_that(ask, github, clock):
    """Not what came through at last, not a ping, not what is older than GitHub's log or `since`."""
    with Receiver() as receiver:
        hook = Hook(url=receiver.url, secret=SECRET)

        async def play(forge):
            await forge.install(github.address, hook)
            receiver.answers[:] = [500, 500]
            github.send()  # the ping
            github.push("main", {"a": "0"})
            github.send()
            clock.time += 3 * 86_400 + 1
            receiver.answers[:] = [202, 500, 500]
            for text in ("1", "2", "3"):
                github.push("main", {"a": text})
            github.send()
            clock.time += 60
            lost = [one.headers["x-github-delivery"] for one in receiver.requests[3:5]]
            assert await forge.missed(github.address, hook, clock.time) == ()
            assert await forge.missed(github.address, hook, 0.0) == ()
            github.send()
            came = [one.headers["x-github-delivery"] for one in receiver.requests[5:]]
            assert came == lost
            await forge.missed(github.address, hook, 0.0)
            assert not github.queue

        ask(play)


def test_the_log_is_read_over_its_pages(ask, github):
    """A hundred and more that failed are found, and one that is gone does not hold up others."""

    async def play(forge):
        await forge.install(github.address, AWAY)
        github.push("main", {"a": "1"})
        github.send()
        one = github.shop.deliveries[-1]
        for number in range(150):
            github.shop.deliveries.append({**one, "id": 10_000 + number, "guid": f"g{number}"})
        await forge.missed(github.address, AWAY, 0.0)
        assert len(github.asked("GET", ".*/deliveries")) == 2
        assert len(github.asked("POST", ".*/attempts")) == 100

    ask(play)


def test_a_bad_request_is_not_a_trusted_one(github):
    """The server of these tests signs; what it did not sign is refused by our dialect."""
    request = Request(headers={"x-github-event": "ping"}, body=b"{}", at=0.0)
    with pytest.raises(WindlassError):
        GitHubDialect().verify(request, (SECRET,))
