"""The App: its tokens, and what becomes of it without one."""

from __future__ import annotations

import json

import pytest

from windlass.core.errors import (
    NotAllowed,
    Permanent,
    Transient,
    UserError,
)
from windlass.ports.forge import (
    Hook,
    Status,
    StatusState,
)
from windlass.testing.servers.github import PERMISSIONS

AWAY = Hook(url="http://127.0.0.1:9/hooks/" + "e" * 24, secret=b"correct horse battery staple")


def said(pulled, state=StatusState.SUCCESS, **more):
    return Status(sha=pulled.sha, context="windlass/ci", state=state, **more)


def test_a_token_of_an_app_is_kept_until_shortly_before_its_end(ask, github, clock, app):
    """It is for this repository alone; one proof an hour is enough, and Git gets a fresh one."""

    async def play(forge):
        for _ in range(3):
            await forge.heads(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 1
        clock.time += 3600 - 61
        await forge.heads(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 1
        await forge.credential(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 2
        clock.time += 3600 - 59
        await forge.heads(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 3
        assert github.asked("POST", ".*/access_tokens")[0].body == {"repositories": ["shop"]}

    ask(play, token=None, app=app)


def test_a_token_that_ended_early_is_replaced(ask, github, clock, app, pulled):
    """The App was installed anew: the report is tried again, and gets through."""

    async def play(forge):
        await forge.heads(github.address)
        github.tokens.clear()
        clock.time += 60
        with pytest.raises(Transient):
            await forge.status(pulled.url, said(pulled))
        await forge.status(pulled.url, said(pulled))
        assert len(github.shop.checks) == 1

    ask(play, token=None, app=app)


def test_where_the_app_is_not_installed_a_person_speaks(ask, github, pulled):
    """Or it is said where to install it; that it is not is not asked anew each time."""
    elsewhere = github.register("windlass-acme", PERMISSIONS)

    async def play(forge):
        await forge.status(pulled.url, said(pulled))
        await forge.status(pulled.url, said(pulled, StatusState.FAILURE))

    ask(play, app=elsewhere)
    assert len(github.shop.statuses) == 2
    assert len(github.asked("GET", ".*/installation")) == 1
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(pulled.url, AWAY), token=None, app=elsewhere)
    assert f"{github.url}/github-apps/windlass-acme/installations/new" in caught.value.hint


def test_an_app_that_may_not_is_told_the_right(ask, github, pulled):
    """Checks are an App's own right."""
    poor = github.register("poor", {"contents": "read", "statuses": "write"}, "acme/shop")
    with pytest.raises(Permanent, match="Checks: read and write"):
        ask(lambda forge: forge.status(pulled.url, said(pulled)), token=None, app=poor)


def test_an_app_that_is_gone_is_told(ask, github, app):
    """Deleted, suspended, or its key replaced: a person learns where to look."""
    known = json.loads(app)
    github.apps[known["id"]]["_suspended"] = True
    gone = json.dumps({**known, "id": 4711})
    for one, why in ((app, "suspended"), (gone, "could not be decoded")):
        with pytest.raises(NotAllowed, match=why) as caught:
            ask(lambda forge, one=one: forge.heads(github.address), token=None, app=one)
        assert "register the App again" in caught.value.hint


@pytest.mark.parametrize("stored", ["", "{", "{}", '{"id": 1, "slug": "x", "pem": "none"}'])
def test_an_app_that_was_stored_wrongly_is_told(ask, github, stored):
    """Nothing of a key is in the text."""
    if not stored:
        assert ask(lambda forge: forge.default_branch(github.address), app=stored) == "main"
        return
    with pytest.raises(UserError) as caught:
        ask(lambda forge: forge.heads(github.address), token=None, app=stored)
    assert "register the App again" in caught.value.hint
