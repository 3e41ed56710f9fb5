"""Addresses and tokens of Bitbucket Cloud, and what it tells of a repository."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from windlass.core.errors import NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.bitbucket_cloud.place import parsed
from windlass.ports.forge import Hook, Permission
from windlass.testing.servers.bitbucket_cloud_world import EVERYTHING
from windlass.testing.servers.bitbucket_git import ZERO
from windlass.testing.servers.serving import Reply

API_TOKEN, ACCESS_TOKEN = "bot@example.com:an-api-token-of-the-bot", "an-access-token-of-the-shop"


def do(question):
    return asyncio.run(question)


@pytest.mark.parametrize(
    "url",
    [
        "https://bitbucket.org/acme/shop",
        "https://bitbucket.org/acme/shop/",
        "https://bitbucket.org/acme/shop.git",
        "https://ada@bitbucket.org/acme/shop.git",
        "https://BITBUCKET.org/acme/shop",
        "https://www.bitbucket.org/acme/shop",
        "http://bitbucket.org/acme/shop",
        " https://bitbucket.org/acme/shop\n",
    ],
)
def test_an_address_is_taken_as_people_paste_it(url):
    """All of these are one repository, and its API is asked by TLS."""
    found = parsed(url)
    assert found.url == "https://bitbucket.org/acme/shop"
    assert found.base + found.path == "https://api.bitbucket.org/2.0/repositories/acme/shop"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme/shop",
        "git@bitbucket.org:acme/shop.git",
        "ssh://git@bitbucket.org/acme/shop.git",
        "https://bitbucket.org/acme",
        "https://bitbucket.org/acme/shop/src/main",
        "https://bitbucket.org/acme/..",
        "https://bitbucket.org/acme/sh op",
        "https://bitbucket.org/acme/shop%2f..",
        "https://ada:hunter2-hunter2@bitbucket.org/acme",
        "https://[/acme/shop",
    ],
)
def test_what_is_no_repository_is_refused(url):
    """With the form that it should have, and without a password that stood in it."""
    with pytest.raises(UserError) as caught:
        parsed(url)
    assert "https://bitbucket.org/WORKSPACE/REPOSITORY" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_without_a_token_what_is_public_can_be_read(server, bot, made):
    """Branches need none; whoever wants more is told to store one."""
    server.repository("acme/open", bot, private=False)
    forge, url = made(None), f"{server.url}/acme/open"
    assert "refs/heads/main" in do(forge.heads(url))
    assert do(forge.default_branch(url)) == "main"
    assert do(forge.credential(url)) is None
    with pytest.raises(NotAllowed) as caught:
        do(forge.install(url, Hook(url="http://127.0.0.1:9/hooks/7", secret=b"x")))
    assert caught.value.hint == f"store one: windlass repo token {url}"
    with pytest.raises(Permanent, match="windlass repo token"):
        do(forge.comment(url, 1, "text"))


def test_a_token_of_another_kind_is_refused_in_words(server, shop, url, robot, made):
    """Expired, mistyped or without its address before the colon: store a new one."""
    for token in ("nonsense-nonsense", f"x@example.com:{ACCESS_TOKEN}"):
        with pytest.raises(NotAllowed) as caught:
            do(made(token).default_branch(url))
        assert "windlass repo token" in caught.value.hint
        assert token.rpartition(":")[2] not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_token_is_in_no_error(server, url, forge, status):
    """Even where the forge repeats it, in a header's form or as it is."""
    for secret in (API_TOKEN.partition(":")[2], ACCESS_TOKEN):
        error = {"type": "error", "error": {"message": f"no {secret}"}}
        server.faults.append(Reply(status, error))
        with pytest.raises((UserError, Permanent, Transient)) as caught:
            do(forge.default_branch(url))
        mine = forge._tokens(url).rpartition(":")[2]
        assert mine not in str(caught.value)
        assert mine not in getattr(caught.value, "hint", "")


@pytest.mark.parametrize("token", [API_TOKEN, ACCESS_TOKEN])
def test_git_takes_the_credential(url, robot, token, made):
    """Git itself reads the repository with what it is given."""
    login = do(made(token).credential(url))
    asked = url.replace("://", f"://{login.name}:{login.password}@")
    done = subprocess.run(["git", "ls-remote", f"{asked}.git"], capture_output=True, timeout=60)
    assert b"refs/heads/main" in done.stdout


def test_a_user_name_before_the_token_is_gits_too(server, url, made):
    """`NAME:TOKEN` is sent as it is; a token that is missing is told."""
    login = do(made("ada:some-token").credential(url))
    assert (login.name, login.password) == ("ada", "some-token")
    with pytest.raises(NotAllowed, match="ends with a colon"):
        do(made("ada@example.com:").credential(url))


def test_the_head_of_a_pull_request_is_whole(server, shop, url, forge, ada):
    """Twelve digits are never guessed: its own list of commits tells, and is asked once."""
    fork = server.repository("eve/shop", ada)
    pull = server.proposed(shop, "one", ada, fork)
    for _ in range(2):
        assert do(forge.heads(url))["refs/pull/1/head"] == shop.bare.at(pull.ref)
    assert len(server.asked("GET", ".*/pullrequests/1/commits")) == 1
    server.moved(shop, pull, ada)
    assert do(forge.heads(url))["refs/pull/1/head"] == shop.bare.at(pull.ref)


def test_a_branch_with_the_name_of_a_forks_is_another(server, shop, url, forge, ada):
    """A fork's branch is not looked for among ours."""
    fork = server.repository("eve/shop", ada)
    pull = server.proposed(shop, "main", ada, fork)
    found = do(forge.heads(url))
    assert found["refs/pull/1/head"] == shop.bare.at(pull.ref) != found["refs/heads/main"]


def test_a_fork_that_begins_like_our_branch_is_not_our_branch(server, shop, forge, monkeypatch):
    """Two commits can be made that begin alike; ours is never taken for a stranger's."""
    fork = server.repository("eve/shop", server.person("eve"))
    server.proposed(shop, "main", fork=fork, by=server.person("mallory"))
    whole, beginning = server.bodies.pull, {"hash": shop.bare.at("refs/heads/main")[:12]}

    def alike(at, one):
        told = whole(at, one)
        return {**told, "source": {**told["source"], "commit": beginning}}

    monkeypatch.setattr(server.bodies, "pull", alike)
    with pytest.raises(Transient, match="moved while"):
        do(forge.heads(f"{server.url}/acme/shop"))


def test_a_pull_request_that_moves_meanwhile_is_asked_again(server, url, forge, pull, monkeypatch):
    """A head that fits neither answer is nobody's."""
    whole = server.bodies.pull

    def late(at, one):
        told = whole(at, one)
        return {**told, "source": {**told["source"], "commit": {"hash": "f" * 12}}}

    monkeypatch.setattr(server.bodies, "pull", late)
    with pytest.raises(Transient, match="moved while"):
        do(forge.pull(url, pull.number))


def test_a_head_that_is_gone_harms_no_other(shop, url, forge, pull):
    """It is left out of the heads; who asks for it alone is told that it cannot be told."""
    shop.bare.point({pull.ref: ZERO})
    assert set(do(forge.heads(url))) == {"refs/heads/main"}
    with pytest.raises(Permanent, match="whole commit"):
        do(forge.pull(url, pull.number))


def test_a_pull_request_tells_who_approved(server, url, forge, pull, bot):
    """By the names that people know."""
    pull.approved.append(bot)
    found = do(forge.pull(url, pull.number))
    assert found.approved_by == ("bot",)
    assert found.web_url.endswith("/acme/shop/pull-requests/1")
    assert found.created_at == found.updated_at == 1704103200.123456


def test_a_permission_by_group_is_known_with_an_api_token(shop, url, robot, ada, made):
    """An access token learns only what was given by name, and takes the rest for nothing."""
    assert do(made(API_TOKEN).permission(url, ada.uuid)) is Permission.WRITE
    assert do(made(ACCESS_TOKEN).permission(url, ada.uuid)) is Permission.NONE
    shop.explicit[ada.uuid] = "admin"
    assert do(made(ACCESS_TOKEN).permission(url, ada.uuid)) is Permission.ADMIN


@pytest.mark.parametrize("level", ["read", "write", "admin", "none", "owner"])
def test_a_permission_is_what_bitbucket_says(shop, url, ada, level, made):
    """A level that is not known is none."""
    shop.effective[ada.uuid] = level
    expected = Permission.NONE if level == "owner" else Permission(level)
    assert do(made(API_TOKEN).permission(url, ada.uuid)) is expected


def test_an_answer_about_everybody_is_about_nobody(server, url, ada, made):
    """Were the question not understood, no stranger becomes a writer."""
    eve = server.person("eve")
    everybody = [{"permission": "admin", "user": server.bodies.account(ada)}]
    server.faults.append(Reply(200, {"values": everybody}))
    assert do(made(API_TOKEN).permission(url, eve.uuid)) is Permission.NONE


@pytest.mark.parametrize(
    "who", ["", "ada", "557058:2", "{x}", '{"} OR permission="admin', "{" + "0" * 36 + "}"]
)
def test_garbage_is_nobody_and_asks_nothing(server, url, forge, who):
    """An id is an account's uuid; anything else never reaches a question."""
    assert do(forge.permission(url, who)) is Permission.NONE
    assert server.calls == []


def test_a_token_that_may_not_ask_for_permissions_says_so(server, url, robot, ada, made):
    """So that a person sees why everybody is a stranger."""
    server.token(ACCESS_TOKEN, robot, access=True, scopes=EVERYTHING - {"repository:admin"})
    with pytest.raises(NotAllowed) as caught:
        do(made(ACCESS_TOKEN).permission(url, ada.uuid))
    assert "Repositories: Admin" in caught.value.hint


def test_a_repository_without_a_commit_has_no_branch(shop, url, forge):
    """And that is said, with what to do."""
    shop.main = ""
    with pytest.raises(UserError, match="no main branch") as caught:
        do(forge.default_branch(url))
    assert caught.value.hint


def test_a_repository_that_is_not_there_is_named(server, forge):
    """Not there, or not for this token: Bitbucket does not tell which."""
    with pytest.raises(NotFound, match="/acme/nowhere"):
        do(forge.heads(f"{server.url}/acme/nowhere"))
