"""Attacks on the way in, S-01 to S-08 and S-11, as far as a dialect can answer them."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path

import pytest

import windlass.forges
from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored
from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.plain.dialect import TOLERANCE, PlainDialect
from windlass.forges.plain.program.signing import headers, sign
from windlass.ports.forge import Request

SECRET, OTHER = b"It's a Secret to Everybody", b"another"
BODY, AT = b"Hello, World!", 1_700_000_000.0
HEX = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def github(value, **more):
    given = {} if value is None else {"x-hub-signature-256": value}
    return Request(headers={**given, **more}, body=BODY, at=AT)


def plain(body=BODY, *, at=AT, secret=SECRET, **more):
    signed = headers(secret, "msg_1", at, body)
    return Request(headers={**signed, **more}, body=body, at=AT)


def refused(dialect, request, *secrets):
    with pytest.raises(BadDelivery) as caught:
        dialect.verify(request, secrets or (SECRET,))
    assert not caught.value.trusted
    return str(caught.value)


def test_the_published_vector_holds():
    """GitHub's own example of a signature is trusted."""
    assert GitHubDialect().verify(github(f"sha256={HEX}"), (SECRET,)).secret == 0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "sha256=",
        f"sha256={HEX[:-1]}",
        f"sha256={HEX}0",
        f"sha256={HEX.upper()}",
        f"sha1={HEX}",
        f"sha512={HEX}",
        f"SHA256={HEX}",
        HEX,
        f" sha256={HEX}",
        f"sha256={HEX} ",
        f"sha256={HEX}, sha256={HEX}",
        f"sha256={HEX}\nsha256={HEX}",
    ],
)
def test_s01_only_the_exact_signature_counts(value):
    """Missing, empty, cut, wrong algorithm, two in one: refused."""
    refused(GitHubDialect(), github(value))


def test_s02_sha1_counts_for_nothing():
    """A right SHA-1 signature alone, or beside a wrong one, is refused."""
    old = "sha1=" + hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()
    refused(GitHubDialect(), github(None, **{"x-hub-signature": old}))
    refused(GitHubDialect(), github("sha256=" + "0" * 64, **{"x-hub-signature": old}))


def test_s03_another_endpoints_secret_is_refused():
    """What is right for one endpoint is worth nothing at another."""
    refused(GitHubDialect(), github(f"sha256={HEX}"), OTHER)
    refused(PlainDialect(), plain(), OTHER)


def test_s04_one_changed_bit_is_refused():
    """Every bit of the body, and each thing that is signed beside it."""
    for at in range(len(BODY) * 8):
        body = bytearray(BODY)
        body[at // 8] ^= 1 << at % 8
        refused(GitHubDialect(), replace(github(f"sha256={HEX}"), body=bytes(body)))
        refused(PlainDialect(), replace(plain(), body=bytes(body)))
    refused(PlainDialect(), plain(**{"webhook-id": "msg_2"}))
    refused(PlainDialect(), plain(**{"webhook-timestamp": str(int(AT) + 1)}))


def test_s05_another_forges_request_is_refused():
    """No header decides which forge it is: each dialect trusts its own signature alone."""
    refused(PlainDialect(), github(f"sha256={HEX}"))
    refused(GitHubDialect(), plain())
    gitea = {"x-gitea-signature": HEX, "x-gitea-event": "push", "x-github-event": "push"}
    refused(GitHubDialect(), github(None, **gitea))


@pytest.mark.parametrize("secrets", [(), (b"",), (b"", b"")])
def test_s06_no_secret_means_no_trust(secrets):
    """Without a secret nothing is right, not even what was signed with nothing."""
    nothing = "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    for dialect, request in (
        (GitHubDialect(), github(nothing)),
        (PlainDialect(), plain(secret=b"")),
    ):
        with pytest.raises(BadDelivery):
            dialect.verify(request, secrets)


@pytest.mark.parametrize("value", ["é" * 64, "x" * 65_536, "\0" * 64, "\ud800", "v1,\ud800", "💥"])
def test_s07_a_monstrous_header_is_only_refused(value):
    """Whatever a header holds, the answer is no."""
    refused(GitHubDialect(), github(value))
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        refused(PlainDialect(), plain(**{name: value}))


def test_s08_a_replay_is_the_same_delivery():
    """The same request again has the same key, with or without an id of the forge."""
    for delivery in ({"x-github-delivery": "72d3162e"}, {}, {"x-github-delivery": "\0" * 300}):
        request = github(f"sha256={HEX}", **delivery)
        keys = {GitHubDialect().verify(request, (SECRET,)).delivery_key for _ in range(2)}
        assert len(keys) == 1
    assert GitHubDialect().verify(github(f"sha256={HEX}"), (SECRET,)).delivery_key == (
        "sha256:" + hashlib.sha256(BODY).hexdigest()
    )
    assert PlainDialect().verify(plain(), (SECRET,)).delivery_key == "msg_1"


@pytest.mark.parametrize("late", [-TOLERANCE - 1, TOLERANCE + 1, -86_400, 10**9])
def test_s08_an_old_or_future_time_is_refused(late):
    """A signature is good for five minutes, both ways."""
    assert "seconds old" in refused(PlainDialect(), plain(at=AT + late))
    for soon in (-TOLERANCE, TOLERANCE):
        assert PlainDialect().verify(plain(at=AT + soon), (SECRET,))


@pytest.mark.parametrize("time", ["", "-1", "1e9", "1700000000.0", " 1700000000", "٣", "9" * 40])
def test_s08_what_is_no_time_is_refused(time):
    """Only seconds, in digits."""
    signature = sign(SECRET, "msg_1", time, BODY)
    refused(PlainDialect(), plain(**{"webhook-timestamp": time, "webhook-signature": signature}))


def test_several_signatures_are_one_of_them():
    """While a secret is replaced a sender may sign with both; other versions are passed over."""
    right = headers(SECRET, "msg_1", AT, BODY)["webhook-signature"]
    wrong = headers(OTHER, "msg_1", AT, BODY)["webhook-signature"]
    both = {"webhook-signature": f"v1a,xyz {wrong} {right}"}
    assert PlainDialect().verify(plain(**both), (SECRET,))
    unknown = {"webhook-signature": right.replace("v1,", "v2,")}
    refused(PlainDialect(), plain(**unknown))
    refused(PlainDialect(), plain(**{"webhook-signature": f"{wrong} " * 16 + right}))


def test_a_dot_cannot_shift_what_is_signed():
    """An id with a dot could be read as id and time; it is refused, though its digest is right."""
    shifted = {
        "webhook-id": "msg_1.1700000000",
        "webhook-timestamp": str(int(AT)),
        "webhook-signature": sign(SECRET, "msg_1.1700000000", str(int(AT)), BODY),
    }
    refused(PlainDialect(), plain(**shifted))


def test_the_standards_form_of_a_secret_is_its_key():
    """`whsec_BASE64` signs with what it stands for, as the standard has it."""
    text = b"whsec_" + base64.b64encode(SECRET)
    assert PlainDialect().verify(plain(secret=text), (SECRET,))
    assert PlainDialect().verify(plain(), (text,))


ID, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
PEOPLE = {"sender": {"login": "ada", "id": 42}, "repository": {"id": 7}}
LOCALS = {"sender": {"name": "ada", "id": "os:ada"}, "repository": {"path": "/srv/shop.git"}}
CHANGE = {
    "id": NEW, "message": "x", "added": ["a"], "removed": [], "modified": [], "timestamp": None
}  # fmt: skip
PUSH = {
    "event": "push", "ref": "refs/heads/main", "before": ID, "after": NEW, "commit": NEW,
    "commits": [CHANGE], "head_commit": CHANGE, "files": ["a"], "files_complete": True,
    "created": False, "compare": "https://forge.example/x", "at": AT, **PEOPLE,
}  # fmt: skip
SIDE = {"ref": "main", "sha": ID, "repo": {"id": 7}}
PULL = {"number": 3, "title": "x", "body": "", "draft": False, "labels": [{"name": "hold"}]}
BODIES = {
    (GitHubDialect, "push"): PUSH,
    (PlainDialect, "push"): {**PUSH, **LOCALS},
    (GitHubDialect, "pull_request"): {
        "action": "closed", **PEOPLE, "before": ID,
        "pull_request": {
            **PULL, "base": SIDE, "head": SIDE, "user": {"login": "ada", "id": 42},
            "merged": True, "merge_commit_sha": NEW, "updated_at": "2024-01-01T10:00:00Z",
        },
    },
    (PlainDialect, "pull_request"): {
        "event": "pull_request", "action": "merged", "before": ID, "at": AT, **LOCALS,
        "pull_request": {
            **PULL, "base": "main", "head": "one", "base_sha": ID, "head_sha": NEW,
            "merge_sha": NEW, "author": {"name": "ada", "id": "os:ada"},
        },
    },
}  # fmt: skip


@pytest.mark.parametrize(("dialect", "event"), BODIES)
def test_s11_the_bodies_to_bend_are_good(dialect, event):
    """What is bent below is read as events while it is whole."""
    events = read(dialect, event, json.dumps(BODIES[dialect, event]).encode())
    assert not isinstance(events, Ignored)


def read(dialect, event, body):
    return dialect().read(request(event, body), "acme/shop")


def request(event, body):
    return Request(headers={"x-github-event": event}, body=body, at=AT)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "-cfoo", "a..b", "a\rb", "a\x1bb", "a b", "@"])
@pytest.mark.parametrize("dialect", [GitHubDialect, PlainDialect])
def test_s16_no_hostile_name_becomes_an_event(dialect, ref):
    """A branch, tag or base that Git would refuse, or take for an option, is a bad delivery."""
    for kind in ("heads", "tags"):
        body = json.dumps({**BODIES[dialect, "push"], "ref": f"refs/{kind}/{ref}"}).encode()
        with pytest.raises(BadDelivery):
            read(dialect, "push", body)
    whole = BODIES[dialect, "pull_request"]
    for side in ("base", "head"):
        value = {**SIDE, "ref": ref} if dialect is GitHubDialect else ref
        body = json.dumps({**whole, "pull_request": {**whole["pull_request"], side: value}})
        with pytest.raises(BadDelivery):
            read(dialect, "pull_request", body.encode())


def test_s09_one_function_compares():
    """No forge compares a signature or secret but by the one constant-time function."""
    root = Path(windlass.forges.__file__).parent
    users, guilty = set(), []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "compare_digest":
                users.add(path.name)
            if isinstance(node, ast.Compare) and any(
                isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops
            ):
                names = ast.unparse(node).lower()
                if "signature" in names or "secret" in names:
                    guilty.append(f"{path.name}: {names}")
    assert users == {"signatures.py"}
    assert guilty == []
