"""The webhook on Bitbucket Data Center, and what is told to it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from windlass.core.errors import NotAllowed, Permanent, Transient
from windlass.forges.bitbucket_dc.dialect import BitbucketDataCenterDialect
from windlass.forges.bitbucket_words import MARK
from windlass.ports.forge import Status, StatusState
from windlass.testing.servers.serving import Reply

TOKEN = "an-http-access-token-of-the-bot"


def do(question):
    return asyncio.run(question)


def texts(pull):
    return [one["comment"]["text"] for one in reversed(pull.activities)]


def test_a_webhook_goes_all_the_way(server, shop, forge, hook, receiver):
    """Installed, it brings what people do, signed so that the dialect trusts and reads it."""
    url, ada = server.address(shop), server.person("ada")
    assert do(forge.install(url, hook)).problem == ""
    assert do(forge.ping(url, hook))
    server.pushed(shop, "main", ada)
    pull = server.proposed(shop, "one", ada)
    server.moved(shop, pull, ada)
    server.said(shop, pull, ada, "/test")
    server.approved(shop, pull, ada)
    server.merged(shop, pull, ada)
    dialect, labels = BitbucketDataCenterDialect(), []
    for request in receiver.wait(7):
        assert dialect.verify(request, (b"another", hook.secret)).secret == 1
        events = dialect.read(request, "acme/shop")
        labels += [event.label for event in events]
        assert {event.sender_id for event in events} <= {str(ada.id), None}
    assert labels == [
        "ping",
        "push",
        "pull_request opened",
        "pull_request updated",
        "comment",
        "review approved",
        "pull_request merged",
    ]


def test_a_missing_right_is_named(server, url, bot, hook, made):
    """Bitbucket says 401 to it as to a wrong token, so both remedies are told."""
    server.token(TOKEN, bot, "REPO_WRITE")
    with pytest.raises(NotAllowed, match="not permitted") as caught:
        do(made().install(url, hook))
    assert "Repository admin" in caught.value.hint
    assert "windlass repo token" in caught.value.hint


def test_what_is_wrong_with_the_webhook_is_told_and_mended(shop, url, forge, hook):
    """Switched off, with another secret, without its events, without TLS: each has its words."""
    do(forge.install(url, hook))
    (one,) = shop.hooks
    for change, said in (
        ({"active": False}, "inactive"),
        ({"configuration": {"secret": "another"}}, "another secret"),
        ({"events": ["repo:refs_changed"]}, "leaves out pr:opened"),
        ({"sslVerificationRequired": False}, "certificate"),
        ({"url": hook.url.replace("/7", "/8")}, "sends to"),
    ):
        one.update(change)
        state = do(forge.check(url, hook))
        assert state.present
        assert not state.by_hand
        assert said in state.problem
        assert do(forge.install(url, hook)).problem == ""
    for hidden in ({}, {"secret": "*****"}):
        one["configuration"] = hidden
        assert do(forge.check(url, hook)).problem == ""


def test_a_delivery_that_did_not_arrive_is_told(server, shop, forge, hook, receiver):
    """How, and that a person has to look; it is over with the next that arrives."""
    url, ada = server.address(shop), server.person("ada")
    receiver.answers += [401]
    do(forge.install(url, hook))
    server.pushed(shop, "main", ada)
    state = do(forge.check(url, hook))
    assert state.present
    assert state.by_hand
    assert "(401)" in state.problem
    assert hook.url in state.problem
    server.pushed(shop, "main", ada)
    assert do(forge.check(url, hook)).problem == ""


def test_a_webhook_that_is_left_alone_is_told_until_a_test_reaches_us(server, shop, forge, hook):
    """Bitbucket skips a receiver that fails again and again; nobody need guess that."""
    url, ada = server.address(shop), server.person("ada")
    nobody = replace(hook, url="http://127.0.0.1:9/hooks/7")
    do(forge.install(url, nobody))
    for _ in range(6):
        server.pushed(shop, "main", ada)
    assert len(server.delivered) == 5
    assert "Connection refused" in do(forge.check(url, nobody)).problem
    # What happened at another address says nothing of this one.
    assert do(forge.install(url, hook)).problem == ""


def test_webhooks_of_others_are_left_alone(shop, url, forge, hook, made):
    """One of ours is enough, and nobody else's is changed or taken away, nor the project's."""
    there = [
        {"id": 901, "url": "https://ci.example/hooks/7", "name": "CI"},
        {"id": 902, "url": hook.url.replace("/hooks/", "/deploy/"), "name": "x"},
        {"id": 903, "url": hook.url, "name": "Windlass", "scopeType": "project"},
        {"id": 904, "url": hook.url.replace("/7", "/1"), "name": "old"},
        {"id": 905, "url": hook.url, "name": "by hand"},
    ]
    more = {"active": True, "events": ["repo:refs_changed"], "configuration": {}}
    shop.hooks += [{**more, "scopeType": "repository", **one} for one in there]
    before = [dict(one) for one in shop.hooks[:3]]
    assert "2 webhooks of ours" in do(forge.check(url, hook)).problem
    assert do(forge.install(url, hook)).problem == ""
    assert [one["id"] for one in shop.hooks] == [901, 902, 903, 905]
    do(made().remove(url, hook))
    assert shop.hooks == before


def test_without_a_webhook_there_is_nothing_to_test(server, url, forge, hook):
    """A ping has no secret then; nothing is sent, and nothing is asked to be sent again."""
    assert do(forge.ping(url, hook)) is False
    assert do(forge.missed(url, hook, 0.0)) == ()
    assert server.delivered == []


def test_a_comment_that_was_deleted_is_made_again(url, forge, pull, made):
    """Whether we remember it or began anew; one that is there is edited, not doubled."""
    do(forge.comment(url, pull.number, "first"))
    pull.activities.clear()
    do(forge.comment(url, pull.number, "second"))
    assert texts(pull) == [f"{MARK}\n\nsecond"]
    pull.activities.clear()
    do(made().comment(url, pull.number, "third"))
    do(made().comment(url, pull.number, "fourth"))
    assert texts(pull) == [f"{MARK}\n\nfourth"]


def test_our_mark_in_anothers_hand_means_nothing(server, shop, forge, pull, made):
    """S-27: a comment is ours by its author; a remark on a line is nobody's to edit."""
    url, theirs = server.address(shop), f"{MARK}\n\nEverything is fine."
    server.said(shop, pull, pull.author, theirs)
    bot = server.tokens[TOKEN].who
    server.said(shop, pull, bot, f"{MARK}\n\nhere", anchor={"line": 1, "path": "a"})
    before = texts(pull)
    for text in ("first", "second"):
        do(made().comment(url, pull.number, text))
        assert texts(pull) == [*before, f"{MARK}\n\n{text}"]


def silent(monkeypatch, server, *names):
    """Let the server leave out headers that tell whom a token speaks for."""
    whole = server.answer

    def told(call):
        reply = whole(call)
        return replace(reply, headers={k: v for k, v in reply.headers.items() if k not in names})

    monkeypatch.setattr(server, "answer", told)


def test_a_comment_is_ours_by_name_where_no_number_is_told(server, url, pull, monkeypatch, made):
    """Older versions tell only the name of the account."""
    silent(monkeypatch, server, "x-auserid")
    for text in ("first", "second"):
        do(made().comment(url, pull.number, text))
    assert texts(pull) == [f"{MARK}\n\nsecond"]


def test_a_token_that_is_nobodys_is_told(server, url, forge, monkeypatch):
    """Then no comment could be known as ours."""
    silent(monkeypatch, server, "x-auserid", "x-ausername")
    with pytest.raises(NotAllowed, match="nobody's"):
        do(forge.credential(url))


def test_a_stale_version_is_read_again_once(server, url, forge, pull):
    """Somebody else's change comes between; the next try says it, the one after is later."""
    do(forge.comment(url, pull.number, "first"))
    comment = pull.activities[0]["comment"]
    told = Reply(200, {**comment, "version": comment["version"] + 7})
    server.faults.append(told)
    do(forge.comment(url, pull.number, "second"))
    assert comment["text"] == f"{MARK}\n\nsecond"
    stale = Reply(409, {"errors": [{"message": "out of date"}]})
    server.faults += [told, stale, told, stale]
    with pytest.raises(Transient):
        do(forge.comment(url, pull.number, "third"))


def test_a_comment_that_goes_meanwhile_is_made_again(server, url, forge, pull):
    """Between our look and our change it was deleted."""
    do(forge.comment(url, pull.number, "first"))
    comment = pull.activities.pop()["comment"]
    server.faults.append(Reply(200, comment))
    do(forge.comment(url, pull.number, "second"))
    assert texts(pull) == [f"{MARK}\n\nsecond"]


def test_what_stands_there_already_is_not_sent(server, url, forge, pull):
    """A comment that says it is left as it is."""
    for _ in range(3):
        do(forge.comment(url, pull.number, "same"))
    assert len(server.asked("POST", ".*/comments")) == 1
    assert server.asked("PUT", ".*/comments/.*") == []


def test_a_comment_is_found_behind_many_others(server, shop, forge, pull, made):
    """Activities have pages, and ours may be the oldest of all."""
    url = server.address(shop)
    do(forge.comment(url, pull.number, "first"))
    ours = pull.activities[0]["comment"]
    for at in range(230):
        server.act(pull, server.bodies.comment(5000 + at, pull.author, "Hm."), pull.author)
    do(made().comment(url, pull.number, "second"))
    assert ours["text"] == f"{MARK}\n\nsecond"
    assert len(pull.activities) == 231


def test_a_report_that_may_not_be_is_permanent(server, bot, pull, shop, made):
    """Nobody waits for a report, so a missing right ends it, and is named."""
    url = server.address(shop)
    server.token(TOKEN, bot, "REPO_READ")
    with pytest.raises(Permanent, match="Repository write"):
        do(made().comment(url, pull.number, "text"))
    status = Status(sha=shop.bare.at(pull.ref), context="ci", state=StatusState.SUCCESS)
    do(made().status(url, status))
    for wrong in ("", "main", "../../../users", "a" * 12):
        with pytest.raises(Permanent, match="no commit"):
            do(made().status(url, replace(status, sha=wrong)))


def test_a_long_address_gives_way_to_the_commits_page(shop, url, forge):
    """Bitbucket takes 450 characters of an address, 255 of a name and of a key."""
    sha = shop.bare.at("main")
    long = Status(
        sha=sha,
        context="x" * 300,
        state=StatusState.FAILURE,
        url="https://w.example/" + "x" * 450,
    )
    do(forge.status(url, long))
    (one,) = shop.builds.values()
    assert one["url"] == f"{url}/commits/{sha}"
    assert len(one["key"]) == len(one["name"]) == 255


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[1]",
        b'{"values": 3}',
        b'{"values": [3]}',
        b"{}",
        b'{"values": [], "isLastPage": false}',
    ],
)
def test_no_answer_of_another_program_gets_through(server, url, forge, body):
    """A proxy's page or another's JSON is an error of ours, never of a library."""
    server.faults.append(Reply(200, body))
    with pytest.raises((Transient, Permanent)):
        do(forge.heads(url))


def test_a_pause_is_kept(server, url, forge):
    """Rate limiting says how long."""
    server.faults.append(Reply(429, {"errors": []}, {"retry-after": "5"}))
    with pytest.raises(Transient) as caught:
        do(forge.heads(url))
    assert caught.value.retry_after == 5.0
