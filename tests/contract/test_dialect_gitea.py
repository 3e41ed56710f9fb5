"""The dialects of Gitea, Forgejo and Gogs keep the contract."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from windlass.forges.gitea.dialect import GiteaDialect
from windlass.forges.gogs.dialect import GogsDialect
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import DialectContract

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
AT = 1_700_000_000.0

PERSON = {"id": 42, "login": "ada"}
SHARED = {"sender": PERSON, "repository": {"id": 7, "full_name": "acme/shop"}}
CHANGE = {
    "id": NEW,
    "message": "Change",
    "timestamp": "2024-01-01T10:00:00+01:00",
    "author": {"name": "Ada", "username": "ada"},
}
PUSH = {
    "ref": "refs/heads/main",
    "before": OLD,
    "after": NEW,
    "compare_url": "https://forge.example/x",
    "commits": [CHANGE],
    "head_commit": CHANGE,
    **SHARED,
}
PULL = {
    "number": 3,
    "title": "WIP: Add one",
    "body": "",
    "labels": [{"name": "hold"}],
    "user": PERSON,
    "html_url": "https://forge.example/3",
    "updated_at": "2024-01-01T10:00:00Z",
    "merged": False,
    "merge_commit_sha": None,
}
SIDE = {"ref": "main", "sha": OLD, "repo": {"id": 7}}
SIDES = {"base": SIDE, "head": {**SIDE, "ref": "one", "sha": NEW}}
GOGS = {"base_branch": "main", "head_branch": "one", "base_repo": {"id": 7}, "head_repo": {"id": 8}}
ENDED = {"merged": True, "merge_commit_sha": NEW}
ISSUE = {**PULL, "pull_request": {"merged": False}}
COMMENT = {"body": "/deploy", "html_url": "https://forge.example/c", "created_at": None}
RELEASE = {"tag_name": "v1", "name": "One", "body": "", "draft": False, "author": PERSON}


def bodies(sides):
    """What Gitea and Gogs send alike; `sides` is how they word the branches."""
    pull = {**PULL, **sides}
    renamed = {"title": {"from": "Add one"}}
    return (
        ("push", PUSH),
        ("push", {**PUSH, "before": ZERO}),
        ("delete", {"ref": "one", "ref_type": "branch", **SHARED}),
        ("pull_request", {"action": "opened", "pull_request": pull, **SHARED}),
        ("pull_request", {"action": "edited", "changes": renamed, "pull_request": pull, **SHARED}),
        ("pull_request", {"action": "closed", "pull_request": {**pull, **ENDED}, **SHARED}),
        ("issue_comment", {"action": "created", "issue": ISSUE, "comment": COMMENT, **SHARED}),
        ("release", {"action": "published", "release": RELEASE, **SHARED}),
    )


REVIEW = {"action": "reviewed", "pull_request": {**PULL, **SIDES}, "review": {"content": "ok"}}
GITEA = (
    *bodies(SIDES),
    ("push", {**PUSH, "ref": "refs/tags/v1", "after": ZERO, "commits": [], "head_commit": None}),
    ("pull_request_approved", {**REVIEW, **SHARED}),
    ("pull_request_comment", {**REVIEW, **SHARED}),
)
GOGS_BODIES = (*bodies(GOGS), ("create", {"ref": "v1", "ref_type": "tag", "sha": NEW, **SHARED}))


def requests(forge, told):
    return [
        Request(headers={f"x-{forge}-event": name}, body=json.dumps(body).encode(), at=AT)
        for name, body in told
    ]


def signing(forge):
    def sign(request, secret):
        digest = hmac.new(secret, request.body, hashlib.sha256).hexdigest()
        proof = {f"x-{forge}-signature": digest, f"x-{forge}-delivery": "72d3162e"}
        return replace(request, headers={**request.headers, **proof})

    return sign


class TestGitea(DialectContract):
    @pytest.fixture
    def dialect(self):
        return GiteaDialect()

    @pytest.fixture
    def signed(self):
        return signing("gitea")

    @pytest.fixture
    def samples(self):
        return requests("gitea", GITEA)


class TestForgejo(TestGitea):
    @pytest.fixture
    def signed(self):
        return signing("forgejo")

    @pytest.fixture
    def samples(self):
        return requests("forgejo", GITEA)


class TestGogs(DialectContract):
    @pytest.fixture
    def dialect(self):
        return GogsDialect()

    @pytest.fixture
    def signed(self):
        return signing("gogs")

    @pytest.fixture
    def samples(self):
        return requests("gogs", GOGS_BODIES)
