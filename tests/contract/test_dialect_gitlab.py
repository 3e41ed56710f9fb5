"""GitLab's dialect keeps the contract, signed and with its plain token."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from windlass.forges.gitlab.dialect import GitLabDialect
from windlass.forges.plain.program.signing import headers
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import SECRET, DialectContract

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
AT = 1_700_000_000.0

PUSH = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "before": OLD,
    "after": NEW,
    "checkout_sha": NEW,
    "user_id": 42,
    "user_username": "ada",
    "commits": [
        {
            "id": NEW,
            "message": "Change",
            "url": "https://forge.example/c",
            "timestamp": "2024-01-01T10:00:00+01:00",
            "author": {"name": "Ada", "email": "a@x"},
        }
    ],
}
MERGE_REQUEST = {
    "iid": 3,
    "title": "Add one",
    "description": None,
    "author_id": 42,
    "source_branch": "one",
    "target_branch": "main",
    "source_project_id": 7,
    "target_project_id": 7,
    "merge_commit_sha": NEW,
    "last_commit": {"id": NEW},
    "draft": False,
    "url": "https://forge.example/3",
    "updated_at": "2024-01-01 10:00:00 UTC",
    "oldrev": OLD,
}
ASKED = {
    "object_kind": "merge_request",
    "user": {"id": 42, "username": "ada"},
    "labels": [{"title": "hold"}],
    "object_attributes": {**MERGE_REQUEST, "action": "open"},
}
CHANGES = {
    "draft": {"previous": True, "current": False},
    "labels": {"previous": [{"title": "old"}], "current": [{"title": "hold"}]},
    "description": {"previous": "", "current": "x"},
}
NOTE = {"noteable_type": "MergeRequest", "note": "/deploy", "system": False, "action": "create"}


def asked(action, **more):
    return {**ASKED, "object_attributes": {**MERGE_REQUEST, "action": action}, **more}


BODIES = (
    PUSH,
    {**PUSH, "before": ZERO},
    {**PUSH, "object_kind": "tag_push", "ref": "refs/tags/v1", "after": ZERO, "commits": []},
    asked("open"),
    asked("merge"),
    asked("approved"),
    asked("update", changes=CHANGES),
    {**ASKED, "object_kind": "note", "object_attributes": NOTE, "merge_request": MERGE_REQUEST},
    {
        "object_kind": "release",
        "action": "create",
        "tag": "v1",
        "name": "One",
        "commit": {"id": NEW},
        "released_at": "2024-01-01 10:00:00 UTC",
    },
)


class TestGitLabSigned(DialectContract):
    @pytest.fixture
    def dialect(self):
        return GitLabDialect()

    @pytest.fixture
    def signed(self):
        return lambda request, secret: replace(
            request,
            headers={**request.headers, **headers(secret, "msg_1", request.at, request.body)},
        )

    @pytest.fixture
    def samples(self):
        return [Request(headers={}, body=json.dumps(one).encode(), at=AT) for one in BODIES]


class TestGitLabToken(TestGitLabSigned):
    @pytest.fixture
    def signed(self):
        return lambda request, secret: replace(
            request, headers={**request.headers, "x-gitlab-token": secret.decode()}
        )

    def test_each_byte_counts(self, dialect, good):
        """A token proves the sender and not the body: GitLab offers no more with it."""
        assert dialect.verify(replace(good, body=b"{}"), (SECRET,)).secret == 0
