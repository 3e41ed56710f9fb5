"""What GitHub does not let us do is named, with its remedy."""

from __future__ import annotations

import pytest

from windlass.core.errors import (
    NotAllowed,
    Permanent,
)
from windlass.ports.forge import (
    Hook,
    Status,
    StatusState,
)
from windlass.testing.servers.github_ground import EVERYTHING, Bearer

AWAY = Hook(url="http://127.0.0.1:9/hooks/" + "e" * 24, secret=b"correct horse battery staple")


def said(pulled, state=StatusState.SUCCESS, **more):
    return Status(sha=pulled.sha, context="windlass/ci", state=state, **more)


@pytest.mark.parametrize("classic", [True, False])
def test_a_token_without_the_right_to_webhooks_is_told_which(ask, github, classic):
    """GitHub says "not found" to some and "not accessible" to others; we name the right."""
    github.tokens["poor"] = Bearer(github.ada, EVERYTHING - {"hooks"}, classic=classic)
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(github.address, AWAY), token="poor")
    assert "Webhooks: read and write" in caught.value.hint
    assert "admin:repo_hook" in caught.value.hint


@pytest.mark.parametrize(
    ("right", "name"),
    [
        ("statuses", "Commit statuses: read and write"),
        ("comments", "Pull requests and Issues: read and write"),
        ("deployments", "Deployments: read and write"),
    ],
)
def test_a_report_without_the_right_says_which(ask, github, pulled, right, name):
    """It is permanent, and whoever reads it knows what to grant."""
    github.tokens["poor"] = Bearer(github.ada, EVERYTHING - {right})
    deeds = {
        "statuses": lambda forge: forge.status(pulled.url, said(pulled)),
        "comments": lambda forge: forge.comment(pulled.url, pulled.number, "x"),
        "deployments": lambda forge: forge.deployment(pulled.url, said(pulled), "dev"),
    }
    with pytest.raises(Permanent, match=name):
        ask(deeds[right], token="poor")


def test_without_a_token_one_is_asked_for(ask, github, pulled):
    """What needs one says how to give it; what is public is read without."""
    for deed in (
        lambda forge: forge.install(pulled.url, AWAY),
        lambda forge: forge.permission(pulled.url, "1"),
    ):
        with pytest.raises(NotAllowed) as caught:
            ask(deed, token=None)
        assert f"windlass repo token {pulled.url}" in caught.value.hint
    with pytest.raises(Permanent, match="windlass repo token"):
        ask(lambda forge: forge.status(pulled.url, said(pulled)), token=None)
    assert ask(lambda forge: forge.default_branch(pulled.url), token=None) == "main"
    assert ask(lambda forge: forge.credential(pulled.url), token=None) is None


def test_a_wrong_token_is_told(ask, github):
    """And how to store another."""
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.heads(github.address), token="gone")
    assert "windlass repo token" in caught.value.hint
