"""The webhook on Bitbucket Cloud, and what is told to it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from windlass.core.errors import NotAllowed, Permanent, Transient
from windlass.forges.bitbucket_cloud.dialect import BitbucketCloudDialect
from windlass.forges.bitbucket_words import MARK
from windlass.ports.forge import Status, StatusState
from windlass.testing.servers.bitbucket_cloud_world import EVERYTHING
from windlass.testing.servers.serving import Reply

API_TOKEN, ACCESS_TOKEN = "bot@example.com:an-api-token-of-the-bot", "an-access-token-of-the-shop"


def do(question):
    return asyncio.run(question)


def texts(pull):
    return [one["content"]["raw"] for one in pull.comments if not one["deleted"]]


def test_a_webhook_goes_all_the_way(server, shop, forge, hook, receiver):
    """Installed, it brings what people do, signed so that the dialect trusts and reads it."""
    ada = server.person("ada")
    assert do(forge.install(f"{server.url}/acme/shop", hook)).problem == ""
    sha = server.pushed(shop, "main", ada)
    pull = server.proposed(shop, "one", ada)
    server.moved(shop, pull, ada)
    server.said(shop, pull, ada, "/test")
    server.merged(shop, pull, ada)
    dialect, labels = BitbucketCloudDialect(), []
    for request in receiver.wait(5):
        key = dialect.verify(request, (b"another", hook.secret))
        assert key.secret == 1
        events = dialect.read(request, "acme/shop")
        labels += [event.label for event in events]
        assert {event.sender_id for event in events} == {ada.uuid}
        if labels == ["push"]:
            assert events[0].sha == sha
    assert labels == [
        "push",
        "pull_request opened",
        "pull_request updated",
        "comment",
        "pull_request merged",
    ]


def test_a_missing_scope_is_named(server, url, bot, hook, made):
    """The forge's own word for it and where to give it stand in the error."""
    server.token(API_TOKEN, bot, scopes=EVERYTHING - {"webhook"})
    with pytest.raises(NotAllowed, match=r"lack one or more.*webhook") as caught:
        do(made(API_TOKEN).install(url, hook))
    assert "write:webhook:bitbucket" in caught.value.hint
    assert "Webhooks: Read and write" in caught.value.hint


def test_what_is_wrong_with_the_webhook_is_told_and_mended(shop, url, forge, hook):
    """Switched off, without a secret, without its events, without TLS: each has its words."""
    do(forge.install(url, hook))
    (one,) = shop.hooks
    for change, said in (
        ({"active": False}, "inactive"),
        ({"secret": None}, "no secret"),
        ({"events": ["repo:push"]}, "leaves out pullrequest:created"),
        ({"skip_cert_verification": True}, "certificate"),
        ({"url": hook.url.replace("/7", "/8")}, "sends to"),
    ):
        one.update(change)
        state = do(forge.check(url, hook))
        assert state.present
        assert said in state.problem
        assert do(forge.install(url, hook)).problem == ""
    assert one["secret"] == hook.secret.decode()


def test_webhooks_of_others_are_left_alone(shop, url, forge, hook):
    """One of ours is enough, and nobody else's is changed or taken away."""
    there = [
        {"uuid": "{1}", "url": "https://ci.example/hooks/7", "description": "CI"},
        {"uuid": "{2}", "url": hook.url.replace("/hooks/", "/deploy/"), "description": "x"},
        {"uuid": "{3}", "url": hook.url.replace("/7", "/1"), "description": "old"},
        {"uuid": "{4}", "url": hook.url, "description": "by hand"},
    ]
    more = {"active": True, "events": ["repo:push"], "secret": "theirs"}
    shop.hooks += [{**one, **more} for one in there]
    before = [dict(one) for one in shop.hooks[:2]]
    assert "2 webhooks of ours" in do(forge.check(url, hook)).problem
    assert do(forge.install(url, hook)).problem == ""
    assert [one["uuid"] for one in shop.hooks] == ["{1}", "{2}", "{4}"]
    do(forge.remove(url, hook))
    assert shop.hooks == before


def test_nothing_is_asked_for_again(server, url, forge, hook):
    """Bitbucket Cloud has neither ping nor redelivery, and is not asked in vain."""
    assert do(forge.ping(url, hook)) is False
    assert do(forge.missed(url, hook, 0.0)) == ()
    assert server.calls == []


def test_a_comment_that_was_deleted_is_made_again(url, forge, pull, made):
    """Whether we remember it or began anew; one that is there is edited, not doubled."""
    for at in range(2):
        do(forge.comment(url, pull.number, "same"))
        assert texts(pull) == [f"{MARK}\n\nsame"]
        pull.comments[at]["deleted"] = True
    for text in ("same", "another"):
        do(made(forge._tokens(url)).comment(url, pull.number, text))
        assert texts(pull) == [f"{MARK}\n\n{text}"]
    assert len(pull.comments) == 3


def test_our_mark_in_anothers_hand_means_nothing(server, shop, forge, pull, made):
    """S-27: a comment is ours by its author, also where a token may not ask who it is."""
    url = f"{server.url}/acme/shop"
    theirs = f"{MARK}\n\nEverything is fine."
    server.said(shop, pull, pull.author, theirs)
    for text in ("first", "second"):
        do(made(forge._tokens(url)).comment(url, pull.number, text))
        assert texts(pull) == [theirs, f"{MARK}\n\n{text}"]


def test_a_comment_of_another_is_not_even_tried(server, shop, bot, pull, made):
    """Who knows its own account needs no refusal to tell."""
    server.said(shop, pull, pull.author, f"{MARK}\n\nEverything is fine.")
    do(made(API_TOKEN).comment(f"{server.url}/acme/shop", pull.number, "text"))
    assert server.asked("PUT", ".*") == []


def test_a_remark_on_a_line_is_not_ours_to_edit(server, shop, bot, pull, made):
    """What stands in the diff stays there, our account's too."""
    url = f"{server.url}/acme/shop"
    remark = f"{MARK}\n\nhere"
    server.said(shop, pull, bot, remark, inline={"path": "a", "to": 1})
    do(made(API_TOKEN).comment(url, pull.number, "text"))
    assert texts(pull) == [remark, f"{MARK}\n\ntext"]


def test_another_token_makes_a_comment_of_its_own(url, bot, robot, pull, made):
    """What was written with the token of before cannot be edited, and is not tried for ever."""
    tokens = [API_TOKEN]
    forge = made(lambda: tokens[0])
    do(forge.comment(url, pull.number, "first"))
    tokens[0] = ACCESS_TOKEN
    for text in ("second", "third"):
        do(forge.comment(url, pull.number, text))
    assert texts(pull) == [f"{MARK}\n\nfirst", f"{MARK}\n\nthird"]


def test_what_stands_there_already_is_not_sent(server, url, forge, pull):
    """A comment that says it is left as it is."""
    for _ in range(3):
        do(forge.comment(url, pull.number, "same"))
    assert len(server.asked("POST", ".*/comments")) == 1
    assert server.asked("PUT", ".*/comments/.*") == []


def test_a_report_that_may_not_be_is_permanent(server, bot, pull, shop, made):
    """Nobody waits for a report, so a missing scope ends it, and is named."""
    url = f"{server.url}/acme/shop"
    server.token(API_TOKEN, bot, scopes=EVERYTHING - {"pullrequest:write"})
    with pytest.raises(Permanent, match="Pull requests: Write"):
        do(made(API_TOKEN).comment(url, pull.number, "text"))
    status = Status(sha=shop.bare.at(pull.ref), context="ci", state=StatusState.SUCCESS)
    server.token(API_TOKEN, bot, scopes=EVERYTHING - {"repository"})
    with pytest.raises(Permanent, match="Repositories: Read"):
        do(made(API_TOKEN).status(url, status))
    for wrong in ("", "main", "../../../user", "a" * 12):
        with pytest.raises(Permanent, match="no commit"):
            do(made(API_TOKEN).status(url, replace(status, sha=wrong)))


def test_long_contexts_stay_apart(shop, url, forge):
    """The key has forty characters; the name says the whole."""
    sha = shop.bare.at("main")
    names = ["windlass/" + "x" * 60 + end for end in "ab"]
    for name in (*names, *names):
        do(forge.status(url, Status(sha=sha, context=name, state=StatusState.PENDING)))
    assert sorted(one["name"] for one in shop.statuses.values()) == names


def test_a_limit_without_a_time_is_waited_out(server, url, forge):
    """Bitbucket says 429 and not for how long; a minute is asked for."""
    error = {"type": "error", "error": {"message": "Rate limit for this resource exceeded"}}
    server.faults.append(Reply(429, error, {"x-ratelimit-nearlimit": "true"}))
    with pytest.raises(Transient) as caught:
        do(forge.heads(url))
    assert caught.value.retry_after == 60.0


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"values": 3}', b'{"values": [3]}', b"{}"])
def test_no_answer_of_another_program_gets_through(server, url, forge, body):
    """A proxy's page or another's JSON is an error of ours, never of a library."""
    server.faults.append(Reply(200, body))
    with pytest.raises((Transient, Permanent)):
        do(forge.heads(url))


def test_a_page_on_another_host_is_not_followed(server, url, forge):
    """S-31: the token goes where the repository is, and nowhere else."""
    server.faults.append(Reply(200, {"values": [], "next": "http://169.254.169.254/latest"}))
    with pytest.raises(Permanent, match="another host"):
        do(forge.heads(url))
    assert len(server.calls) == 1
