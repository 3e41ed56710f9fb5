"""Bitbucket Cloud keeps the contract of dialects, and what is its own beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored
from windlass.forges.basic_auth import authorization
from windlass.forges.bitbucket_cloud.dialect import BitbucketCloudDialect
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import DialectContract

OLD, NEW = "a" * 40, "b" * 40
AT = 1_700_000_000.0
SECRET = b"a secret of this test"
# Each body far more often where the result is published.


def signature(request, secret):
    return "sha256=" + hmac.new(secret, request.body, hashlib.sha256).hexdigest()


def request(name, body):
    return Request(headers={"x-event-key": name}, body=json.dumps(body).encode(), at=AT)


def tip(sha, kind="branch", name="main"):
    author = {"raw": "Ada <ada@example.com>", "user": None}
    told = {"hash": sha, "message": "Change", "author": author, "date": "2024-01-01T10:00:00+01:00"}
    return {"type": kind, "name": name, "target": told}


def changes(*pairs):
    both = [{"old": old, "new": new, "truncated": False} for old, new in pairs]
    return {"push": {"changes": both}, **CLOUD_PERSON}


def cloud_side(name, sha, home="{7}"):
    repository = {"uuid": home} if home else None
    return {"branch": {"name": name}, "commit": {"hash": sha}, "repository": repository}


ADA = {"nickname": "ada", "uuid": "{42}"}
CLOUD_PERSON = {"actor": ADA, "repository": {"uuid": "{7}"}}
CLOUD_PULL = {
    "id": 3, "title": "Add one", "description": "", "draft": False, "author": ADA,
    "destination": cloud_side("main", OLD[:12]), "source": cloud_side("one", NEW[:12]),
    "merge_commit": None, "updated_on": "2024-01-01T10:00:00.123456+00:00",
    "links": {"html": {"href": "https://forge.example/3"}},
}  # fmt: skip
CLOUD = (
    ("repo:push", changes((tip(OLD), tip(NEW)), (None, tip(NEW, name="new")))),
    ("repo:push", changes((None, tip(NEW, "tag", "v1")), (tip(OLD, "annotated_tag", "v0"), None))),
    ("repo:push", changes((tip(OLD), None))),
    ("pullrequest:created", {"pullrequest": CLOUD_PULL, **CLOUD_PERSON}),
    (
        "pullrequest:fulfilled",
        {"pullrequest": {**CLOUD_PULL, "merge_commit": {"hash": "c" * 12}}, **CLOUD_PERSON},
    ),
    (
        "pullrequest:comment_created",
        {"pullrequest": CLOUD_PULL, "comment": {"content": {"raw": "/test"}}, **CLOUD_PERSON},
    ),
)


class TestBitbucketCloud(DialectContract):
    @pytest.fixture
    def dialect(self):
        return BitbucketCloudDialect()

    @pytest.fixture
    def signed(self):
        def sign(one, secret):
            proof = {"x-hub-signature": signature(one, secret), "x-request-uuid": "72d3162e"}
            return replace(one, headers={**one.headers, **proof})

        return sign

    @pytest.fixture
    def samples(self):
        return [request(name, body) for name, body in CLOUD]


def test_the_cloud_takes_no_password():
    """Bitbucket Cloud can sign, so nothing else is trusted: no password, no id of the hook."""
    headers = {"authorization": authorization(SECRET), "x-hook-uuid": "{72d3162e}"}
    with pytest.raises(BadDelivery):
        BitbucketCloudDialect().verify(Request(headers=headers, body=b"{}", at=AT), (SECRET,))


def test_the_delivery_key_is_the_forges():
    """A delivery is known by the forge's id, by its body where it has none."""
    one = request("repo:push", {})
    proven = {"x-hub-signature": signature(one, SECRET)}
    named = replace(one, headers={**proven, "x-request-uuid": "72d3162e"})
    assert BitbucketCloudDialect().verify(named, (SECRET,)).delivery_key == "72d3162e"
    unnamed = BitbucketCloudDialect().verify(replace(one, headers=proven), (SECRET,))
    assert unnamed.delivery_key.startswith("sha256:")


def test_one_delivery_may_be_several_events():
    """Each moved ref is its own event or two, in the order in which the forge tells them."""
    expected = ["push", "push", "branch created", "tag created", "tag deleted", "branch deleted"]
    found = [
        event.label
        for name, body in CLOUD[:3]
        for event in BitbucketCloudDialect().read(request(name, body), "acme/shop")
    ]
    assert found == expected


@pytest.mark.parametrize(("home", "fork"), [("{7}", False), ("{8}", True), (None, True)])
def test_a_fork_is_told_by_its_repository(home, fork):
    """Another repository's branch, or that of one that is gone, is a stranger's."""
    pull = {**CLOUD_PULL, "source": cloud_side("one", NEW[:12], home)}
    body = {"pullrequest": pull, **CLOUD_PERSON}
    (event,) = BitbucketCloudDialect().read(request("pullrequest:created", body), "acme/shop")
    assert event.fork is fork


def test_a_short_commit_is_handed_on_as_it_is():
    """The twelve digits of Bitbucket Cloud stay twelve: nothing guesses the rest."""
    (event,) = BitbucketCloudDialect().read(request(*CLOUD[4]), "acme/shop")
    assert (event.head_sha, event.base_sha, event.sha) == (NEW[:12], OLD[:12], "c" * 12)
    for strange in ("0" * 12, "b" * 11, "B" * 12, "-" * 12, "b" * 65):
        pull = {**CLOUD_PULL, "source": cloud_side("one", strange)}
        with pytest.raises(BadDelivery):
            BitbucketCloudDialect().read(
                request("pullrequest:created", {"pullrequest": pull}), "acme/shop"
            )


@pytest.mark.parametrize("what", ["approved", "changes_request_created", "unapproved"])
def test_a_review_of_a_short_commit_is_ignored(what):
    """An approval counts for one commit, which Bitbucket Cloud does not tell for sure."""
    found = BitbucketCloudDialect().read(request(f"pullrequest:{what}", CLOUD[3][1]), "acme/shop")
    assert isinstance(found, Ignored)


def test_what_is_not_understood_is_ignored_with_a_reason():
    """Another event is stored with why nothing came of it; one without a name is refused."""
    found = BitbucketCloudDialect().read(request("repo:forked", {}), "acme/shop")
    assert found == Ignored("Windlass does nothing with Bitbucket's repo:forked")
    with pytest.raises(BadDelivery):
        BitbucketCloudDialect().read(request("", {}), "acme/shop")


def test_other_refs_are_ignored():
    """What is neither branch nor tag moves nothing of ours."""
    body = changes((tip(OLD, "bookmark"), tip(NEW, "bookmark")))
    assert isinstance(BitbucketCloudDialect().read(request("repo:push", body), "x"), Ignored)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a..b", "a\rb", "a\x1bb", "a b", "@"])
def test_no_hostile_name_becomes_an_event(ref):
    """A branch or tag that Git would refuse, or take for an option, is a bad delivery."""
    pulls = [
        request("pullrequest:created", {"pullrequest": {**CLOUD_PULL, side: cloud_side(ref, OLD)}})
        for side in ("source", "destination")
    ]
    pushes = [
        request("repo:push", changes((None, tip(NEW, kind, ref)))) for kind in ("branch", "tag")
    ]
    for one in (*pulls, *pushes):
        with pytest.raises(BadDelivery):
            BitbucketCloudDialect().read(one, "acme/shop")
