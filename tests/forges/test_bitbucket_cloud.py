"""What is particular about Bitbucket Cloud."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import replace

import pytest

from windlass.core.errors import NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.bitbucket_cloud.dialect import BitbucketCloudDialect
from windlass.forges.bitbucket_cloud.forge import BitbucketCloudForge
from windlass.forges.bitbucket_cloud.place import parsed
from windlass.forges.bitbucket_words import MARK
from windlass.forges.http.client import Http
from windlass.ports.forge import Hook, Permission, Status, StatusState
from windlass.reach import Reach
from windlass.testing.servers.bitbucket_cloud import BitbucketCloudServer
from windlass.testing.servers.bitbucket_cloud_world import EVERYTHING
from windlass.testing.servers.bitbucket_git import ZERO
from windlass.testing.servers.serving import Reply

API_TOKEN, ACCESS_TOKEN = "bot@example.com:an-api-token-of-the-bot", "an-access-token-of-the-shop"


class Clock:
    def now(self):
        return time.time()


class EachItsOwn:
    """A client that holds no connection between two calls, so that each may run in a new loop."""

    async def send(self, *what, **more):
        http = Http(Clock(), Reach(frozenset({"127.0.0.1"})), within=10.0)
        try:
            return await http.send(*what, **more)
        finally:
            await http.close()


@pytest.fixture
def server(tmp_path):
    with BitbucketCloudServer(tmp_path) as server:
        yield server


@pytest.fixture
def bot(server):
    bot = server.person("bot")
    server.token(API_TOKEN, bot)
    return bot


@pytest.fixture
def robot(server):
    """What Bitbucket shows in place of a person for an access token."""
    robot = server.person("shop-token")
    server.token(ACCESS_TOKEN, robot, access=True)
    return robot


@pytest.fixture
def shop(server, bot):
    return server.repository("acme/shop", bot)


@pytest.fixture
def ada(server, shop):
    ada = server.person("ada")
    shop.effective[ada.uuid] = "write"
    return ada


@pytest.fixture
def url(server, shop):
    return f"{server.url}/acme/shop"


@pytest.fixture(params=[API_TOKEN, ACCESS_TOKEN], ids=["api", "access"])
def forge(bot, robot, request):
    return made(request.param)


@pytest.fixture
def pull(server, shop, ada):
    return server.proposed(shop, "one", ada)


def made(token):
    return BitbucketCloudForge(EachItsOwn(), lambda _url: token)


def do(question):
    return asyncio.run(question)


def texts(pull):
    return [one["content"]["raw"] for one in pull.comments if not one["deleted"]]


# ------------------------------------------------------------------ addresses and tokens


@pytest.mark.parametrize(
    "url",
    [
        "https://bitbucket.org/acme/shop",
        "https://bitbucket.org/acme/shop/",
        "https://bitbucket.org/acme/shop.git",
        "https://ada@bitbucket.org/acme/shop.git",
        "https://BITBUCKET.org/acme/shop",
        "https://www.bitbucket.org/acme/shop",
        "http://bitbucket.org/acme/shop",
        " https://bitbucket.org/acme/shop\n",
    ],
)
def test_an_address_is_taken_as_people_paste_it(url):
    """All of these are one repository, and its API is asked by TLS."""
    found = parsed(url)
    assert found.url == "https://bitbucket.org/acme/shop"
    assert found.base + found.path == "https://api.bitbucket.org/2.0/repositories/acme/shop"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme/shop",
        "git@bitbucket.org:acme/shop.git",
        "ssh://git@bitbucket.org/acme/shop.git",
        "https://bitbucket.org/acme",
        "https://bitbucket.org/acme/shop/src/main",
        "https://bitbucket.org/acme/..",
        "https://bitbucket.org/acme/sh op",
        "https://bitbucket.org/acme/shop%2f..",
        "https://ada:hunter2-hunter2@bitbucket.org/acme",
        "https://[/acme/shop",
    ],
)
def test_what_is_no_repository_is_refused(url):
    """With the form that it should have, and without a password that stood in it."""
    with pytest.raises(UserError) as caught:
        parsed(url)
    assert "https://bitbucket.org/WORKSPACE/REPOSITORY" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_without_a_token_what_is_public_can_be_read(server, bot):
    """Branches need none; whoever wants more is told to store one."""
    server.repository("acme/open", bot, private=False)
    forge, url = made(None), f"{server.url}/acme/open"
    assert "refs/heads/main" in do(forge.heads(url))
    assert do(forge.default_branch(url)) == "main"
    assert do(forge.credential(url)) is None
    with pytest.raises(NotAllowed) as caught:
        do(forge.install(url, Hook(url="http://127.0.0.1:9/hooks/7", secret=b"x")))
    assert caught.value.hint == f"store one: windlass repo token {url}"
    with pytest.raises(Permanent, match="windlass repo token"):
        do(forge.comment(url, 1, "text"))


def test_a_token_of_another_kind_is_refused_in_words(server, shop, url, robot):
    """Expired, mistyped or without its address before the colon: store a new one."""
    for token in ("nonsense-nonsense", f"x@example.com:{ACCESS_TOKEN}"):
        with pytest.raises(NotAllowed) as caught:
            do(made(token).default_branch(url))
        assert "windlass repo token" in caught.value.hint
        assert token.rpartition(":")[2] not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_token_is_in_no_error(server, url, forge, status):
    """Even where the forge repeats it, in a header's form or as it is."""
    for secret in (API_TOKEN.partition(":")[2], ACCESS_TOKEN):
        error = {"type": "error", "error": {"message": f"no {secret}"}}
        server.faults.append(Reply(status, error))
        with pytest.raises((UserError, Permanent, Transient)) as caught:
            do(forge.default_branch(url))
        mine = forge._tokens(url).rpartition(":")[2]
        assert mine not in str(caught.value)
        assert mine not in getattr(caught.value, "hint", "")


@pytest.mark.parametrize("token", [API_TOKEN, ACCESS_TOKEN])
def test_git_takes_the_credential(server, url, bot, robot, token):
    """Git itself reads the repository with what it is given."""
    login = do(made(token).credential(url))
    asked = url.replace("://", f"://{login.name}:{login.password}@")
    done = subprocess.run(["git", "ls-remote", f"{asked}.git"], capture_output=True, timeout=60)
    assert b"refs/heads/main" in done.stdout


def test_a_user_name_before_the_token_is_gits_too(server, url):
    """`NAME:TOKEN` is sent as it is; a token that is missing is told."""
    login = do(made("ada:some-token").credential(url))
    assert (login.name, login.password) == ("ada", "some-token")
    with pytest.raises(NotAllowed, match="ends with a colon"):
        do(made("ada@example.com:").credential(url))


# ------------------------------------------------------------------ the webhook


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


def test_a_missing_scope_is_named(server, shop, url, bot, hook):
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
        assert "windlass repo add" in state.problem
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
    do(forge.remove(url))
    assert shop.hooks == before


def test_a_server_that_began_anew_takes_its_webhook_away(shop, url, hook, bot):
    """It need not have installed it itself; by its name and address it is known."""
    do(made(API_TOKEN).install(url, hook))
    shop.hooks.append({**shop.hooks[0], "uuid": "{9}", "description": "Deployer"})
    do(made(API_TOKEN).remove(url))
    assert [one["uuid"] for one in shop.hooks] == ["{9}"]


def test_nothing_is_asked_for_again(server, url, forge, hook):
    """Bitbucket Cloud has neither ping nor redelivery, and is not asked in vain."""
    assert do(forge.ping(url, hook)) is False
    assert do(forge.missed(url, hook, 0.0)) == ()
    assert server.calls == []


# ------------------------------------------------------------------ results


def test_a_comment_that_was_deleted_is_made_again(url, forge, pull):
    """Whether we remember it or began anew; one that is there is edited, not doubled."""
    do(forge.comment(url, pull.number, "first"))
    pull.comments[0]["deleted"] = True
    do(forge.comment(url, pull.number, "second"))
    assert texts(pull) == [f"{MARK}\n\nsecond"]
    anew = made(forge._tokens(url))
    pull.comments[1]["deleted"] = True
    do(anew.comment(url, pull.number, "third"))
    do(made(forge._tokens(url)).comment(url, pull.number, "fourth"))
    assert texts(pull) == [f"{MARK}\n\nfourth"]
    assert len(pull.comments) == 3


def test_our_mark_in_anothers_hand_means_nothing(server, shop, url, forge, pull):
    """S-27: a comment is ours by its author, also where a token may not ask who it is."""
    theirs = f"{MARK}\n\nEverything is fine."
    server.said(shop, pull, pull.author, theirs)
    for text in ("first", "second"):
        do(made(forge._tokens(url)).comment(url, pull.number, text))
        assert texts(pull) == [theirs, f"{MARK}\n\n{text}"]


def test_a_remark_on_a_line_is_not_ours_to_edit(server, shop, url, bot, pull):
    """What stands in the diff stays there, our account's too."""
    remark = f"{MARK}\n\nhere"
    server.said(shop, pull, bot, remark, inline={"path": "a", "to": 1})
    do(made(API_TOKEN).comment(url, pull.number, "text"))
    assert texts(pull) == [remark, f"{MARK}\n\ntext"]


def test_another_token_makes_a_comment_of_its_own(url, bot, robot, pull):
    """What was written with the token of before cannot be edited, and is not tried for ever."""
    tokens = [API_TOKEN]
    forge = BitbucketCloudForge(EachItsOwn(), lambda _url: tokens[0])
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


def test_a_report_that_may_not_be_is_permanent(server, url, bot, pull, shop):
    """Nobody waits for a report, so a missing scope ends it, and is named."""
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


# ------------------------------------------------------------------ the repository


def test_the_head_of_a_pull_request_is_whole(server, shop, url, forge, ada):
    """Twelve digits are never guessed: its own list of commits tells, and is asked once."""
    fork = server.repository("eve/shop", ada)
    pull = server.proposed(shop, "one", ada, fork)
    for _ in range(2):
        assert do(forge.heads(url))["refs/pull/1/head"] == shop.bare.at(pull.ref)
    assert len(server.asked("GET", ".*/pullrequests/1/commits")) == 1
    server.moved(shop, pull, ada)
    assert do(forge.heads(url))["refs/pull/1/head"] == shop.bare.at(pull.ref)


def test_a_branch_with_the_name_of_a_forks_is_another(server, shop, url, forge, ada):
    """A fork's branch is not looked for among ours."""
    fork = server.repository("eve/shop", ada)
    pull = server.proposed(shop, "main", ada, fork)
    found = do(forge.heads(url))
    assert found["refs/pull/1/head"] == shop.bare.at(pull.ref) != found["refs/heads/main"]


def test_a_pull_request_that_moves_meanwhile_is_asked_again(server, url, forge, pull, monkeypatch):
    """A head that fits neither answer is nobody's."""
    whole = server.bodies.pull

    def late(at, one):
        told = whole(at, one)
        return {**told, "source": {**told["source"], "commit": {"hash": "f" * 12}}}

    monkeypatch.setattr(server.bodies, "pull", late)
    with pytest.raises(Transient, match="moved while"):
        do(forge.pull(url, pull.number))


def test_a_head_that_is_gone_harms_no_other(shop, url, forge, pull):
    """It is left out of the heads; who asks for it alone is told that it cannot be told."""
    shop.bare.point({pull.ref: ZERO})
    assert set(do(forge.heads(url))) == {"refs/heads/main"}
    with pytest.raises(Permanent, match="whole commit"):
        do(forge.pull(url, pull.number))


def test_a_pull_request_tells_who_approved(server, url, forge, pull, bot):
    """By the names that people know."""
    pull.approved.append(bot)
    found = do(forge.pull(url, pull.number))
    assert found.approved_by == ("bot",)
    assert found.web_url.endswith("/acme/shop/pull-requests/1")
    assert found.created_at == found.updated_at == 1704103200.123456


def test_a_permission_by_group_is_known_with_an_api_token(shop, url, bot, robot, ada):
    """An access token learns only what was given by name, and takes the rest for nothing."""
    assert do(made(API_TOKEN).permission(url, ada.uuid)) is Permission.WRITE
    assert do(made(ACCESS_TOKEN).permission(url, ada.uuid)) is Permission.NONE
    shop.explicit[ada.uuid] = "admin"
    assert do(made(ACCESS_TOKEN).permission(url, ada.uuid)) is Permission.ADMIN


@pytest.mark.parametrize("level", ["read", "write", "admin", "none", "owner"])
def test_a_permission_is_what_bitbucket_says(shop, url, bot, ada, level):
    """A level that is not known is none."""
    shop.effective[ada.uuid] = level
    expected = Permission.NONE if level == "owner" else Permission(level)
    assert do(made(API_TOKEN).permission(url, ada.uuid)) is expected


def test_an_answer_about_everybody_is_about_nobody(server, url, ada):
    """Were the question not understood, no stranger becomes a writer."""
    eve = server.person("eve")
    everybody = [{"permission": "admin", "user": server.bodies.account(ada)}]
    server.faults.append(Reply(200, {"values": everybody}))
    assert do(made(API_TOKEN).permission(url, eve.uuid)) is Permission.NONE


@pytest.mark.parametrize(
    "who", ["", "ada", "557058:2", "{x}", '{"} OR permission="admin', "{" + "0" * 36 + "}"]
)
def test_garbage_is_nobody_and_asks_nothing(server, url, forge, who):
    """An id is an account's uuid; anything else never reaches a question."""
    assert do(forge.permission(url, who)) is Permission.NONE
    assert server.calls == []


def test_a_token_that_may_not_ask_for_permissions_says_so(server, url, robot, ada):
    """So that a person sees why everybody is a stranger."""
    server.token(ACCESS_TOKEN, robot, access=True, scopes=EVERYTHING - {"repository:admin"})
    with pytest.raises(NotAllowed) as caught:
        do(made(ACCESS_TOKEN).permission(url, ada.uuid))
    assert "Repositories: Admin" in caught.value.hint


def test_a_repository_without_a_commit_has_no_branch(shop, url, forge):
    """And that is said, with what to do."""
    shop.main = ""
    with pytest.raises(UserError, match="no main branch") as caught:
        do(forge.default_branch(url))
    assert caught.value.hint


def test_a_repository_that_is_not_there_is_named(server, forge):
    """Not there, or not for this token: Bitbucket does not tell which."""
    with pytest.raises(NotFound, match="/acme/nowhere"):
        do(forge.heads(f"{server.url}/acme/nowhere"))
