"""What we ask GitHub of a repository."""

from __future__ import annotations

import subprocess

import pytest

from windlass.core.errors import (
    NotFound,
)
from windlass.ports.forge import (
    Permission,
    PullState,
)
from windlass.testing.servers.serving import Reply


def test_a_permission_is_the_forges_own(ask, github):
    """By the number, also after a change of names; what is not known is nothing."""
    github.shop.roles |= {github.bo.id: "write", github.eve.id: "read"}

    def may(number):
        return ask(lambda forge: forge.permission(github.address, str(number)))

    assert may(github.ada.id) is Permission.ADMIN
    assert may(github.bo.id) is Permission.WRITE
    assert may(github.eve.id) is Permission.READ
    calls = len(github.calls)
    for garbage in ("ada", "-1", "1e3", "٣", " 1", "0", "1" * 30, "../user"):
        assert may(garbage) is Permission.NONE
    assert len(github.calls) == calls


def test_a_name_that_changed_hands_gives_no_right(ask, github):
    """Between the two questions the login went to somebody else; the number decides."""
    github.faults.append(Reply(200, {"login": "ada", "id": github.eve.id}))
    found = ask(lambda forge: forge.permission(github.address, str(github.eve.id)))
    assert found is Permission.NONE


def test_a_pull_request_tells_its_end_and_where_it_came_from(ask, github, pulled):
    """Merged, with the commit; closed; from a fork, also from one that is gone."""

    def look():
        return ask(lambda forge: forge.pull(pulled.url, pulled.number))

    pull = github.shop.pulls[pulled.number]
    assert (look().state, look().merge_sha, look().fork) == (PullState.OPEN, "", False)
    assert look().web_url == f"{github.address}/pull/1"
    pull["head"]["repo"] = {"id": 4711}
    assert look().fork
    pull["head"]["repo"] = None
    assert look().fork
    merged = github.merge(pulled.number)
    assert (look().state, look().merge_sha) == (PullState.MERGED, merged)
    pull.update(merged=False)
    assert (look().state, look().merge_sha) == (PullState.CLOSED, "")


@pytest.mark.parametrize("by_app", [True, False])
def test_git_reads_with_the_credential(ask, github, app, by_app):
    """What we are given opens a private repository to Git, and nothing else does."""
    github.shop.private = True
    who = {"token": None, "app": app} if by_app else {}
    login = ask(lambda forge: forge.credential(github.address), **who)
    assert login.name == "x-access-token"

    def listed(password):
        url = f"http://{login.name}:{password}@{github.host}/acme/shop.git"
        more = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
        path = {"PATH": "/usr/bin:/bin"}
        return subprocess.run(["git", "ls-remote", url], capture_output=True, env=path | more)

    assert b"refs/heads/main" in listed(login.password).stdout
    assert listed("wrong").returncode != 0


def test_an_unknown_pull_request_is_named(ask, github):
    """With the address that was asked."""
    with pytest.raises(NotFound, match=github.address):
        ask(lambda forge: forge.pull(github.address, 4711))
