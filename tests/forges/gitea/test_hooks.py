"""The webhook on the side of Gitea and Forgejo, and what comes by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from windlass.core.errors import NotAllowed, UserError
from windlass.forges.gitea.dialect import GiteaDialect
from windlass.ports.forge import Hook
from windlass.testing.plain import Receiver
from windlass.testing.servers.bare import ZERO
from windlass.testing.servers.gogs_words import Pull

SECRET = b"correct horse battery staple"
SCOPES = ("write:repository", "write:issue", "read:user")
BOTH = pytest.mark.parametrize("gitea", [False, True], indirect=True, ids=["gitea", "forgejo"])
EVENTS = (
    *("push", "create", "delete", "pull_request", "pull_request_sync", "pull_request_comment"),
    *("issue_comment", "release"),
)
HOOK = Hook(url="http://127.0.0.1:9/hooks/7", secret=SECRET)


def test_others_hooks_are_left_alone(gitea, shop, url, ask):
    """Only hooks that lead to this server are replaced and removed; each kind of ours is one."""
    other = {"type": "gitea", "secret": "", "events": ["push"], "active": True, "branch_filter": ""}
    for number, address in enumerate(
        ("http://127.0.0.1:8/hooks/7", "https://127.0.0.1:9/hooks/7", "http://127.0.0.1:9/other/7")
    ):
        config = {"url": address, "content_type": "json"}
        shop.hooks[number] = {"id": number, "config": config, **other}
    before = dict(shop.hooks)

    async def play(forge):
        await forge.install(url, HOOK)
        assert len(shop.hooks) == 4
        await forge.remove(url, HOOK)

    ask(play)
    assert shop.hooks == before


@BOTH
def test_a_hook_is_made_once_and_replaced_for_a_new_secret(gitea, shop, url, ask):
    """A second installation sends nothing; a new secret is in force after one, by a new hook."""

    async def play(forge):
        await forge.install(url, HOOK)
        ((first, hook),) = shop.hooks.items()
        await forge.install(url, HOOK)
        assert list(shop.hooks) == [first]
        assert hook["secret"] == SECRET.decode()
        assert hook["type"] == ("forgejo" if gitea.forgejo else "gitea")
        assert hook["branch_filter"] == "*"
        await forge.install(url, replace(HOOK, secret=b"another"))
        ((second, hook),) = shop.hooks.items()
        assert (second != first, hook["secret"]) == (True, "another")

    ask(play)


def test_nothing_is_lost_while_a_hook_is_replaced(gitea, shop, url, ask):
    """The new one is there before the old one goes."""

    async def play(forge):
        await forge.install(url, HOOK)
        await forge.install(url, replace(HOOK, secret=b"another"))

    ask(play)
    hooks = [one.method for one in gitea.calls if "/hooks" in one.path and one.method != "GET"]
    assert hooks == ["POST", "POST", "DELETE"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"active": False}, "switched off"),
        ({"type": "slack"}, "of the type slack"),
        ({"branch_filter": "main"}, "only for the branches main"),
        ({"config": {"url": HOOK.url, "content_type": "form"}}, "sends form in place of json"),
        ({"events": ["push"]}, "does not send: create, delete, pull_request"),
        ({"events": [*EVENTS, "pull_request_review"]}, "does not send: pull_request_label"),
        ({"events": [*EVENTS, "pull_request_label"]}, "does not send: pull_request_review"),
        ({"config": {"url": "http://127.0.0.1:9/hooks/8", "content_type": "json"}}, "hooks/8"),
    ],
)
def test_what_is_wrong_with_a_hook_is_named(shop, url, ask, change, words):
    """A hook that somebody changed is told with what it lacks, and replaced by the right one."""

    async def play(forge):
        assert not (await forge.install(url, HOOK)).problem
        next(iter(shop.hooks.values())).update(change)
        assert words in (await forge.check(url, HOOK)).problem
        assert not (await forge.install(url, HOOK)).problem
        assert not (await forge.check(url, HOOK)).problem

    ask(play)


def test_two_hooks_of_ours_become_one(shop, url, ask):
    """What an installation that broke off has left is told and tidied up."""

    async def play(forge):
        await forge.install(url, HOOK)
        (hook,) = shop.hooks.values()
        shop.hooks[1] = {**hook, "id": 1}
        assert "2 webhooks" in (await forge.check(url, HOOK)).problem
        await forge.install(url, HOOK)

    ask(play)
    assert len(shop.hooks) == 1


def test_a_missing_token_is_named(url, ask):
    """Who has stored none is told where to put it; nothing is asked."""
    for play in (
        lambda forge: forge.install(url, HOOK),
        lambda forge: forge.permission(url, "42"),
    ):
        with pytest.raises(NotAllowed) as caught:
            ask(play, token=None)
        assert "windlass repo token" in caught.value.hint


@BOTH
@pytest.mark.parametrize(
    ("scopes", "lacking"),
    [
        (("read:repository", "write:issue", "read:user"), "write:repository"),
        (("write:issue", "read:user"), "read:repository"),
    ],
)
def test_a_missing_scope_is_named(gitea, url, ask, scopes, lacking):
    """A webhook needs a scope: which, and what a token of ours should have, is said."""
    with pytest.raises(NotAllowed, match=f"lacks the scope {lacking}") as caught:
        ask(lambda forge: forge.install(url, HOOK), token=gitea.token(gitea.people["ada"], *scopes))
    assert "write:repository, write:issue and read:user" in caught.value.hint


def test_a_missing_role_is_named(gitea, url, ask):
    """Who only may write cannot set up webhooks, and reads what to ask for."""
    bob = gitea.person("bob")
    gitea.homes["acme/shop"].people["bob"] = "write"
    with pytest.raises(NotAllowed, match="admin write") as caught:
        ask(lambda forge: forge.install(url, HOOK), token=gitea.token(bob, *SCOPES))
    assert "the role of an administrator" in caught.value.hint


@BOTH
def test_what_is_sent_is_trusted_and_read(gitea, ada, shop, url, ask):
    """From an installed hook to events: pushes, a pull request's life, a comment, a test."""
    dialect, seen = GiteaDialect(), []
    tip = shop.bare.refs("refs/heads")["refs/heads/main"]
    with Receiver() as receiver:
        hook = Hook(url=receiver.url, secret=SECRET)
        ask(lambda forge: forge.install(url, hook))
        sha = shop.bare.commit("Add one", tip)
        gitea.push(shop, "refs/heads/one", sha, ada)
        gitea.push(shop, "refs/tags/v1", sha, ada)
        pull = Pull(number=7, title="Add one", author=ada, head="one", sha=sha)
        gitea.propose(shop, pull)
        gitea.changed(shop, pull, "synchronized", "pull_request_sync")
        gitea.changed(shop, pull, "label_updated", "pull_request_label")
        gitea.review(shop, pull, "approved", ada)
        gitea.say(shop, 7, ada, "/deploy")
        pull.state, pull.merge_sha = "merged", sha
        gitea.changed(shop, pull, "closed")
        gitea.push(shop, "refs/heads/one", ZERO, ada)
        assert ask(lambda forge: forge.ping(url, hook))
        for request in receiver.wait(len(gitea.delivered)):
            dialect.verify(request, (SECRET,))
            found = dialect.read(request, "acme/shop")
            seen += [one.label for one in found] if isinstance(found, tuple) else []
    assert seen == [
        "push",
        "branch created",
        "tag created",
        "pull_request opened",
        "pull_request updated",
        "pull_request labeled",
        "review approved",
        "comment",
        "pull_request merged",
        "branch deleted",
        "ping",
    ]


def test_without_a_hook_nothing_can_be_tried(url, ask):
    """A forge without our hook cannot be asked for a test, and that is said."""
    assert not ask(lambda forge: forge.ping(url, HOOK))


def test_a_secret_that_is_no_text_is_refused(shop, url, ask):
    """The forge signs with text; bytes that are none would fit no signature."""
    with pytest.raises(UserError, match="not text"):
        ask(lambda forge: forge.install(url, replace(HOOK, secret=b"\xff")))
    assert not shop.hooks
