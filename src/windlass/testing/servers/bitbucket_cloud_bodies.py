"""
What the Bitbucket Cloud of the tests holds, and the shape in which it tells it.

Answers and webhooks share their shapes; in both a pull request tells twelve digits of its
commits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.testing.servers.bitbucket_git import Bare

AT = "2024-01-01T10:00:00.123456+00:00"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    nickname: str
    uuid: str
    account_id: str


@dataclass(slots=True)
class Repository:
    """A repository; permissions by the person's uuid, given by name, or in whichever way."""

    full_name: str
    uuid: str
    path: Path
    private: bool
    main: str = "main"
    explicit: dict[str, str] = field(default_factory=dict)
    effective: dict[str, str] = field(default_factory=dict)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    bare: Bare = field(init=False)

    def __post_init__(self) -> None:
        self.bare = Bare(self.path)


@dataclass(slots=True)
class Pull:
    """A pull request; `ref` holds its head in the repository it is for."""

    number: int
    title: str
    branch: str
    author: Person
    ref: str
    source: Repository
    state: str = "OPEN"
    merge: str = ""
    draft: bool = False
    approved: list[Person] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    # What happened, the newest first.
    activity: list[dict[str, Any]] = field(default_factory=list)


class Bodies:
    """The shapes, for a host at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def raw(self, body: Mapping[str, object]) -> bytes:
        """A body as it is sent."""
        return json.dumps(body).encode()

    def account(self, who: Person) -> dict[str, object]:
        """A person."""
        return {
            "type": "user",
            "uuid": who.uuid,
            "account_id": who.account_id,
            "nickname": who.nickname,
            "display_name": who.nickname.title(),
        }

    def repository(self, at: Repository) -> dict[str, object]:
        """A repository."""
        return {
            "type": "repository",
            "full_name": at.full_name,
            "name": at.full_name.split("/")[1],
            "uuid": at.uuid,
            "is_private": at.private,
            "links": self._links(f"/{at.full_name}"),
        }

    def pull(self, at: Repository, one: Pull) -> dict[str, object]:
        """A pull request."""
        people = [{"user": self.account(who), "approved": True} for who in one.approved]
        return {
            "type": "pullrequest",
            "id": one.number,
            "title": one.title,
            "description": "",
            "state": one.state,
            "draft": one.draft,
            "author": self.account(one.author),
            "source": self._side(one.source, one.branch, at.bare.at(one.ref)),
            "destination": self._side(at, at.main, at.bare.at(f"refs/heads/{at.main}")),
            "merge_commit": {"type": "commit", "hash": one.merge[:12]} if one.merge else None,
            "participants": people,
            "created_on": AT,
            "updated_on": AT,
            "links": self._links(f"/{at.full_name}/pull-requests/{one.number}"),
        }

    def comment(self, number: int, by: Person, text: str) -> dict[str, Any]:
        """A comment."""
        return {
            "type": "pullrequest_comment",
            "id": number,
            "deleted": False,
            "content": {"raw": text, "markup": "markdown"},
            "user": self.account(by),
            "created_on": AT,
            "links": self._links(f"/comments/{number}"),
        }

    def updated(self, at: Repository, pull: Pull) -> dict[str, Any]:
        """An update of a pull request, as its activity tells it."""
        source = self._side(pull.source, pull.branch, at.bare.at(pull.ref))
        return {"update": {"state": pull.state, "date": AT, "source": source, "changes": {}}}

    def event(self, at: Repository, pull: Pull, by: Person) -> dict[str, object]:
        """The webhook of a pull request."""
        return {
            "repository": self.repository(at),
            "actor": self.account(by),
            "pullrequest": self.pull(at, pull),
        }

    def push(
        self, at: Repository, by: Person, branch: str, ends: tuple[str, str]
    ) -> dict[str, object]:
        """The webhook of a push; an end that is empty is none."""
        old, new = (self._tip(branch, sha, by) if sha else None for sha in ends)
        change = {
            "forced": False,
            "old": old,
            "new": new,
            "created": old is None,
            "closed": new is None,
            "truncated": False,
            "links": self._links(f"/{at.full_name}/branches/compare"),
        }
        return {
            "repository": self.repository(at),
            "actor": self.account(by),
            "push": {"changes": [change]},
        }

    def _tip(self, branch: str, sha: str, by: Person) -> dict[str, object]:
        author = {"raw": f"{by.nickname} <a@example.com>", "user": self.account(by)}
        target = {"type": "commit", "hash": sha, "message": "Change", "author": author, "date": AT}
        return {"type": "branch", "name": branch, "target": target}

    def _side(self, at: Repository, branch: str, sha: str) -> dict[str, object]:
        return {
            "branch": {"name": branch},
            "commit": {"type": "commit", "hash": sha[:12]} if sha else None,
            "repository": self.repository(at),
        }

    def _links(self, path: str) -> dict[str, object]:
        return {"html": {"href": f"{self.url}{path}"}}
