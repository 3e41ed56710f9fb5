"""
What the Bitbucket Data Center of the tests holds, and the shape in which it tells it.

Answers and webhooks share their shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.testing.servers.bitbucket_git import ZERO, Bare

# Milliseconds in answers, text in webhooks.
AT, DATE = 1_704_099_600_000, "2024-01-01T10:00:00+0100"
LEVELS = ("NONE", "REPO_READ", "REPO_WRITE", "REPO_ADMIN")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, or what stands for a token of a repository."""

    id: int
    name: str
    service: bool = False


@dataclass(slots=True)
class Repository:
    """A repository; `rights` by the account's number, in whichever way they were given."""

    id: int
    key: str
    slug: str
    path: Path
    public: bool
    main: str = "main"
    rights: dict[int, str] = field(default_factory=dict)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[int, dict[str, Any]] = field(default_factory=dict)
    builds: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    bare: Bare = field(init=False)

    def __post_init__(self) -> None:
        self.bare = Bare(self.path)


@dataclass(slots=True)
class Pull:
    """A pull request; its head is held here as `refs/pull-requests/N/from`."""

    number: int
    title: str
    branch: str
    author: Person
    source: Repository
    state: str = "OPEN"
    merge: str = ""
    draft: bool = False
    approved: list[Person] = field(default_factory=list)
    # Account -> the commit that it looked at last.
    seen: dict[int, str] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ref(self) -> str:
        """Where its head is."""
        return f"refs/pull-requests/{self.number}/from"


class Bodies:
    """The shapes, for an installation at `base`."""

    def __init__(self, base: str) -> None:
        self.base = base

    def account(self, who: Person) -> dict[str, object]:
        """An account."""
        return {
            "id": who.id,
            "name": who.name,
            "slug": who.name.replace("/", "_"),
            "displayName": who.name.title(),
            "active": True,
            "type": "SERVICE" if who.service else "NORMAL",
        }

    def repository(self, at: Repository) -> dict[str, object]:
        """A repository."""
        return {
            "id": at.id,
            "slug": at.slug,
            "name": at.slug,
            "scmId": "git",
            "state": "AVAILABLE",
            "project": {"key": at.key, "name": at.key, "type": "NORMAL"},
            "public": at.public,
        }

    def pull(self, at: Repository, one: Pull) -> dict[str, object]:
        """A pull request."""
        open_ = one.state == "OPEN"
        page = f"{self.base}/projects/{at.key}/repos/{at.slug}/pull-requests/{one.number}"
        people = [
            {
                "user": self.account(who),
                "approved": True,
                "lastReviewedCommit": one.seen.get(who.id) or at.bare.at(one.ref),
            }
            for who in one.approved
        ]
        return {
            "id": one.number,
            "version": 0,
            "title": one.title,
            "state": one.state,
            "open": open_,
            "closed": not open_,
            "draft": one.draft,
            "createdDate": AT,
            "updatedDate": AT,
            "fromRef": self._side(one.source, one.branch, at.bare.at(one.ref)),
            "toRef": self._side(at, at.main, at.bare.at(f"refs/heads/{at.main}")),
            "author": {"user": self.account(one.author), "role": "AUTHOR"},
            "reviewers": people,
            "properties": {"mergeCommit": {"id": one.merge}} if one.merge else {},
            "links": {"self": [{"href": page}]},
        }

    def comment(self, number: int, by: Person, text: str) -> dict[str, Any]:
        """A comment."""
        return {
            "id": number,
            "version": 0,
            "text": text,
            "author": self.account(by),
            "createdDate": AT,
            "comments": [],
        }

    def event(self, key: str, by: Person, **more: object) -> dict[str, object]:
        """What every webhook tells."""
        return {"eventKey": key, "date": DATE, "actor": self.account(by), **more}

    def push(
        self, at: Repository, by: Person, ref: str, ends: tuple[str, str]
    ) -> Mapping[str, object]:
        """The webhook of a push."""
        kind = "TAG" if ref.startswith("refs/tags/") else "BRANCH"
        old, new = (sha or ZERO for sha in ends)
        change = {
            "ref": {"id": ref, "displayId": ref.split("/", 2)[2], "type": kind},
            "refId": ref,
            "fromHash": old,
            "toHash": new,
            "type": "ADD" if old == ZERO else "DELETE" if new == ZERO else "UPDATE",
        }
        return self.event("repo:refs_changed", by, repository=self.repository(at), changes=[change])

    def _side(self, at: Repository, branch: str, sha: str) -> dict[str, object]:
        return {
            "id": f"refs/heads/{branch}",
            "displayId": branch,
            "latestCommit": sha,
            "repository": self.repository(at),
        }
