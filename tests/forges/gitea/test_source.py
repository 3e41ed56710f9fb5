"""What Gitea and Forgejo are asked, and how their answers are taken."""

from __future__ import annotations

import pytest

from windlass.core.errors import NotFound, Permanent, Transient, UserError
from windlass.core.event import Kind
from windlass.forges.gitea.dialect import GiteaDialect
from windlass.forges.gogs_api.place import place
from windlass.ports.forge import Hook, Permission, Status, StatusState
from windlass.testing.plain import Receiver
from windlass.testing.servers.gogs_words import Pull
from windlass.testing.servers.serving import Reply

SECRET = b"correct horse battery staple"
SCOPES = ("write:repository", "write:issue", "read:user")
HOOK = Hook(url="http://127.0.0.1:9/hooks/7", secret=SECRET)


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        ("https://codeberg.org/acme/shop", "https://codeberg.org/api/v1", "/repos/acme/shop"),
        ("https://codeberg.org/acme/shop.git", "https://codeberg.org/api/v1", "/repos/acme/shop"),
        ("https://codeberg.org/acme/shop.git/", "https://codeberg.org/api/v1", "/repos/acme/shop"),
        ("https://Git.Example:3000/a-b/c.d", "https://git.example:3000/api/v1", "/repos/a-b/c.d"),
        ("https://git.example:443/a/b", "https://git.example/api/v1", "/repos/a/b"),
        ("https://h.example/code/git/a/b.git", "https://h.example/code/git/api/v1", "/repos/a/b"),
        ("https://[2001:db8::1]:3000/a/b", "https://[2001:db8::1]:3000/api/v1", "/repos/a/b"),
    ],
)
def test_an_address_is_taken_as_people_paste_it(url, base, path):
    """With and without `.git`, with a slash at its end, a port, and a prefix before the owner."""
    found = place(url, "Gitea")
    assert (found.base, found.path) == (base, path)


@pytest.mark.parametrize(
    "url",
    [
        "git@codeberg.org:acme/shop.git",
        "ssh://git@codeberg.org/acme/shop",
        "codeberg.org/acme/shop",
        "https://codeberg.org/acme",
        "https://codeberg.org/",
        "https://codeberg.org//shop",
        "https://codeberg.org/acme/..",
        "https://codeberg.org/acme/shop?tab=activity",
        "https://codeberg.org/acme/sh%2Fop",
        "https://codeberg.org:99999/acme/shop",
        "https://[::1/acme/shop",
        "",
    ],
)
def test_an_address_that_cannot_be_one_is_told(url):
    """Nothing is asked; the remedy is in the hint."""
    with pytest.raises(UserError) as caught:
        place(url, "Gitea")
    assert "https://HOST/OWNER/NAME" in caught.value.hint


def test_a_secret_in_an_address_is_not_repeated():
    """S-23: whoever pastes a token with the address does not find it in the error."""
    with pytest.raises(UserError) as caught:
        place("https://ada:hunter2-hunter2@codeberg.org/acme/shop", "Gitea")
    assert "hunter2" not in str(caught.value) + caught.value.hint


def test_a_public_repository_is_read_without_a_token(url, shop, pull, ask):
    """Its refs, its pull requests and its default branch need none, and Git neither."""

    async def play(forge):
        assert await forge.default_branch(url) == "main"
        assert "refs/heads/main" in await forge.heads(url)
        assert (await forge.pull(url, 7)).head_sha == pull.sha
        assert await forge.credential(url) is None

    ask(play, token=None)


def test_a_token_is_the_password_for_git(url, ask):
    """Git gets the token as a password, and it does not show itself."""
    login = ask(lambda forge: forge.credential(url), token="f" * 40)
    assert login.password == "f" * 40
    assert "ffff" not in repr(login)


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500])
def test_a_token_is_in_no_error(gitea, url, pull, ask, status):
    """S-23: whatever a forge answers, its echo of our token is masked."""
    token = gitea.token(gitea.people["ada"], *SCOPES)
    for play in (
        lambda forge: forge.install(url, HOOK),
        lambda forge: forge.comment(url, 7, "text"),
        lambda forge: forge.heads(url),
    ):
        gitea.faults.append(Reply(status, {"message": f"bad token {token}"}))
        with pytest.raises((UserError, Permanent, Transient)) as caught:
            ask(play, token=token)
        assert token not in f"{caught.value} {getattr(caught.value, 'hint', '')}"


def test_a_pause_is_obeyed(gitea, url, shop, ask):
    """R-18: after a 429 nothing is asked until it is over."""
    status = Status(sha=shop.bare.refs("refs/heads/main")["refs/heads/main"], context="ci",
                    state=StatusState.SUCCESS)  # fmt: skip

    async def play(forge):
        gitea.faults.append(Reply(429, None, {"retry-after": "30"}))
        for _ in range(3):
            with pytest.raises(Transient) as caught:
                await forge.status(url, status)
            assert caught.value.retry_after == 30.0

    ask(play)
    assert len(gitea.calls) == 1


@pytest.mark.parametrize("body", [b"<html>", [1], {"a": 1}, "x", [], {}])
def test_a_wrong_answer_is_an_error_of_ours(gitea, url, pull, ask, body):
    """R-18: JSON of another shape, or none, never ends in an exception of Python."""
    status = Status(sha=pull.sha, context="ci", state=StatusState.SUCCESS)
    for play in (
        lambda forge: forge.check(url, HOOK),
        lambda forge: forge.install(url, HOOK),
        lambda forge: forge.ping(url, HOOK),
        lambda forge: forge.status(url, status),
        lambda forge: forge.comment(url, 7, "text"),
        lambda forge: forge.heads(url),
        lambda forge: forge.pull(url, 7),
        lambda forge: forge.permission(url, "42"),
        lambda forge: forge.default_branch(url),
    ):
        gitea.faults[:] = [Reply(200, body)] * 2
        try:
            ask(play)
        except (UserError, Permanent, Transient):
            continue
    gitea.faults.clear()


@pytest.mark.parametrize("largest", [3, 50])
def test_a_host_that_gives_less_is_read_to_its_end(gitea, url, shop, ask, largest):
    """The size of a page is the host's, and a list is complete whichever it is."""
    gitea.largest = largest
    tip = shop.bare.refs("refs/heads/main")["refs/heads/main"]
    shop.bare.fill({f"refs/{kind}/x{at}": tip for kind in ("heads", "tags") for at in range(10)})
    assert len(ask(lambda forge: forge.heads(url))) == 21


@pytest.fixture
def ann(gitea, url):
    """A repository's address, and somebody who has no part in it yet."""
    return url, gitea.person("ann")


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("admin", Permission.ADMIN),
        ("write", Permission.WRITE),
        ("read", Permission.READ),
        ("none", Permission.NONE),
    ],
)
def test_a_right_is_told_of_a_number(shop, ask, ann, right, expected):
    """What a person may do is asked for the number that the webhook names."""
    url, person = ann
    shop.people[person.login] = right
    assert ask(lambda forge: forge.permission(url, str(person.id))) is expected


def test_an_owner_administers(ada, url, shop, ask):
    """Owning it is the highest right."""
    assert ask(lambda forge: forge.permission(url, str(ada.id))) is Permission.ADMIN


@pytest.mark.parametrize("garbage", ["", "0", "-1", "1e3", "01", "٣", "1 ", "9" * 30, "ada"])
def test_a_number_that_is_none_is_nobody(gitea, url, ask, garbage):
    """The forge is not even asked."""
    assert ask(lambda forge: forge.permission(url, garbage)) is Permission.NONE
    assert not gitea.calls


def test_an_answer_about_somebody_else_gives_no_right(gitea, ada, url, ask):
    """Neither a search that finds another, nor a name that has gone to another, helps."""
    theirs = {"ok": True, "data": [{"id": ada.id, "login": "ada"}]}

    async def play(forge):
        gitea.faults.append(Reply(200, theirs))
        assert await forge.permission(url, "4242") is Permission.NONE
        assert len(gitea.calls) == 1
        moved = {"permission": "admin", "user": {"id": ada.id, "login": "ada"}}
        gitea.faults += [
            Reply(200, {"ok": True, "data": [{"id": 4242, "login": "ada"}]}),
            Reply(200, moved),
        ]
        assert await forge.permission(url, "4242") is Permission.NONE

    ask(play)


def test_what_was_pushed_for_review_is_a_strangers(gitea, shop, url, ask):
    """AGit: who may only read pushes to the same repository, and it is no branch of it."""
    eve = gitea.person("eve")
    sha = shop.bare.commit("Add two", shop.bare.refs("refs/heads")["refs/heads/main"])
    with Receiver() as receiver:
        ask(lambda forge: forge.install(url, Hook(url=receiver.url, secret=SECRET)))
        head = "refs/pull/8/head"
        gitea.propose(shop, Pull(number=8, title="Add two", author=eve, head=head, sha=sha))
        (request,) = receiver.wait(1)
    (event,) = GiteaDialect().read(request, "acme/shop")
    assert (event.kind, event.fork, event.author_id) == (Kind.PULL_REQUEST, True, str(eve.id))
    assert ask(lambda forge: forge.pull(url, 8)).fork


def test_an_unknown_pull_request_is_named(url, ask):
    """Its repository is in the message."""
    with pytest.raises(NotFound, match="acme/shop"):
        ask(lambda forge: forge.pull(url, 99))
