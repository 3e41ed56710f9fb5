"""Statuses on Azure DevOps, and the one comment in a thread."""

from __future__ import annotations

import pytest

from windlass.core.errors import Permanent
from windlass.forges.azure import reports
from windlass.forges.azure.reports import LARGEST, LONGEST
from windlass.ports.forge import MARKER, Status, StatusState
from windlass.testing.servers.azure_state import EVERY

TOKEN = "azure-token-of-windlass"


def said(shop, number=1):
    """The comments that stand there, by author."""
    threads = shop.threads.get(number, [])
    comments = [one for thread in threads for one in thread["comments"]]
    return [
        (one["author"]["displayName"], one["content"])
        for one in comments
        if not one.get("isDeleted")
    ]


def test_a_status_is_said_in_their_words(server, shop, url, ask):
    """Neutral is "not applicable", a long text is cut, and what stands there is not sent again."""
    sha = shop.refs()["refs/heads/main"][0]
    status = Status(
        sha=sha, context="windlass/ci", state=StatusState.NEUTRAL, description="x" * 999
    )
    ask("status", url, status)
    ask("status", url, status)
    assert len(server.asked("POST", ".*/statuses")) == 1
    (one,) = shop.statuses
    assert (one["state"], len(one["description"])) == ("notApplicable", LONGEST)
    assert one["context"] == {"name": "windlass/ci", "genre": "windlass"}


def test_no_path_is_made_of_what_is_no_commit(server, url, ask):
    """A commit is forty digits, or nothing is asked."""
    with pytest.raises(Permanent, match="no commit"):
        ask("status", url, Status(sha="../x", context="c", state=StatusState.ERROR))
    assert server.calls == []


def test_the_comment_is_found_by_mark_and_author(server, shop, url, ask, proposed):
    """Somebody else's comment with our mark is theirs, and one of ours without it is another."""
    server.say(proposed, server.people["mallory"], f"{MARKER}\nI am green")
    server.say(proposed, server.people["windlass"], "hello")
    ask("comment", url, 1, f"{MARKER}\nred")
    assert said(shop) == [
        ("mallory", f"{MARKER}\nI am green"),
        ("windlass", "hello"),
        ("windlass", f"{MARKER}\nred"),
    ]


def test_the_comment_is_found_again_after_a_restart(server, shop, url, ask, proposed):
    """It is looked for by who made it, edited in place, and then remembered."""
    server.say(proposed, server.people["windlass"], f"{MARKER}\nfirst")
    for text in ("second", "third"):
        ask("comment", url, 1, text)
    assert said(shop) == [("windlass", f"{MARKER}\nthird")]
    assert len(server.asked("GET", ".*/threads")) == 1
    assert len(server.asked("GET", ".*/connectionData")) == 1


def test_a_comment_that_was_deleted_is_made_again(server, shop, url, ask, proposed):
    """Whether it is shown as deleted or is not there at all."""
    ask("comment", url, 1, "first")
    shop.threads[1][0]["comments"][0]["isDeleted"] = True
    ask("comment", url, 1, "second")
    assert said(shop) == [("windlass", f"{MARKER}\nsecond")]
    shop.threads[1].pop()
    ask("comment", url, 1, "third")
    assert said(shop) == [("windlass", f"{MARKER}\nthird")]


def test_a_comment_holds_back_no_merge_and_fits(server, shop, url, ask, proposed):
    """Its thread is closed from the start, and it is cut to what Azure DevOps takes."""
    ask("comment", url, 1, "x" * (LARGEST + 1))
    (call,) = server.asked("POST", ".*/threads")
    assert call.body["status"] == "closed"
    assert len(said(shop)[0][1]) == LARGEST


def test_a_right_that_lacks_is_permanent_for_a_report(server, shop, url, ask):
    """Nobody waits for a report, so it ends as one that no other try can save."""
    status = Status(sha=shop.refs()["refs/heads/main"][0], context="c", state=StatusState.SUCCESS)
    server.tokens[TOKEN] = ("windlass", EVERY - {"code_status", "threads"})
    for question in (("status", url, status), ("comment", url, 1, "x")):
        with pytest.raises(Permanent, match="scope"):
            ask(*question)
        with pytest.raises(Permanent, match="no token"):
            ask(*question, tokens=lambda _url: None)


def test_every_state_has_a_word():
    """No status is left unsaid."""
    assert set(reports.STATES) == set(StatusState)
