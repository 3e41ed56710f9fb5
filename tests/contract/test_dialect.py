"""Every dialect keeps the contract."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.plain.program.signing import headers
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import DialectContract

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
AT = 1_700_000_000.0


class TestPlain(DialectContract):
    @pytest.fixture
    def dialect(self):
        return PlainDialect()

    @pytest.fixture
    def signed(self):
        return lambda request, secret: replace(
            request, headers=headers(secret, "msg_1", request.at, request.body)
        )

    @pytest.fixture
    def samples(self):
        person = {"name": "ada", "id": "os:ada"}
        shared = {"at": AT, "repository": {"path": "/srv/shop.git"}, "sender": person}
        commits = [{"id": NEW, "message": "Change", "author": {"name": "Ada", "email": "a@x"}}]
        files = {"files": ["README"], "files_complete": True}
        push = {"event": "push", "commit": NEW, "commits": commits, **shared, **files}
        pull = {
            "number": 3,
            "title": "Add one",
            "body": "",
            "author": person,
            "base": "main",
            "base_sha": OLD,
            "head": "one",
            "head_sha": NEW,
            "state": "open",
            "draft": False,
            "merge_sha": "",
        }
        asked = {"event": "pull_request", "pull_request": pull, **shared, **files}
        bodies = (
            {**push, "ref": "refs/heads/main", "before": OLD, "after": NEW},
            {**push, "ref": "refs/heads/new", "before": ZERO, "after": NEW},
            {**push, "ref": "refs/tags/v1", "before": OLD, "after": ZERO, "commit": ""},
            {**asked, "action": "opened"},
            {**asked, "action": "updated", "before": OLD},
            {"event": "review", "action": "approved", "pull_request": pull, **shared},
            {"event": "ping", **shared},
        )
        return [Request(headers={}, body=json.dumps(one).encode(), at=AT) for one in bodies]


class TestGitHub(DialectContract):
    @pytest.fixture
    def dialect(self):
        return GitHubDialect()

    @pytest.fixture
    def signed(self):
        def sign(request, secret):
            digest = hmac.new(secret, request.body, hashlib.sha256).hexdigest()
            proof = {"x-hub-signature-256": f"sha256={digest}", "x-github-delivery": "72d3162e"}
            return replace(request, headers={**request.headers, **proof})

        return sign

    @pytest.fixture
    def samples(self):
        sender = {"sender": {"login": "ada", "id": 42}, "repository": {"id": 7}}
        author = {"name": "Ada", "username": "ada"}
        change = {"id": NEW, "message": "Change", "timestamp": "2024-01-01T10:00:00+01:00"}
        push = {
            "ref": "refs/heads/main",
            "before": OLD,
            "after": NEW,
            "created": False,
            "deleted": False,
            "forced": False,
            "commits": [{**change, "added": ["a"], "removed": [], "modified": ["README"]}],
            "head_commit": {**change, "author": author},
            **sender,
        }
        pull = {
            "number": 3,
            "title": "Add one",
            "body": None,
            "draft": False,
            "merged": False,
            "merge_commit_sha": None,
            "html_url": "https://forge.example/3",
            "updated_at": "2024-01-01T10:00:00Z",
            "labels": [{"name": "hold"}],
            "user": {"login": "ada", "id": 42},
            "base": {"ref": "main", "sha": OLD, "repo": {"id": 7}},
            "head": {"ref": "one", "sha": NEW, "repo": {"id": 7}},
        }
        review = {
            "state": "approved",
            "commit_id": NEW,
            "user": sender["sender"],
            "body": "",
            "submitted_at": None,
        }
        group = {
            "head_sha": NEW,
            "head_ref": "refs/heads/q",
            "base_sha": OLD,
            "base_ref": "refs/heads/main",
            "head_commit": {},
        }
        bodies = (
            ("push", push),
            ("push", {**push, "ref": "refs/tags/v1", "before": ZERO, "created": True}),
            ("push", {**push, "after": ZERO, "deleted": True, "commits": [], "head_commit": None}),
            ("pull_request", {"action": "opened", "pull_request": pull, **sender}),
            ("pull_request", {"action": "synchronize", "before": OLD, "pull_request": pull}),
            (
                "pull_request_review",
                {"action": "submitted", "review": review, "pull_request": pull, **sender},
            ),
            (
                "issue_comment",
                {
                    "action": "created",
                    "issue": {**pull, "pull_request": {}},
                    "comment": {"body": "/test"},
                    **sender,
                },
            ),
            (
                "pull_request_review_comment",
                {"action": "created", "pull_request": pull, "comment": {"body": "x"}, **sender},
            ),
            (
                "release",
                {
                    "action": "published",
                    "release": {"tag_name": "v1", "author": sender["sender"]},
                    **sender,
                },
            ),
            ("merge_group", {"action": "checks_requested", "merge_group": group, **sender}),
            ("ping", {"zen": "Design for failure.", **sender}),
        )
        return [
            Request(headers={"x-github-event": name}, body=json.dumps(body).encode(), at=AT)
            for name, body in bodies
        ]
