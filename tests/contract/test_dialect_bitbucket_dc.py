"""Bitbucket Data Center keeps the contract of dialects, and what is its own beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored, Kind
from windlass.forges.basic_auth import authorization
from windlass.forges.bitbucket_dc.dialect import BitbucketDataCenterDialect
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import DialectContract

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
AT = 1_700_000_000.0
SECRET = b"a secret of this test"
# Each body far more often where the result is published.


def signature(request, secret):
    return "sha256=" + hmac.new(secret, request.body, hashlib.sha256).hexdigest()


def request(name, body):
    return Request(headers={"x-event-key": name}, body=json.dumps(body).encode(), at=AT)


def center_side(name, sha, home=7):
    return {
        "id": f"refs/heads/{name}",
        "latestCommit": sha,
        "repository": {"id": home} if home else None,
    }


GRACE = {"name": "grace", "id": 43}
CENTER = {"actor": GRACE, "date": "2024-01-01T10:00:00+0100"}
MOVE = {"ref": {"id": "refs/heads/main"}, "fromHash": OLD, "toHash": NEW, "type": "UPDATE"}
CENTER_PULL = {
    "id": 3, "title": "Add one", "description": None, "draft": False, "author": {"user": GRACE},
    "toRef": center_side("main", OLD), "fromRef": center_side("one", NEW), "properties": {},
    "links": {"self": [{"href": "https://forge.example/3"}]},
}  # fmt: skip
CENTER_BODIES = (
    {
        **CENTER,
        "eventKey": "repo:refs_changed",
        "changes": [
            MOVE,
            {**MOVE, "ref": {"id": "refs/heads/new"}, "fromHash": ZERO},
            {**MOVE, "ref": {"id": "refs/tags/v1"}, "toHash": ZERO},
        ],
        "toCommit": {"id": NEW, "message": "Change", "author": {"name": "Ada"}},
    },
    {**CENTER, "eventKey": "pr:opened", "pullRequest": CENTER_PULL},
    {
        **CENTER,
        "eventKey": "pr:from_ref_updated",
        "previousFromHash": OLD,
        "pullRequest": CENTER_PULL,
    },
    {
        **CENTER,
        "eventKey": "pr:merged",
        "pullRequest": {**CENTER_PULL, "properties": {"mergeCommit": {"id": "c" * 40}}},
    },
    {
        **CENTER,
        "eventKey": "pr:reviewer:approved",
        "pullRequest": CENTER_PULL,
        "participant": {"lastReviewedCommit": OLD},
    },
    {
        **CENTER,
        "eventKey": "pr:comment:added",
        "pullRequest": CENTER_PULL,
        "comment": {"text": "/test"},
    },
)


class TestBitbucketDataCenter(DialectContract):
    @pytest.fixture
    def dialect(self):
        return BitbucketDataCenterDialect()

    @pytest.fixture
    def signed(self):
        def sign(one, secret):
            proof = {"x-hub-signature": signature(one, secret), "x-request-id": "72d3162e"}
            return replace(one, headers={**one.headers, **proof})

        return sign

    @pytest.fixture
    def samples(self):
        ping = request("diagnostics:ping", {"test": True})
        return [*(request(body["eventKey"], body) for body in CENTER_BODIES), ping]


class TestBitbucketDataCenterByPassword(TestBitbucketDataCenter):
    """The same promises where the webhook has a password instead; the body is unproven."""

    @pytest.fixture
    def signed(self):
        def sign(one, secret):
            proof = {"authorization": authorization(secret), "x-request-id": "72d3162e"}
            return replace(one, headers={**one.headers, **proof})

        return sign

    def test_each_byte_counts(self, dialect, good):
        """A password says who sent it and nothing of the body: what differs is trusted too."""
        assert dialect.verify(replace(good, body=b"{}"), (b"correct horse battery staple",))


def test_a_password_rescues_no_signature():
    """A wrong or empty signature is refused, however right the password beside it."""
    one = request("pr:opened", CENTER_BODIES[1])
    password = {"authorization": authorization(SECRET)}
    for wrong in ("", "sha256=" + "0" * 64, signature(one, SECRET).replace("256", "1")):
        headers = {**one.headers, **password, "x-hub-signature": wrong}
        with pytest.raises(BadDelivery) as caught:
            BitbucketDataCenterDialect().verify(replace(one, headers=headers), (SECRET,))
        assert not caught.value.trusted


def test_the_delivery_key_is_the_forges():
    """A delivery is known by the forge's id, by its body where it has none."""
    one = request("repo:push", {})
    proven = {"x-hub-signature": signature(one, SECRET)}
    named = replace(one, headers={**proven, "x-request-id": "72d3162e"})
    assert BitbucketDataCenterDialect().verify(named, (SECRET,)).delivery_key == "72d3162e"
    unnamed = BitbucketDataCenterDialect().verify(replace(one, headers=proven), (SECRET,))
    assert unnamed.delivery_key.startswith("sha256:")


def test_one_delivery_may_be_several_events():
    """Each moved ref is its own event or two; only what leads to it has the commit's message."""
    found = BitbucketDataCenterDialect().read(request("", CENTER_BODIES[0]), "acme/shop")
    assert [event.label for event in found] == ["push", "push", "branch created", "tag deleted"]
    assert [event.message for event in found] == ["Change", "Change", "Change", None]


@pytest.mark.parametrize(("home", "fork"), [(7, False), (8, True), (None, True)])
def test_a_fork_is_told_by_its_repository(home, fork):
    """Another repository's branch, or that of one that is gone, is a stranger's."""
    pull = {**CENTER_PULL, "fromRef": center_side("one", NEW, home)}
    body = {**CENTER_BODIES[1], "pullRequest": pull}
    (event,) = BitbucketDataCenterDialect().read(request("", body), "acme/shop")
    assert event.fork is fork


def test_a_review_is_of_the_commit_that_was_looked_at():
    """An approval that comes after a push is one of the commit before it."""
    (event,) = BitbucketDataCenterDialect().read(request("", CENTER_BODIES[4]), "acme/shop")
    assert (event.kind, event.action, event.sha, event.head_sha) == (
        *(Kind.REVIEW, "approved"),
        *(OLD, OLD),
    )


def test_the_signed_name_counts_before_the_header():
    """Which event it is cannot be changed by a header that nobody signed."""
    (event,) = BitbucketDataCenterDialect().read(
        request("diagnostics:ping", CENTER_BODIES[1]), "acme/shop"
    )
    assert event.label == "pull_request opened"


def test_what_is_not_understood_is_ignored_with_a_reason():
    """Another event is stored with why nothing came of it; one without a name is refused."""
    found = BitbucketDataCenterDialect().read(request("repo:forked", {}), "acme/shop")
    assert found == Ignored("Windlass does nothing with Bitbucket's repo:forked")
    with pytest.raises(BadDelivery):
        BitbucketDataCenterDialect().read(request("", {}), "acme/shop")


def test_other_refs_are_ignored():
    """What is neither branch nor tag moves nothing of ours."""
    notes = {**CENTER_BODIES[0], "changes": [{**MOVE, "ref": {"id": "refs/notes/x"}}]}
    assert isinstance(BitbucketDataCenterDialect().read(request("", notes), "x"), Ignored)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a..b", "a\rb", "a\x1bb", "a b", "@"])
def test_no_hostile_name_becomes_an_event(ref):
    """A branch or tag that Git would refuse, or take for an option, is a bad delivery."""
    moves = [{**MOVE, "ref": {"id": f"refs/{kind}/{ref}"}} for kind in ("heads", "tags")]
    bodies = [{**CENTER_BODIES[0], "changes": [move]} for move in moves] + [
        {**CENTER_BODIES[1], "pullRequest": {**CENTER_PULL, side: center_side(ref, OLD)}}
        for side in ("fromRef", "toRef")
    ]
    for body in bodies:
        with pytest.raises(BadDelivery):
            BitbucketDataCenterDialect().read(request("", body), "acme/shop")
