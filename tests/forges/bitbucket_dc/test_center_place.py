"""Addresses and tokens of Bitbucket Data Center, and what it tells of a repository."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from windlass.core.errors import NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.bitbucket_dc.place import parsed
from windlass.ports.forge import Hook, Permission
from windlass.testing.servers.serving import Reply

TOKEN = "an-http-access-token-of-the-bot"


def do(question):
    return asyncio.run(question)


@pytest.mark.parametrize(
    ("url", "web", "path"),
    [
        ("/projects/ACME/repos/shop", "/projects/ACME/repos/shop", "/projects/ACME/repos/shop"),
        (
            "/projects/ACME/repos/shop/browse",
            "/projects/ACME/repos/shop",
            "/projects/ACME/repos/shop",
        ),
        ("/scm/acme/shop.git", "/projects/acme/repos/shop", "/projects/acme/repos/shop"),
        ("/scm/acme/shop.js", "/projects/acme/repos/shop.js", "/projects/acme/repos/shop.js"),
        ("/users/ada/repos/shop/", "/users/ada/repos/shop", "/projects/~ada/repos/shop"),
        ("/scm/~ada/shop.git", "/users/ada/repos/shop", "/projects/~ada/repos/shop"),
        ("/projects/scm/repos/repos", "/projects/scm/repos/repos", "/projects/scm/repos/repos"),
    ],
)
@pytest.mark.parametrize("base", ["", "/bitbucket", "/dev/git"])
def test_an_address_is_taken_as_people_paste_it(base, url, web, path):
    """On the web and to clone, of a team and of a person, with a port and below a path."""
    found = parsed(f"https://ada@Git.corp:7990{base}{url}")
    assert found.base == f"https://git.corp:7990{base}"
    assert found.url == f"https://git.corp:7990{base}{web}"
    assert found.path == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ssh://git@git.corp:7999/acme/shop.git",
        "https://git.corp/acme/shop",
        "https://git.corp/projects/ACME",
        "https://git.corp/projects/ACME/repos/..",
        "https://git.corp/projects/../repos/shop",
        "https://git.corp/projects/ACME/repos/sh%2fop",
        "https://ada:hunter2-hunter2@git.corp/projects/ACME",
        "https://[/projects/ACME/repos/shop",
    ],
)
def test_what_is_no_repository_is_refused(url):
    """With the forms that it may have, and without a password that stood in it."""
    with pytest.raises(UserError) as caught:
        parsed(url)
    assert "https://HOST/projects/KEY/repos/NAME" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_without_a_token_what_is_public_can_be_read(server, bot, made):
    """Branches need none; whoever wants more is told to store one."""
    url, forge = server.address(server.repository("ACME", "open", bot, public=True)), made(None)
    assert "refs/heads/main" in do(forge.heads(url))
    assert do(forge.default_branch(url)) == "main"
    assert do(forge.credential(url)) is None
    with pytest.raises(NotAllowed) as caught:
        do(forge.check(url, Hook(url="http://127.0.0.1:9/hooks/7", secret=b"x")))
    assert caught.value.hint == f"store one: windlass repo token {url}"
    with pytest.raises(Permanent, match="windlass repo token"):
        do(forge.comment(url, 1, "text"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_a_token_is_in_no_error(server, url, forge, status):
    """Even where the forge repeats it."""
    server.faults.append(Reply(status, {"errors": [{"message": f"no {TOKEN}"}]}))
    with pytest.raises((UserError, Permanent, Transient)) as caught:
        do(forge.default_branch(url))
    assert TOKEN not in str(caught.value)


def test_git_takes_the_credential(server, shop, url, forge):
    """Git itself reads the repository with what it is given."""
    login = do(forge.credential(url))
    asked = server.base.replace("://", f"://{login.name}:{login.password}@")
    clone = f"{asked}/scm/acme/shop.git"
    done = subprocess.run(["git", "ls-remote", clone], capture_output=True, timeout=60)
    assert b"refs/heads/main" in done.stdout


def test_a_token_of_a_repository_has_no_name_for_git(server, shop, url, made):
    """Its account is nobody's; Bitbucket writes that with a slash, which a header cannot hold."""
    robot = server.person("access-token-user/2/7", service=True)
    shop.rights[robot.id] = "REPO_ADMIN"
    server.token("token-of-the-repository", robot)
    login = do(made("token-of-the-repository").credential(url))
    assert login.name == "x-token-auth"


def test_a_pull_request_tells_who_approved(server, shop, url, forge, pull):
    """By the names that people know, with its page and its times in seconds."""
    server.approved(shop, pull, server.person("grace"))
    found = do(forge.pull(url, pull.number))
    assert found.approved_by == ("grace",)
    assert found.web_url == f"{url}/pull-requests/1"
    assert found.created_at == found.updated_at == 1704099600.0


@pytest.mark.parametrize("level", ["NONE", "REPO_READ", "REPO_WRITE", "REPO_ADMIN"])
def test_a_permission_is_what_bitbucket_says(server, shop, forge, level):
    """Found among many accounts, by the number alone."""
    people = [server.person(f"person-{at:03}") for at in range(130)]
    shop.rights.update(dict.fromkeys((one.id for one in people), "REPO_READ"))
    who = server.person("zoe")
    shop.rights[who.id] = level
    expected = Permission(level.rpartition("_")[2].lower())
    assert do(forge.permission(server.address(shop), str(who.id))) is expected


@pytest.mark.parametrize("who", ["", "ada", "0", "-1", "1.5", "{1}", "٣", "9" * 30])
def test_garbage_is_nobody_and_asks_nothing(server, url, forge, who):
    """An id is an account's number; anything else never reaches a question."""
    assert do(forge.permission(url, who)) is Permission.NONE
    assert server.calls == []


def test_a_repository_without_a_commit_has_no_branch(shop, url, forge):
    """And that is said, with what to do."""
    shop.main = ""
    with pytest.raises(UserError, match="no default branch") as caught:
        do(forge.default_branch(url))
    assert caught.value.hint


def test_a_repository_that_is_not_there_is_named(server, forge):
    """With its address."""
    with pytest.raises(NotFound, match="repos/nowhere"):
        do(forge.default_branch(f"{server.base}/projects/ACME/repos/nowhere"))
