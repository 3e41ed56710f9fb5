"""Attacks on the way in, S-01 to S-08, S-11 and S-16, at GitLab, Gitea, Forgejo, Gogs and posts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored
from windlass.forges.generic.dialect import GenericDialect
from windlass.forges.gitea.dialect import GiteaDialect
from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.gitlab.dialect import GitLabDialect
from windlass.forges.gogs.dialect import GogsDialect
from windlass.forges.plain.program.signing import headers
from windlass.forges.standard_webhooks import TOLERANCE
from windlass.ports.forge import Request

SECRET, OTHER = b"It's a Secret to Everybody", b"another"
BODY, AT = b"Hello, World!", 1_700_000_000.0
HEX = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
HEXES = [
    (GiteaDialect(), "x-gitea-signature"),
    (GiteaDialect(), "x-forgejo-signature"),
    (GogsDialect(), "x-gogs-signature"),
]
STANDARD = [GitLabDialect(), GenericDialect()]


def sent(body=BODY, at=AT, **given):
    return Request(
        headers={name.replace("_", "-"): value for name, value in given.items()}, body=body, at=at
    )


def refused(dialect, request, *secrets):
    with pytest.raises(BadDelivery) as caught:
        dialect.verify(request, secrets or (SECRET,))
    assert not caught.value.trusted
    return str(caught.value)


@pytest.mark.parametrize(("dialect", "name"), HEXES)
def test_a_bare_signature_is_trusted(dialect, name):
    """The digits alone, by either secret."""
    assert dialect.verify(sent(**{name: HEX}), (OTHER, SECRET)).secret == 1


MONSTERS = ["", "é" * 64, "\ud800", "\0", "x" * 65_536]


@pytest.mark.parametrize(
    "value",
    [HEX[:-1], HEX + "0", HEX.upper(), f"sha256={HEX}", f" {HEX}", f"{HEX},{HEX}", *MONSTERS],
)
@pytest.mark.parametrize(("dialect", "name"), HEXES)
def test_s01_s07_only_the_exact_signature_counts(dialect, name, value):
    """Empty, cut, prefixed, doubled or monstrous: refused, and never an exception."""
    refused(dialect, sent(**{name: value}))
    refused(dialect, sent())


@pytest.mark.parametrize(("dialect", "name"), HEXES)
def test_s06_a_signature_by_nothing_is_worth_nothing(dialect, name):
    """A forge without a secret sends empty or self-made signatures."""
    nothing = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    for secrets in ((), (b"",)):
        with pytest.raises(BadDelivery):
            dialect.verify(sent(**{name: nothing}), secrets)


def test_s05_a_good_gitea_header_rescues_no_bad_forgejo_one():
    """Where Forgejo's signature is present it alone decides, also when it is empty."""
    for bad in ("", "0" * 64, HEX[:-1]):
        both = {"x-forgejo-signature": bad, "x-gitea-signature": HEX}
        refused(GiteaDialect(), sent(**both))
    good = {"x-forgejo-signature": HEX, "x-gitea-signature": "0" * 64}
    assert GiteaDialect().verify(sent(**good), (SECRET,)).secret == 0


def test_s05_another_forges_signature_is_refused():
    """Gitea sends GitHub's and Gogs's headers as well; each dialect trusts its own alone."""
    everything = {
        "x-gitea-signature": HEX,
        "x-gogs-signature": HEX,
        "x-hub-signature-256": f"sha256={HEX}",
        "x-gitlab-token": SECRET.decode(),
    }
    own = {
        "x-gitea-signature": GiteaDialect(),
        "x-gogs-signature": GogsDialect(),
        "x-hub-signature-256": GitHubDialect(),
        "x-gitlab-token": GitLabDialect(),
    }
    for name, dialect in own.items():
        others = {key: value for key, value in everything.items() if key != name}
        refused(dialect, sent(**others))
        assert dialect.verify(sent(**everything), (SECRET,)).secret == 0


@pytest.mark.parametrize(
    "token",
    ["It's", f"{SECRET.decode()}x", "it's a secret", hashlib.sha256(SECRET).hexdigest(), *MONSTERS],
)
def test_s01_only_the_whole_token_counts(token):
    """Part of it, more than it, or its digest: refused."""
    refused(GitLabDialect(), sent(x_gitlab_token=token))


def test_a_good_token_rescues_no_bad_signature():
    """Where GitLab signs, the signature alone decides, also when it is empty."""
    for bad in ("", "v1,xyz"):
        request = sent(x_gitlab_token=SECRET.decode(), webhook_signature=bad, webhook_id="msg_1")
        refused(GitLabDialect(), request)
    late = headers(SECRET, "msg_1", AT - TOLERANCE - 1, BODY)
    assert "seconds old" in refused(
        GitLabDialect(), sent(**late, **{"x-gitlab-token": SECRET.decode()})
    )


@pytest.mark.parametrize("dialect", STANDARD)
@pytest.mark.parametrize("late", [-TOLERANCE - 1, TOLERANCE + 1, 10**9])
def test_s08_an_old_or_future_time_is_refused(dialect, late):
    """A signature is good for five minutes, both ways."""
    assert "seconds old" in refused(dialect, sent(**headers(SECRET, "msg_1", AT + late, BODY)))


@pytest.mark.parametrize("dialect", STANDARD)
def test_the_standards_form_of_a_secret_is_its_key(dialect):
    """`whsec_BASE64` signs with what it stands for; an empty key stands for nothing."""
    text = b"whsec_" + base64.b64encode(SECRET)
    assert dialect.verify(sent(**headers(text, "msg_1", AT, BODY)), (SECRET,))
    refused(dialect, sent(**headers(b"", "msg_1", AT, BODY)), b"whsec_")


@pytest.mark.parametrize("dialect", STANDARD)
def test_several_signatures_are_one_of_them(dialect):
    """While a secret is replaced a sender may sign with both."""
    right = headers(SECRET, "msg_1", AT, BODY)
    wrong = headers(OTHER, "msg_1", AT, BODY)["webhook-signature"]
    many = {**right, "webhook-signature": f"v1a,x {wrong} {right['webhook-signature']}"}
    assert dialect.verify(sent(**many), (SECRET,))


@pytest.mark.parametrize("dialect", STANDARD)
def test_a_dot_cannot_shift_what_is_signed(dialect):
    """An id with a dot could be read as id and time; it is refused, though its digest is right."""
    refused(dialect, sent(**headers(SECRET, "msg_1.1", AT, BODY)))


def test_s08_a_replay_is_the_same_delivery():
    """GitLab's stable id comes first, then the older one, then the body's digest."""
    token = {"x-gitlab-token": SECRET.decode()}
    both = {"idempotency-key": "stable", "x-gitlab-webhook-uuid": "other"}

    def key(**given):
        return GitLabDialect().verify(sent(**token, **given), (SECRET,)).delivery_key

    assert key(**both) == "stable"
    assert key(**{"x-gitlab-webhook-uuid": "other"}) == "other"
    assert key() == "sha256:" + hashlib.sha256(BODY).hexdigest()
    signed = {**token, **both, **headers(SECRET, "msg_1", AT, BODY)}
    assert GitLabDialect().verify(sent(**signed), (SECRET,)).delivery_key == "msg_1"


ID, NEW = "a" * 40, "b" * 40
SIDE = {"ref": "main", "sha": ID, "repo": {"id": 7}}
PULL = {
    "number": 3, "title": "x", "body": "", "draft": False, "labels": [{"name": "hold"}],
    "base": SIDE, "head": SIDE, "user": {"login": "ada", "id": 42}, "updated_at": None,
}  # fmt: skip
GROUP = {"head_sha": NEW, "head_ref": "refs/heads/q", "base_sha": ID, "base_ref": "refs/heads/main"}
GITLAB = {"object_kind": "push", "before": ID, "after": NEW, "checkout_sha": NEW}
GOGS = {"base_repo": {"id": 7}, "head_repo": {"id": 7}, "base_branch": "main"}
HOSTILE = {
    "GitLab push": (GitLabDialect(), {}, lambda ref: {**GITLAB, "ref": f"refs/heads/{ref}"}),
    "GitLab tag": (GitLabDialect(), {}, lambda ref: {**GITLAB, "ref": f"refs/tags/{ref}"}),
    "Gitea delete": (
        GiteaDialect(),
        {"x_gitea_event": "delete"},
        lambda ref: {"ref": ref, "ref_type": "branch"},
    ),
    "Gogs tag": (
        GogsDialect(),
        {"x_gogs_event": "create"},
        lambda ref: {"ref": ref, "ref_type": "tag"},
    ),
    "Gogs pull": (
        GogsDialect(),
        {"x_gogs_event": "pull_request"},
        lambda ref: {"action": "opened", "pull_request": {**PULL, **GOGS, "head_branch": ref}},
    ),
    "GitHub group": (
        GitHubDialect(),
        {"x_github_event": "merge_group"},
        lambda ref: {"action": "checks_requested", "merge_group": {**GROUP, "base_ref": ref}},
    ),
}


@pytest.mark.parametrize("ref", ["--upload-pack=x", "-cfoo", "a..b", "a\rb", "a\x1bb", "a b", "@"])
@pytest.mark.parametrize("place", HOSTILE)
def test_s16_no_hostile_name_becomes_an_event(place, ref):
    """A name that Git would refuse, or take for an option, is a bad delivery."""
    dialect, given, body = HOSTILE[place]
    read = dialect.read
    assert not isinstance(read(sent(json.dumps(body("good")).encode(), **given), "x"), Ignored)
    with pytest.raises(BadDelivery):
        read(sent(json.dumps(body(ref)).encode(), **given), "x")
