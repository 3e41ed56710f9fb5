"""Azure DevOps keeps the contract of dialects, but for the body, which it does not prove."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from dataclasses import replace

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored
from windlass.forges.azure.dialect import EXAMPLES, NO_SUBSCRIPTION, AzureDialect, example
from windlass.forges.basic_auth import authorization
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import Bent, DialectContract

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
AT = 1_700_000_000.0
SECRET = b"a secret of this test"
# Each body far more often where the result is published.

HOME = {"id": "7", "webUrl": "https://forge.example/shop"}
ADA = {"id": "42", "displayName": "Ada"}
CHANGE = {"commitId": NEW, "comment": "Change", "author": {"name": "Ada", "date": None}}
MOVE = {"name": "refs/heads/main", "oldObjectId": OLD, "newObjectId": NEW}
PULL = {
    "repository": HOME, "pullRequestId": 3, "status": "active", "createdBy": ADA,
    "title": "Add one", "description": None, "isDraft": False, "labels": [{"name": "hold"}],
    "sourceRefName": "refs/heads/one", "targetRefName": "refs/heads/main", "forkSource": None,
    "lastMergeSourceCommit": {"commitId": NEW}, "lastMergeTargetCommit": {"commitId": OLD},
    "lastMergeCommit": {"commitId": "c" * 40},
}  # fmt: skip
PUSH = {
    "repository": HOME, "pushedBy": ADA, "commits": [CHANGE],
    "date": "2014-05-02T19:17:13.3309587Z",
    "refUpdates": [
        MOVE,
        {**MOVE, "name": "refs/heads/new", "oldObjectId": ZERO},
        {**MOVE, "name": "refs/tags/v1", "newObjectId": ZERO},
    ],
}  # fmt: skip
COMMENT = {"content": "/test", "author": ADA, "commentType": "text", "publishedDate": "2024-01-01"}


def told(name, resource, said="", **more):
    return {
        "id": "03c164c2", "subscriptionId": "5", "notificationId": 6, "eventType": name,
        "message": {"text": said}, "resource": resource, "createdDate": "2016-09-19T13:03:27Z",
        **more,
    }  # fmt: skip


UPDATED = "git.pullrequest.updated"
NOTED = "ms.vss-code.git-pullrequest-comment-event"
COMMENTED = {"pullRequest": PULL, "comment": {**COMMENT, "lastUpdatedDate": "2024-01-01"}}
BODIES = (
    told("git.push", PUSH),
    told("git.pullrequest.created", PULL),
    told(UPDATED, PULL, "Ada updated the source branch of pull request 3 (Add one) in shop"),
    told(UPDATED, {**PULL, "status": "completed", "closedBy": ADA}),
    told(NOTED, COMMENTED),
    told("git.push", PUSH, subscriptionId=NO_SUBSCRIPTION),
)


def request(body):
    return Request(headers={}, body=json.dumps(body).encode(), at=AT)


def proven(one, value=None):
    return replace(one, headers={"authorization": value or authorization(SECRET)})


def read(body):
    return AzureDialect().read(request(body), "acme/shop")


class TestAzure(DialectContract):
    @pytest.fixture
    def dialect(self):
        return AzureDialect()

    @pytest.fixture
    def signed(self):
        return lambda one, secret: proven(one, authorization(secret))

    @pytest.fixture
    def samples(self):
        return [request(body) for body in BODIES]

    def test_each_byte_counts(self, dialect, good):
        """A password says who sent it and nothing of the body: what differs is trusted too."""
        assert dialect.verify(replace(good, body=b"{}"), (b"correct horse battery staple",))


@pytest.mark.parametrize(
    "value",
    [
        authorization(SECRET).replace("Basic", "basic"),
        authorization(SECRET).replace("Basic", "Bearer"),
        authorization(SECRET) + "=",
        "Basic " + b64encode(SECRET).decode(),
        "Basic " + b64encode(b":" + SECRET).decode(),
        "Basic " + b64encode(b"admin:" + SECRET).decode(),
        "Basic " + b64encode(b"windlass:" + SECRET + b"\n").decode(),
        "Basic windlass:" + SECRET.decode(),
        "Basic",
        "Basic \0",
    ],
)
def test_user_and_password_must_both_be_right(value):
    """Another user, another scheme, no user, or what only decodes to the same: refused."""
    with pytest.raises(BadDelivery) as caught:
        AzureDialect().verify(proven(request(BODIES[0]), value), (SECRET,))
    assert not caught.value.trusted


def test_the_delivery_key_is_in_the_body():
    """The event, its subscription and its count are the key: a new try is the same delivery."""

    def key(body):
        return AzureDialect().verify(proven(body), (SECRET,)).delivery_key

    assert key(request(BODIES[0])) == "03c164c2/5/6"
    assert key(request({**BODIES[0], "notificationId": None})) == "03c164c2/5"
    for odd in ({}, {"id": 7}, {"id": "x" * 300}, {"id": "\n"}, {"notificationId": 6}):
        assert key(request(odd)).startswith("sha256:")
    assert key(replace(request({}), body=b"\0")).startswith("sha256:")


def test_a_strangers_body_is_not_even_parsed():
    """Without the password a body is refused untrusted, however malformed it is."""
    with pytest.raises(BadDelivery) as caught:
        AzureDialect().verify(Request(headers={}, body=b"[" * 100_000, at=AT), (SECRET,))
    assert not caught.value.trusted


def test_one_delivery_may_be_several_events():
    """Each moved ref is its own event or two, in the order in which the forge tells them."""
    found = read(BODIES[0])
    assert [event.label for event in found] == ["push", "push", "branch created", "tag deleted"]
    assert [event.message for event in found] == ["Change", "Change", "Change", None]
    assert {event.sender_id for event in found} == {"42"}


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ("Ada updated the source branch of pull request 3 (Add one) in shop", "updated"),
        ("Ada reactivated pull request 3 (Add one) in shop", "reopened"),
        ("Ada published pull request 3 (Add one) in shop", "ready"),
        ("Ada hat den Quellzweig aktualisiert", "updated"),
        ("", "updated"),
        ("Ada approved pull request 3 (Add one) in shop", None),
        ("Ada changed the reviewer list on pull request 3 (Add one) in shop", None),
        ("Ada frobbed pull request 3 (reactivated) in shop", "updated"),
    ],
)
def test_the_sentence_tells_what_was_done(said, action):
    """What nobody knows counts as an update; a title puts no words into Azure's mouth."""
    pull = {**PULL, "title": "reactivated"} if "frobbed" in said else PULL
    found = read(told(UPDATED, pull, said))
    assert isinstance(found, Ignored) if action is None else found[0].action == action


def test_merged_has_the_commit_of_the_merge():
    """And by whom, where that is told."""
    (event,) = read(BODIES[3])
    assert (event.label, event.sha, event.sender_id) == ("pull_request merged", "c" * 40, "42")


def test_abandoned_is_closed():
    """An abandoned pull request is closed, at its head."""
    (event,) = read(told(UPDATED, {**PULL, "status": "abandoned"}))
    assert (event.label, event.sha) == ("pull_request closed", NEW)


def test_nobody_is_named_who_may_not_have_done_it():
    """The author gets no credit for a push to the branch, nor the closer for a reopening."""
    (event,) = read(told(UPDATED, {**PULL, "closedBy": ADA}, "x reactivated pull request"))
    assert (event.sender, event.sender_id, event.author_id) == (None, None, "42")
    (opened,) = read(BODIES[1])
    assert (opened.sender_id, opened.author_id, opened.labels) == ("42", "42", ("hold",))
    assert opened.url == "https://forge.example/shop/pullrequest/3"


@pytest.mark.parametrize(
    ("source", "fork"),
    [
        (None, False),
        ({"repository": {"id": "7"}}, False),
        ({"repository": {"id": "8"}}, True),
        ({"repository": None}, True),
    ],
)
def test_a_fork_is_told_by_its_repository(source, fork):
    """Another repository's branch, or that of one that is not told, is a stranger's."""
    (event,) = read(told("git.pullrequest.created", {**PULL, "forkSource": source}))
    assert event.fork is fork


@pytest.mark.parametrize(
    "more",
    [{"lastUpdatedDate": "2024-01-02"}, {"isDeleted": True}, {"commentType": "system"}],
)
def test_only_a_new_comment_is_one(more):
    """Changed, removed and the forge's own notes are no comments."""
    comment = {**COMMENTED["comment"], **more}
    assert isinstance(read(told(NOTED, {**COMMENTED, "comment": comment})), Ignored)


@pytest.mark.parametrize("theirs", sorted(EXAMPLES))
def test_the_test_button_is_known_by_its_repository(theirs):
    """Microsoft's example is about nothing of ours, whatever branch and commit it names."""
    for body in BODIES[:2]:
        resource = {**body["resource"], "repository": {"id": theirs}}
        assert example(request({**body, "resource": resource}))
        assert not example(request(body))
        (event, *_), (ours, *_) = read({**body, "resource": resource}), read(body)
        assert (event.label, event.sha) == (ours.label, ours.sha)
    pull = {**PULL, "repository": {"id": theirs}}
    assert example(request(told(NOTED, {**COMMENTED, "pullRequest": pull})))
    assert example(request(told("git.push", PUSH, subscriptionId=NO_SUBSCRIPTION)))
    assert not example(Request(headers={}, body=b"{", at=AT))


def test_a_merge_that_was_tried_is_none_until_it_is_done():
    """The same webhook tells of both."""
    tried = told("git.pullrequest.merged", {**PULL, "status": "active"})
    assert isinstance(read(tried), Ignored)
    (done,) = read(told("git.pullrequest.merged", {**PULL, "status": "completed"}))
    assert done.label == "pull_request merged"


def test_what_is_not_understood_is_ignored_with_a_reason():
    """Another event, state or ref is stored with why nothing came of it."""
    assert read(told("build.complete", {})) == Ignored(
        "Windlass does nothing with Azure DevOps' build.complete"
    )
    assert isinstance(read(told(UPDATED, {**PULL, "status": "queued"})), Ignored)
    notes = {**PUSH, "refUpdates": [{**MOVE, "name": "refs/notes/x"}]}
    assert isinstance(read(told("git.push", notes)), Ignored)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a..b", "a\rb", "a\x1bb", "a b", "@"])
def test_no_hostile_name_becomes_an_event(ref):
    """A branch or tag that Git would refuse, or take for an option, is a bad delivery."""
    bodies = [
        told("git.push", {**PUSH, "refUpdates": [{**MOVE, "name": f"refs/{kind}/{ref}"}]})
        for kind in ("heads", "tags")
    ] + [
        told("git.pullrequest.created", {**PULL, side: f"refs/heads/{ref}"})
        for side in ("sourceRefName", "targetRefName")
    ]
    for body in bodies:
        with pytest.raises(BadDelivery):
            read(body)


@pytest.mark.parametrize("body", BODIES[:5])
def test_a_strange_body_has_a_key_too(body):
    """Whatever a body says, its delivery is known again."""
    whole, chance = request(body), random.Random(len(str(body)))
    bodies = Bent(whole.body)
    for _ in range(200):
        bent = replace(whole, body=bodies.make(chance))
        assert AzureDialect().verify(proven(bent), (SECRET,)).delivery_key
