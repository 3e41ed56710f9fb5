"""What comes back from GitHub, whatever it is."""

from __future__ import annotations

import contextlib

import pytest

from windlass.core.errors import (
    Permanent,
    Transient,
    WindlassError,
)
from windlass.ports.forge import (
    Hook,
    Status,
    StatusState,
)
from windlass.testing.servers.github import TOKEN
from windlass.testing.servers.serving import Reply

AWAY = Hook(url="http://127.0.0.1:9/hooks/" + "e" * 24, secret=b"correct horse battery staple")


def said(pulled, state=StatusState.SUCCESS, **more):
    return Status(sha=pulled.sha, context="windlass/ci", state=state, **more)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, {"message": "slow"}, {"retry-after": "9"}), Transient),
        (Reply(403, {"message": "You have exceeded a secondary rate limit"}), Transient),
        (Reply(500, {"message": f"oops {TOKEN}"}), Transient),
        (Reply(200, b"<html>"), Transient),
        (Reply(200, []), Permanent),
        (Reply(404, {"message": f"no {TOKEN}"}), Permanent),
        (Reply(401, {"message": f"no {TOKEN}"}), Permanent),
        (Reply(422, {"message": f"no {TOKEN}", "errors": [{"message": TOKEN}]}), Permanent),
    ],
)
def test_a_failure_is_one_of_ours_and_keeps_the_token(ask, github, pulled, reply, kind):
    """R-18, S-23: whatever comes back, what to do is known, and the token is in no text."""
    github.faults.append(reply)
    with pytest.raises(kind) as caught:
        ask(lambda forge: forge.status(pulled.url, said(pulled)))
    assert TOKEN not in str(caught.value)
    if "retry-after" in reply.headers:
        assert caught.value.retry_after == 9.0


@pytest.mark.parametrize("body", [{}, [], [1], {"statuses": [1]}, None, "x", {"id": [], "head": 3}])
@pytest.mark.parametrize(
    "deed",
    [
        lambda forge, at: forge.heads(at.url),
        lambda forge, at: forge.pull(at.url, at.number),
        lambda forge, at: forge.default_branch(at.url),
        lambda forge, at: forge.permission(at.url, "1"),
        lambda forge, at: forge.check(at.url, AWAY),
        lambda forge, at: forge.status(at.url, said(at)),
        lambda forge, at: forge.comment(at.url, at.number, "x"),
        lambda forge, at: forge.deployment(at.url, said(at), "dev"),
    ],
)
def test_an_answer_of_another_shape_is_no_crash(ask, github, pulled, deed, body):
    """No library's exception comes out, nor a KeyError."""
    github.faults += [Reply(200, body)] * 4
    with contextlib.suppress(WindlassError):
        ask(lambda forge: deed(forge, pulled))
