"""What is particular to Gogs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from windlass.core.errors import NotAllowed, Permanent, Transient, UserError
from windlass.forges.gogs.dialect import GogsDialect
from windlass.forges.gogs.forge import GogsForge
from windlass.forges.http.client import Http
from windlass.ports.forge import MARKER, Hook, Permission, Status, StatusState
from windlass.reach import Reach
from windlass.testing.plain import Receiver
from windlass.testing.servers.bare import ZERO
from windlass.testing.servers.gogs import Gogs
from windlass.testing.servers.gogs_words import Pull
from windlass.testing.servers.serving import Reply

SECRET = b"correct horse battery staple"
HOOK = Hook(url="http://127.0.0.1:9/hooks/7", secret=SECRET)


class Still:
    """A clock that stands."""

    def now(self):
        return 1000.0

    async def sleep(self, seconds):
        """Wait for nothing."""


@pytest.fixture
def gogs(tmp_path):
    with Gogs(tmp_path) as server:
        yield server


@pytest.fixture
def ada(gogs):
    return gogs.person("ada")


@pytest.fixture
def shop(gogs, ada):
    return gogs.repository("acme/shop", ada)


@pytest.fixture
def url(gogs, shop):
    return f"{gogs.url}/acme/shop"


@pytest.fixture
def pull(gogs, shop, ada):
    return gogs.propose(shop, Pull(number=7, title="Add one", author=ada, head="one", sha=""))


@pytest.fixture
def ask(gogs, ada):
    """Ask a new forge with this token; by default it is ada's."""
    usual = gogs.token(ada)

    def run(play, token=usual):
        async def main():
            http = Http(Still(), Reach(frozenset({"127.0.0.1"})))
            try:
                return await play(GogsForge(http, lambda _url: token))
            finally:
                await http.close()

        return asyncio.run(main())

    return run


def test_a_new_secret_needs_a_new_hook(shop, url, ask):
    """Gogs takes a secret only when the hook is made, so it is made again, and there is one."""

    async def play(forge):
        await forge.install(url, HOOK)
        await forge.install(url, HOOK)
        (first,) = shop.hooks
        await forge.install(url, replace(HOOK, secret=b"another"))
        ((second, hook),) = shop.hooks.items()
        assert (second != first, hook["secret"]) == (True, "another")

    ask(play)


def test_a_hook_that_was_switched_off_is_told(shop, url, ask):
    """It is named with its remedy, which then helps."""

    async def play(forge):
        await forge.install(url, HOOK)
        next(iter(shop.hooks.values()))["active"] = False
        assert "switched off" in (await forge.check(url, HOOK)).problem
        assert not (await forge.install(url, HOOK)).problem

    ask(play)


def test_refusals_without_a_word_are_explained(gogs, shop, url, ask):
    """Gogs says nothing when it refuses; what is missing is told all the same."""
    bob = gogs.person("bob")
    shop.people["bob"] = "write"
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(url, HOOK), token=gogs.token(bob))
    assert "the role of an administrator" in caught.value.hint
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(url, HOOK), token="f" * 40)
    assert "windlass repo token" in caught.value.hint
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.heads(url), token=None)
    assert "Applications" in caught.value.hint


def test_a_comment_is_one_and_ours(gogs, shop, url, pull, ask):
    """It is edited, found again after a restart, made again when deleted, and never another's."""
    gogs.say(shop, 7, gogs.person("eve"), f"{MARKER}\nall is well")
    for text in ("first", "second", "second"):
        ask(lambda forge, text=text: forge.comment(url, 7, f"{MARKER}\n{text}"))
    assert [one.body for one in shop.comments.values()] == [
        f"{MARKER}\nall is well",
        f"{MARKER}\nsecond",
    ]

    async def play(forge):
        await forge.comment(url, 7, f"{MARKER}\nthird")
        shop.comments.clear()
        await forge.comment(url, 7, f"{MARKER}\nfourth")

    ask(play)
    assert [one.body for one in shop.comments.values()] == [f"{MARKER}\nfourth"]


def test_an_issue_gets_no_comment(gogs, shop, url, ask):
    """What is an issue and no pull request is left alone."""
    gogs.issues.add(8)
    with pytest.raises(Permanent, match="no pull request"):
        ask(lambda forge: forge.comment(url, 8, "text"))
    assert not shop.comments


def test_what_is_gone_does_not_look_like_a_broken_forge(url, shop, ask):
    """Comments on pull requests that are not there do not keep Gogs from being asked."""

    async def play(forge):
        for _ in range(4):
            with pytest.raises(Permanent):
                await forge.comment(url, 4711, "text")
        assert await forge.default_branch(url) == "main"

    ask(play)


def test_a_gogs_that_cannot_list_tags_is_named(gogs, url, ask):
    """Half a list would look like tags that went; so there is none, and the version that can."""
    gogs.faults += [Reply(200, []), Reply(404)]
    with pytest.raises(Permanent, match=r"0\.13 can"):
        ask(lambda forge: forge.heads(url))


@pytest.mark.parametrize(
    ("right", "expected"),
    [("admin", Permission.ADMIN), ("write", Permission.WRITE), ("read", Permission.READ)],
)
def test_a_right_is_told_of_a_number(gogs, shop, ask, right, expected):
    """Collaborators are told by number with their rights, and the owner administers."""
    shop.people["bob"] = right
    bob, url = gogs.person("bob"), f"{gogs.url}/acme/shop"
    assert ask(lambda forge: forge.permission(url, str(bob.id))) is expected
    assert ask(lambda forge: forge.permission(url, str(shop.owner.id))) is Permission.ADMIN
    assert ask(lambda forge: forge.permission(url, "99999")) is Permission.NONE


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500])
def test_a_token_is_in_no_error(gogs, url, ada, ask, status):
    """S-23: whatever Gogs answers, its echo of our token is masked."""
    token = gogs.token(ada)
    for play in (lambda forge: forge.install(url, HOOK), lambda forge: forge.heads(url)):
        gogs.faults.append(Reply(status, {"message": f"bad token {token}"}))
        with pytest.raises((UserError, Permanent, Transient)) as caught:
            ask(play, token=token)
        assert token not in f"{caught.value} {getattr(caught.value, 'hint', '')}"


@pytest.mark.parametrize("body", [b"<html>", [1], "x", [], {}])
def test_a_wrong_answer_is_an_error_of_ours(gogs, url, pull, ask, body):
    """R-18: JSON of another shape, or none, never ends in an exception of Python."""
    for play in (
        lambda forge: forge.check(url, HOOK),
        lambda forge: forge.install(url, HOOK),
        lambda forge: forge.comment(url, 7, "text"),
        lambda forge: forge.heads(url),
        lambda forge: forge.pull(url, 7),
        lambda forge: forge.permission(url, "42"),
        lambda forge: forge.default_branch(url),
    ):
        gogs.faults[:] = [Reply(200, body)] * 2
        try:
            ask(play)
        except (UserError, Permanent, Transient):
            continue
    gogs.faults.clear()


def test_no_status_is_sent(gogs, url, shop, ask):
    """Gogs has none; the refusal says where the result stands."""
    status = Status(sha="a" * 40, context="ci", state=StatusState.SUCCESS)
    with pytest.raises(Permanent, match="on Windlass's page"):
        ask(lambda forge: forge.status(url, status))
    assert not gogs.calls


def test_what_is_sent_is_trusted_and_read(gogs, ada, shop, url, ask):
    """From an installed hook to events: pushes, tags, a pull request, a comment, a test."""
    dialect, seen = GogsDialect(), []
    tip = shop.bare.refs("refs/heads")["refs/heads/main"]
    with Receiver() as receiver:
        ask(lambda forge: forge.install(url, Hook(url=receiver.url, secret=SECRET)))
        sha = shop.bare.commit("Add one", tip)
        gogs.push(shop, "refs/heads/one", sha, ada)
        gogs.push(shop, "refs/tags/v1", sha, ada)
        pull = gogs.propose(shop, Pull(number=7, title="A", author=ada, head="one", sha=sha))
        gogs.changed(shop, pull, "synchronized")
        gogs.say(shop, 7, ada, "/deploy")
        pull.state, pull.merge_sha = "merged", sha
        gogs.changed(shop, pull, "closed")
        gogs.push(shop, "refs/heads/one", ZERO, ada)
        gogs.try_out(shop, next(iter(shop.hooks)))
        for request in receiver.wait(len(gogs.delivered)):
            dialect.verify(request, (SECRET,))
            found = dialect.read(request, "acme/shop")
            seen += [one.label for one in found] if isinstance(found, tuple) else []
    assert seen == [
        "push",
        "branch created",
        "tag created",
        "pull_request opened",
        "pull_request updated",
        "comment",
        "pull_request merged",
        "branch deleted",
        "ping",
    ]
