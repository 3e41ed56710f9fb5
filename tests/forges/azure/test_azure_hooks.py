"""The webhook on Azure DevOps is five subscriptions."""

from __future__ import annotations

import time

import pytest

from windlass.core.errors import NotAllowed, UserError
from windlass.forges.azure.dialect import AzureDialect, example
from windlass.forges.azure.subscriptions import EVENTS
from windlass.ports.forge import Hook, Permission
from windlass.testing.plain import Receiver
from windlass.testing.servers.serving import Reply

HOOK = Hook(url="http://127.0.0.1:9/hooks/7", secret=b"correct horse battery staple")


def test_there_is_one_subscription_for_each_event(server, shop, url, ask):
    """Five, of this repository alone, that send everything with our password, TLS checked."""
    ask("install", url, HOOK)
    ask("install", url, HOOK)
    assert sorted(one["eventType"] for one in server.subscriptions) == sorted(EVENTS)
    for one in server.subscriptions:
        assert one["publisherInputs"]["repository"] == shop.id
        inputs = one["consumerInputs"]
        assert (inputs["url"], inputs["acceptUntrustedCerts"]) == (HOOK.url, "false")
        assert inputs["basicAuthPassword"] == HOOK.secret.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.update(status="disabledBySystem"), "switched off by Azure DevOps"),
        (lambda one: one.update(status="onProbation"), "on probation"),
        (lambda one: one.update(status="disabledByUser"), "switched off by a person"),
        (lambda one: one.update(status="disabledByInactiveIdentity"), "not active"),
        (lambda one: one["consumerInputs"].update(acceptUntrustedCerts="true"), "certificate"),
        (lambda one: one["consumerInputs"].update(basicAuthUsername="x"), "sign in as windlass"),
        (lambda one: one["consumerInputs"].update(resourceDetailsToSend="none"), "whole body"),
        (lambda one: one["consumerInputs"].update(messagesToSend="none"), "what was done"),
        (lambda one: one["publisherInputs"].update(branch="main"), "narrowed by branch"),
        (lambda one: one["consumerInputs"].update(url=HOOK.url + "0"), "another address"),
    ],
)
def test_what_is_wrong_is_told_and_put_right(server, url, ask, change, words):
    """Whatever a person or Azure DevOps changed, `check` names it with its event."""
    ask("install", url, HOOK)
    change(server.subscriptions[1])
    state = ask("check", url, HOOK)
    assert state.present
    assert not state.by_hand
    assert words in state.problem
    assert "git.pullrequest.created" in state.problem
    assert ask("install", url, HOOK).problem == ""
    assert len(server.subscriptions) == len(EVENTS)


def test_what_is_missing_or_double_is_told_and_put_right(server, url, ask):
    """One subscription gone, another twice: told by event, and there are five again."""
    ask("install", url, HOOK)
    server.subscriptions.pop(0)
    server.subscriptions.append({**server.subscriptions[2], "id": "x"})
    problem = ask("check", url, HOOK).problem
    assert "git.push is missing" in problem
    assert "git.pullrequest.merged is there 2 times" in problem
    assert ask("install", url, HOOK).problem == ""
    assert len(server.subscriptions) == len(EVENTS)


def test_nobody_elses_subscriptions_are_touched(server, shop, url, ask):
    """Those to other hosts, ports and paths, and those of other repositories, stay as they are."""
    other = server.add("shop", "other")
    ask("install", f"{server.url}/acme/shop/_git/other", HOOK)
    ask("install", url, HOOK)
    ours = server.subscriptions[-1]
    for number, address in enumerate(
        ["http://127.0.0.1:10/hooks/7", "https://127.0.0.1:9/hooks/7", "http://127.0.0.1:9/x/hooks/7"]
    ):  # fmt: skip
        inputs = {**ours["consumerInputs"], "url": address}
        server.subscriptions.append({**ours, "id": str(number), "consumerInputs": inputs})
    ask("install", url, HOOK)
    ask("remove", url, HOOK)
    left = server.subscriptions
    assert [one["id"] for one in left if one["publisherInputs"]["repository"] == shop.id] == [
        "0", "1", "2",
    ]  # fmt: skip
    assert len([1 for one in left if one["publisherInputs"]["repository"] == other.id]) == 5


def test_a_delivery_that_failed_is_told(server, shop, url, ask):
    """How the last one failed is for a person to read; one that came since is the end of it."""
    ask("install", url, HOOK)
    server.push(shop, "refs/heads/main", shop.commit("Lost"))
    assert "on probation" in ask("check", url, HOOK).problem
    state = ask("install", url, HOOK)
    assert state.by_hand
    assert state.problem == "the last delivery of git.push failed: the connection was refused"
    with Receiver() as receiver:
        for one in server.subscriptions:
            one["consumerInputs"]["url"] = receiver.url
        server.push(shop, "refs/heads/main", shop.commit("Came"))
    for one in server.subscriptions:
        one["consumerInputs"]["url"] = HOOK.url
    assert ask("check", url, HOOK).problem == ""


def test_what_was_lost_comes_back_as_it_was_sent(server, shop, url, ask):
    """The kept event has the key, the order and the content of the delivery, and none too old."""
    ask("install", url, HOOK)
    for name in ("b1", "b2"):
        server.push(shop, f"refs/heads/{name}", shop.commit(name))
    sent = [one for one in server.delivered if b'"git.push"' in one.body]
    dialect, found = AzureDialect(), ask("missed", url, HOOK, 0.0)
    assert len(found) == 2
    for one, request in zip(sent, found, strict=True):
        again = dialect.verify(request, (HOOK.secret,))
        original = type(request)(headers=one.headers, body=one.body, at=request.at)
        assert again == dialect.verify(original, (HOOK.secret,))
        assert dialect.read(request, "x") == dialect.read(original, "x")
    assert ask("missed", url, HOOK, found[1].at) == found[1:]
    assert ask("missed", url, HOOK, time.time() + 60) == ()


def test_a_hook_over_plain_http_is_said_to_be_the_fault(server, url, ask):
    """Azure DevOps sends no password without TLS, and its refusal is told as that."""
    server.plain_http = False
    with pytest.raises(UserError, match="https://") as caught:
        ask("install", url, HOOK)
    assert "public_url" in caught.value.hint
    with pytest.raises(UserError, match="secret"):
        ask("install", url, Hook(url="https://ci.example/hooks/7", secret=b""))


@pytest.mark.parametrize("lost", ["right", "scope"])
def test_the_right_that_lacks_is_named(server, shop, url, ask, lost):
    """Without the permissions, or the scope of the token, the words of Azure DevOps are ours."""
    if lost == "right":
        shop.hookers.clear()
    else:
        server.faults += [Reply(200, shop.shown), Reply(401, {"message": "TF400813"})]
    with pytest.raises(NotAllowed) as caught:
        ask("check", url, HOOK)
    assert "View subscriptions" in caught.value.hint
    assert "Code (Read)" in caught.value.hint


def test_what_is_sent_is_what_we_read(server, shop, url, ask):
    """Installed, a push, a pull request, a comment and a merge come in, verified and understood."""
    with Receiver() as receiver:
        hook = Hook(url=receiver.url, secret=HOOK.secret)
        assert ask("install", url, hook).present
        assert ask("ping", url, hook)
        one = shop.commit("One", shop.refs()["refs/heads/main"][0])
        server.push(shop, "refs/heads/one", one)
        pull = server.propose(shop, "one")
        server.say(pull, server.people["mallory"], "/test")
        server.complete(pull)
        dialect, told = AzureDialect(), []
        for request in receiver.wait(7):
            dialect.verify(request, (HOOK.secret,))
            if example(request):
                told.append("example")
                continue
            found = dialect.read(request, "shop")
            told += [event.label for event in found] if isinstance(found, tuple) else []
    assert told == [
        "example", "push", "branch created", "pull_request opened", "comment", "push",
        "pull_request merged", "pull_request merged",
    ]  # fmt: skip
    assert ask("permission", url, server.people["mallory"].id) is Permission.NONE
