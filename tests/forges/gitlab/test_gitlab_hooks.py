"""The webhook of a GitLab project: ours alone, repaired, switched on again, asked for."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from windlass.core.errors import UserError
from windlass.core.event import Ignored
from windlass.forges.gitlab.deliveries import AT_ONCE, TRIES
from windlass.forges.gitlab.dialect import GitLabDialect
from windlass.testing.servers.gitlab_state import stamp
from windlass.testing.servers.serving import Reply


@pytest.fixture
def ours(bench):
    """The row of our webhook, in place."""
    assert bench.install().present
    return next(iter(bench.shop.hooks.values()))


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/hooks/7",
        "http://127.0.0.1:1/hooks/7",
        "{origin}/other/7",
        "{origin}/hooksmith/7",
        "no address",
        "http://[::1/hooks/7",
    ],
)
def test_nobody_elses_webhook_is_touched(bench, address):
    """Another host, port or path is not ours: it is neither changed nor removed."""
    number = bench.theirs(address.format(origin=bench.hook.url.removesuffix("/hooks/7")))
    before = dict(bench.shop.hooks[number])

    async def play(forge):
        await forge.install(bench.url, bench.hook)
        await forge.remove(bench.url, bench.hook)

    bench.ask(play)
    assert bench.shop.hooks == {number: before}


def test_of_several_of_ours_one_stays(bench, ours):
    """Webhooks of an earlier connection are taken away, and the right one is kept."""
    bench.theirs(f"{bench.hook.url}-old")
    bench.shop.hooks = dict(sorted(bench.shop.hooks.items(), reverse=True))
    assert "2 webhooks" in bench.check().problem
    assert not bench.install().problem
    assert list(bench.shop.hooks) == [ours["id"]]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("push_events", False, "push_events"),
        ("tag_push_events", False, "tag_push_events"),
        ("merge_requests_events", False, "merge_requests_events"),
        ("note_events", False, "note_events"),
        ("releases_events", False, "releases_events"),
        ("enable_ssl_verification", False, "certificate"),
        ("push_events_branch_filter", "main", "branches"),
        ("custom_webhook_template", "{}", "of its own making"),
    ],
)
def test_what_was_changed_by_hand_is_told_and_put_right(bench, ours, name, value, words):
    """Every setting on which we rely is looked at, and set again."""
    ours[name] = value
    state = bench.check()
    assert state.present
    assert words in state.problem
    assert not bench.install().problem


def test_a_new_secret_is_set(bench, ours):
    """GitLab shows the secret to nobody, so it is set every time."""
    bench.install(replace(bench.hook, secret=b"another"))
    assert bench.shop.secrets == {ours["id"]: "another"}


@pytest.mark.parametrize("there", [False, True])
def test_an_address_that_gitlab_does_not_take_is_told(bench, there):
    """A network that GitLab may not ask is a matter for its administrator."""
    if there:
        bench.install()
    bench.gitlab.faults += [Reply(200, {"version": "18"}), Reply(200, {"id": bench.shop.id})]
    bench.gitlab.faults += [Reply(200, list(bench.shop.hooks.values()))]
    bench.gitlab.faults += [Reply(422, {"error": "Invalid url given"})]
    with pytest.raises(UserError, match="Invalid url given") as caught:
        bench.install()
    assert "Outbound requests" in caught.value.hint


@pytest.mark.parametrize("secret", [b"", b"one\ntwo", b"\xff\xfe"])
def test_a_secret_that_no_header_carries_is_told(bench, secret):
    """It is refused in our words, and no webhook is made."""
    with pytest.raises(UserError, match="line of text"):
        bench.install(replace(bench.hook, secret=secret))
    assert not bench.shop.hooks


@pytest.mark.parametrize(("failures", "words"), [(4, "off until 2"), (40, "off, because")])
def test_a_webhook_that_gitlab_switched_off_is_told(bench, ours, failures, words):
    """For a while or for good: it is there, and nothing comes."""
    bench.shop.failures[ours["id"]] = failures
    state = bench.check()
    assert state.present
    assert words in state.problem


def test_it_is_switched_on_again_by_a_test(bench, ours):
    """Installing sends a test when it is switched off, and none when it is not."""
    bench.shop.failures[ours["id"]] = 40
    assert not bench.install().problem
    assert len(bench.receiver.requests) == 1
    bench.install()
    assert len(bench.receiver.requests) == 1


def test_it_stays_off_while_we_cannot_be_reached(bench, ours):
    """A test that fails as well leaves it as it is, and that is told and no error."""
    bench.shop.failures[ours["id"]] = 40
    bench.receiver.answers.append(500)
    assert "switched" in bench.install().problem


def test_the_last_delivery_is_told_when_it_failed(bench, ours):
    """How it failed, and no more once one has arrived."""
    bench.lose(1)
    assert "answered 503" in bench.check().problem
    bench.push()
    assert not bench.check().problem


def test_an_unreachable_server_is_told(bench, ours):
    """Where nobody answered there is no status to tell."""
    ours["url"] = "http://127.0.0.1:9/hooks/7"
    bench.push()
    state = bench.check(replace(bench.hook, url=ours["url"]))
    assert "internal error" in state.problem


def test_a_ping_tells_what_gitlab_saw(bench, ours):
    """A test that is refused says with what; without a webhook there is nothing to test."""
    bench.receiver.answers.append(401)
    with pytest.raises(UserError, match="HTTP 401") as caught:
        bench.ping()
    assert "public_url" in caught.value.hint
    bench.check()
    other = replace(bench.hook, url="http://127.0.0.1:9/hooks/7")
    assert not bench.ping(other)


def test_a_ping_starts_nothing(bench, ours):
    """It is verified like every webhook, and means nothing; nor does it need a first commit."""
    bench.shop.bare.git("update-ref", "-d", "refs/heads/main")
    assert bench.ping()
    (request,) = bench.receiver.requests
    dialect = GitLabDialect()
    assert dialect.verify(request, (bench.hook.secret,)).delivery_key
    assert isinstance(dialect.read(request, "acme/shop"), Ignored)


def test_a_gitlab_without_that_test_sends_another(bench, ours):
    """The newest push once more, which is known again where it was told before."""
    bench.gitlab.tests = ("push_events",)
    assert bench.ping()
    (request,) = bench.receiver.requests
    assert GitLabDialect().read(request, "acme/shop")[0].branch == "main"


def test_an_old_gitlab_has_no_tests_and_no_log(bench, ours, monkeypatch):
    """Then a ping cannot be asked for, nothing is sent again, and all the rest works."""
    newer = re.compile(r"events|test")
    old = [one for one in bench.gitlab._routes if not newer.search(one[1].pattern)]
    monkeypatch.setattr(bench.gitlab, "_routes", old)
    assert not bench.check().problem
    assert not bench.ping()
    bench.missed()


def test_what_is_sent_again_keeps_its_key(bench, ours):
    """A delivery that failed twice is asked for once, and comes as the same one, trusted."""
    bench.lose(1)
    bench.receiver.answers.append(503)
    bench.missed()
    bench.missed()
    dialect = GitLabDialect()
    keys = {
        dialect.verify(one, (bench.hook.secret,)).delivery_key for one in bench.receiver.requests
    }
    assert len(bench.receiver.requests) == 3
    assert len(keys) == 1
    bench.missed()
    assert len(bench.receiver.requests) == 3


def test_only_what_failed_since_then_is_asked_for(bench, ours):
    """What is older was looked after before."""
    bench.lose(2)
    bench.shop.log[0]["created_at"] = stamp(time.time() - 3600)
    bench.missed(time.time() - 60)
    assert len(bench.receiver.requests) == 3


def test_a_few_at_a_time_and_the_least_tried_first(bench, ours):
    """GitLab takes five a minute; what always fails does not keep the others from coming."""
    bench.lose(AT_ONCE + 2)
    keys = [one["request_headers"]["Idempotency-Key"] for one in bench.shop.log]
    bench.receiver.answers += [503] * AT_ONCE
    bench.gitlab.patience = 100
    for _ in range(2):
        bench.missed()
    again = [one.headers["Idempotency-Key"] for one in bench.gitlab.delivered[AT_ONCE + 2 :]]
    assert again[:AT_ONCE] == keys[:AT_ONCE]
    assert again[AT_ONCE : AT_ONCE + 2] == keys[AT_ONCE:]


def test_what_always_fails_is_left_alone(bench, ours):
    """After some tries it is given up, before GitLab switches the webhook off for it."""
    bench.receiver.answers += [400] * 20
    bench.push()
    for _ in range(TRIES + 3):
        bench.missed()
    assert len(bench.receiver.requests) == TRIES


def test_the_limit_of_gitlab_is_no_failure(bench, ours):
    """What is left is asked for the next time."""
    bench.lose(3)
    bench.gitlab.patience = 1
    bench.missed()
    assert len(bench.receiver.requests) == 4


def test_what_went_to_an_old_address_is_passed_over(bench, ours):
    """GitLab refuses to repeat it, and the others still come."""
    bench.lose(2)
    bench.shop.log[0]["url"] = "http://127.0.0.1:9/hooks/old"
    bench.missed()
    assert len(bench.receiver.requests) == 3
