"""
How the code hosts of this family word things: people, repositories, commits, pull requests.

The shapes are those of their webhooks and of their API, which are the same ones.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from windlass.testing.servers.bare import Bare
from windlass.testing.servers.serving import Call, first

Shape = dict[str, Any]
VERDICTS = {"approved": "APPROVED", "rejected": "REQUEST_CHANGES", "comment": "COMMENT"}
AT = "2024-01-01T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: int
    login: str

    @property
    def shape(self) -> Shape:
        """As the API tells it."""
        return {"id": self.id, "login": self.login, "username": self.login, "full_name": ""}


@dataclass(slots=True, kw_only=True)
class Pull:
    """A pull request; `fork` is the number of the head's repository, 0 for this one."""

    number: int
    title: str
    author: Person
    head: str
    sha: str
    base: str = "main"
    state: str = "open"
    merge_sha: str = ""
    fork: int = 0
    labels: tuple[str, ...] = ()
    reviews: list[Shape] = field(default_factory=list)

    def reviewed(self, number: int, by: Person, verdict: str) -> None:
        """Keep a review of the head: approved, rejected or comment."""
        about = {"id": number, "user": by.shape, "state": VERDICTS[verdict]}
        self.reviews.append({**about, "commit_id": self.sha, "dismissed": False})

    @property
    def told(self) -> list[Shape]:
        """Its reviews as the API tells them; one of another commit than the head is stale."""
        return [{**one, "stale": one["commit_id"] != self.sha} for one in self.reviews]


@dataclass(slots=True, kw_only=True)
class Comment:
    """Somebody's words on a pull request."""

    id: int
    number: int
    author: Person
    body: str

    @property
    def shape(self) -> Shape:
        """As the API tells it."""
        return {
            "id": self.id,
            "user": self.author.shape,
            "body": self.body,
            "html_url": f"http://forge.example/comments/{self.id}",
            "created_at": AT,
            "updated_at": AT,
        }


@dataclass(slots=True, kw_only=True)
class Home:
    """A repository and what is known of it; `people` are logins and what they may do."""

    id: int
    name: str
    owner: Person
    bare: Bare
    private: bool = False
    people: dict[str, str] = field(default_factory=dict)
    hooks: dict[int, Shape] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: list[Shape] = field(default_factory=list)

    @property
    def shape(self) -> Shape:
        """As the API tells it."""
        return {
            "id": self.id,
            "owner": self.owner.shape,
            "name": self.name.partition("/")[2],
            "full_name": self.name,
            "private": self.private,
            "default_branch": "main",
        }

    def numbered(self, call: Call) -> Pull:
        """The pull request that a call names."""
        found = (one for one in self.pulls.values() if str(one.number) == call.names["number"])
        return first(found, "pull request does not exist")

    def right(self, person: Person | None) -> str:
        """What somebody may do here, in the host's words."""
        if person == self.owner:
            return "owner"
        usual = "none" if self.private else "read"
        return usual if person is None else self.people.get(person.login, usual)

    def commit(self, sha: str) -> Shape:
        """A commit, as a webhook tells it."""
        name = {"name": "Ada", "email": "ada@example.org", "username": "ada"}
        message = self.bare.git("log", "-1", "--format=%B", sha)
        return {"id": sha, "message": message, "timestamp": AT, "author": name, "committer": name}

    def pushed(self, ref: str, before: str, after: str, by: Person) -> Shape:
        """A push, as a webhook tells it."""
        commits = [] if after.strip("0") == "" else [self.commit(after)]
        return {
            "ref": ref,
            "before": before,
            "after": after,
            "compare_url": f"http://forge.example/{self.name}/compare/{before}...{after}",
            "commits": commits,
            "repository": self.shape,
            "pusher": by.shape,
            "sender": by.shape,
        }

    def named(self, ref: str, sha: str, by: Person) -> Shape:
        """A branch or tag that came or went, as a webhook tells it; one that went has no commit."""
        kind, name = ref.removeprefix("refs/").split("/", 1)
        return {
            "ref": name,
            "ref_type": {"heads": "branch", "tags": "tag"}[kind],
            **({"sha": sha} if sha.strip("0") else {"pusher_type": "user"}),
            "repository": self.shape,
            "sender": by.shape,
        }

    def issue(self, pull: Pull) -> Shape:
        """A pull request as its comments see it: an issue."""
        return {
            "id": 1000 + pull.number,
            "number": pull.number,
            "user": pull.author.shape,
            "title": pull.title,
            "body": "",
            "labels": [{"id": 1, "name": name} for name in pull.labels],
            "state": "open" if pull.state == "open" else "closed",
            "created_at": AT,
            "updated_at": AT,
            "pull_request": {"merged": pull.state == "merged", "merged_at": None},
        }

    def commented(self, comment: Comment) -> Shape:
        """A comment, as a webhook tells it."""
        return {
            "action": "created",
            "issue": self.issue(self.pulls[comment.number]),
            "comment": comment.shape,
            "repository": self.shape,
            "sender": comment.author.shape,
            "is_pull": True,
        }


def signed(forges: tuple[str, ...], secret: str, event: str, body: bytes) -> Mapping[str, str]:
    """The headers by which these forges' webhooks are known; empty where there is no secret."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() if secret else ""
    delivery = str(uuid.uuid4())
    found = {"x-github-delivery": delivery, "x-github-event": event}
    for forge in forges:
        found[f"x-{forge}-delivery"] = delivery
        found[f"x-{forge}-event"] = event
        found[f"x-{forge}-signature"] = digest
    return found


def written(body: Shape) -> bytes:
    """A body as these hosts write it: indented."""
    return json.dumps(body, indent=2).encode()
