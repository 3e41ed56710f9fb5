"""What is particular to GitLab: its addresses, its rights, its webhooks and their log."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

import pytest

from windlass.core.errors import (
    NotAllowed,
    NotFound,
    Permanent,
    Transient,
    UserError,
    WindlassError,
)
from windlass.core.event import Kind
from windlass.forges.gitlab.dialect import GitLabDialect
from windlass.forges.gitlab.place import address
from windlass.ports.forge import Permission
from windlass.testing.servers.gitlab import ADA, BOT, EVE, TOKEN, GitLab
from windlass.testing.servers.gitlab_state import DEVELOPER, Token
from windlass.testing.servers.serving import Reply


def test_what_happens_is_received_and_read(bench):
    """A webhook that was installed tells of pushes, tags, merge requests and comments."""
    bench.install()
    gitlab, shop = bench.gitlab, bench.shop
    sha = gitlab.push(shop, "refs/heads/main")
    gitlab.push(shop, "refs/tags/v1")
    number = gitlab.propose(shop)
    head = gitlab.update(shop, number)
    gitlab.say(shop, number, "/deploy")
    merged = gitlab.merge(shop, number)
    dialect, events = GitLabDialect(), []
    for request in bench.receiver.wait(6):
        dialect.verify(request, (bench.hook.secret,))
        events += dialect.read(request, "acme/shop")
    assert [(one.kind, one.action) for one in events] == [
        (Kind.PUSH, "pushed"),
        (Kind.TAG, "created"),
        (Kind.PULL_REQUEST, "opened"),
        (Kind.PULL_REQUEST, "updated"),
        (Kind.COMMENT, "created"),
        (Kind.PULL_REQUEST, "merged"),
    ]
    assert (events[0].sha, events[3].head_sha, events[5].sha) == (sha, head, merged)
    assert events[2].author_id == str(ADA)
    assert bench.ask(lambda forge: forge.pull(bench.url, number)).author_id == str(ADA)


def test_a_token_of_too_small_a_scope_is_told(ask, gitlab, url, hook):
    """It is said which scope is missing, and not that something is forbidden."""
    gitlab.tokens["glpat-narrow"] = Token(BOT, frozenset({"read_api"}))
    with pytest.raises(NotAllowed, match="scope `api`"):
        ask(lambda forge: forge.install(url, hook), "glpat-narrow")
    assert "refs/heads/main" in ask(lambda forge: forge.heads(url), "glpat-narrow")


def test_a_missing_role_is_told(ask, gitlab, hook):
    """A Developer may not set up a webhook, and is told which role may."""
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(gitlab.web(gitlab.vault), hook))
    assert "Maintainer" in caught.value.hint


def test_a_private_project_needs_a_token(ask, gitlab, url, hook):
    """Without one it is said how to store one; nobody's role is known then."""
    for play in (lambda forge: forge.install(url, hook), lambda forge: forge.heads(url)):
        with pytest.raises(UserError) as caught:
            ask(play, None)
        assert "windlass repo token" in caught.value.hint
    assert ask(lambda forge: forge.permission(url, str(ADA)), None) is Permission.NONE
    assert ask(lambda forge: forge.credential(url), None) is None


def test_a_public_project_is_read_without_a_token(ask, gitlab):
    """Its heads and its default branch are there for all."""
    url = gitlab.web(gitlab.add("acme/open", {}, public=True))
    assert ask(lambda forge: forge.default_branch(url), None) == "main"
    assert list(ask(lambda forge: forge.heads(url), None)) == ["refs/heads/main"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 302])
def test_the_token_is_in_no_error(ask, gitlab, url, hook, status):
    """Whatever GitLab says, the token is not repeated."""
    said = Reply(status, {"message": f"no, {TOKEN}"})
    gitlab.faults += [Reply(200, {"version": "18"}), said]
    with pytest.raises(WindlassError) as caught:
        ask(lambda forge: forge.check(url, hook))
    error = caught.value
    assert TOKEN not in f"{error} {error!r} {getattr(error, 'hint', '')}"


def test_a_pause_is_as_long_as_gitlab_says(ask, gitlab, url):
    """A rate limit is no failure: it is known when to ask again."""
    gitlab.faults.append(Reply(429, {"message": "Retry later"}, {"retry-after": "17"}))
    with pytest.raises(Transient) as caught:
        ask(lambda forge: forge.default_branch(url))
    assert caught.value.retry_after == 17.0


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": "x"}', b""])
def test_what_is_not_gitlab_is_an_error_of_ours(ask, gitlab, url, body):
    """A proxy's page, or another program's answer, ends in our words."""
    gitlab.faults += [Reply(200, {"version": "18"}), Reply(200, body)]
    with pytest.raises((Transient, Permanent)):
        ask(lambda forge: forge.default_branch(url))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://gitlab.com/acme/shop", "acme/shop"),
        ("https://gitlab.com/acme/shop.git", "acme/shop"),
        ("https://GitLab.com/acme/tools/shop/", "acme/tools/shop"),
        ("https://git.example.org:8443/acme/.tools/shop.js.git/", "acme/.tools/shop.js"),
    ],
)
def test_an_address_is_taken_as_people_paste_it(text, parts):
    """With or without `.git`, a slash at the end, groups in groups, a port."""
    found = address(text)
    assert "/".join(found.parts) == parts
    assert next(found.bases())[0].endswith("/api/v4")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        "https://gitlab.com/shop",
        "git@gitlab.com:acme/shop.git",
        "https://gitlab.com/acme/shop/-/tree/main",
        "https://gitlab.com/acme/shop?x=1",
        "https://ada:hunter2@gitlab.com/acme/shop",
        "https://gitlab.com/acme/../shop",
        "https://gitlab.com:port/acme/shop",
        "https://gitlab.com/acme//shop",
    ],
)
def test_what_is_no_address_of_a_project_is_told(text):
    """It is refused before anybody is asked, and a password in it is not repeated."""
    with pytest.raises(UserError) as caught:
        address(text)
    assert "https://HOST/GROUP/PROJECT" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_a_page_of_a_project_is_told_from_the_project():
    """Who pasted a branch's page reads that, and not that there is no such group."""
    with pytest.raises(UserError, match="a page of a project"):
        address("https://gitlab.com/acme/shop/-/tree/main")


def test_gitlabs_own_service_is_not_searched():
    """On gitlab.com the API is where it is."""
    assert len(list(address("https://gitlab.com/a/b/c/d").bases())) == 1


def test_a_gitlab_under_a_path_is_found(ask, tmp_path):
    """Where the path ends and the groups begin is found by asking, once."""
    with GitLab(tmp_path, "/code/gitlab") as gitlab:
        url = gitlab.web(gitlab.shop)

        async def play(forge):
            return [await forge.default_branch(url) for _ in range(3)]

        assert ask(play) == ["main"] * 3
        assert len(gitlab.asked("GET", r".*/version")) == 3


def test_a_guarded_page_before_it_does_not_hide_it(ask, tmp_path):
    """Another program at the root that wants a login is not taken for GitLab."""
    with GitLab(tmp_path, "/gitlab") as gitlab:
        gitlab.faults.append(Reply(401, b"who are you?"))
        assert ask(lambda forge: forge.default_branch(gitlab.web(gitlab.shop))) == "main"


def test_no_gitlab_at_all_is_told(ask, gitlab):
    """An address where nothing answers as GitLab is named."""
    gitlab.prefix = "/elsewhere"
    url = f"{gitlab.url}/acme/tools/shop"
    with pytest.raises(NotFound, match="no GitLab answers"):
        ask(lambda forge: forge.default_branch(url))


def test_a_project_that_was_made_anew_is_found_again(ask, gitlab, shop, url):
    """Its number is another one then; the next question finds it."""

    async def play(forge):
        await forge.default_branch(url)
        gitlab.projects[9999] = replace(gitlab.projects.pop(shop.id), id=9999)
        with pytest.raises(NotFound):
            await forge.default_branch(url)
        return await forge.default_branch(url)

    assert ask(play) == "main"


def test_git_is_let_in_with_the_credential(ask, gitlab, url, tmp_path):
    """The name and the token open the repository over HTTP."""
    login = ask(lambda forge: forge.credential(url))
    there = url.replace("http://", f"http://{login.name}:{login.password}@")
    words = ["git", "-c", "credential.helper=", "ls-remote", f"{there}.git", "refs/heads/main"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split()[0] == gitlab.shop.bare.git("rev-parse", "main")


@pytest.mark.parametrize(
    ("level", "may"),
    [
        (50, Permission.ADMIN),
        (40, Permission.ADMIN),
        (30, Permission.WRITE),
        (20, Permission.READ),
        (10, Permission.READ),
        (5, Permission.NONE),
    ],
)
def test_a_role_is_a_permission(ask, shop, url, level, may):
    """From Developer on one may write."""
    shop.members[EVE] = level
    assert ask(lambda forge: forge.permission(url, str(EVE))) is may


def test_who_was_blocked_may_nothing(ask, shop, url):
    """A role alone is not enough."""
    shop.members[EVE] = DEVELOPER
    shop.blocked.add(EVE)
    assert ask(lambda forge: forge.permission(url, str(EVE))) is Permission.NONE


@pytest.mark.parametrize("nobody", ["", "-1", "1e3", "٤٢", "42/../7", "9" * 40, "42 "])
def test_garbage_is_nobody_and_nobody_is_asked(ask, gitlab, url, nobody):
    """What is no id of a user costs no question."""
    assert ask(lambda forge: forge.permission(url, nobody)) is Permission.NONE
    assert not gitlab.calls


def test_merged_by_fast_forward_the_head_is_the_commit(ask, gitlab, shop, url):
    """Without a commit of its own, a merge is the head; a draft and a lost fork are told."""
    number = gitlab.propose(shop, source=None)
    shop.requests[number].update(state="merged", draft=True)
    pull = ask(lambda forge: forge.pull(url, number))
    assert (pull.merge_sha, pull.draft, pull.fork) == (pull.head_sha, True, True)
    assert pull.created_at == pytest.approx(time.time(), abs=60)


def test_an_empty_repository_has_no_default_branch(ask, shop, url):
    """It is said what to do about it."""
    shop.bare.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(UserError, match="no branch yet"):
        ask(lambda forge: forge.default_branch(url))
