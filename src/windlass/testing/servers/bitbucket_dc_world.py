"""
The people and repositories of the tests' Bitbucket Data Center, and what people do there.

Each thing done sends its webhook, signed with the secret of the hook, and how that went is
kept. A receiver that fails five times in a row is left alone until a test reaches it.
"""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.testing.servers.bitbucket_dc_bodies import Bodies, Person, Pull, Repository
from windlass.testing.servers.serving import Server

# Failures in a row after which a webhook is skipped.
PATIENCE = 5


@dataclass(slots=True)
class Token:
    """Whom it speaks for, and what it may do at most."""

    who: Person
    level: str = "REPO_ADMIN"


class DataCenterWorld(Server):
    """`people`, `tokens` and `repositories` are what there is; `prefix` is the context path."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        super().__init__(root)
        self.prefix = prefix
        self.base = self.url + prefix
        self.bodies = Bodies(self.base)
        self.people: dict[int, Person] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.failures: dict[int, int] = {}
        self.ids = itertools.count(1)

    def person(self, name: str, *, service: bool = False) -> Person:
        """Somebody with an account."""
        one = Person(next(self.ids), name, service)
        self.people[one.id] = one
        return one

    def token(self, secret: str, who: Person, level: str = "REPO_ADMIN") -> str:
        """Let a token be valid."""
        self.tokens[secret] = Token(who, level)
        return secret

    def repository(self, key: str, slug: str, owner: Person, *, public: bool = False) -> Repository:
        """A repository with a first commit; its owner may do everything."""
        path = self.root / f"{self.prefix}/scm/{key.lower()}/{slug}.git".strip("/")
        one = Repository(next(self.ids), key, slug, path, public)
        one.rights[owner.id] = "REPO_ADMIN"
        self.repositories[key.lower(), slug] = one
        return one

    def address(self, at: Repository) -> str:
        """Where a person finds it."""
        return f"{self.base}/projects/{at.key}/repos/{at.slug}"

    def pushed(self, at: Repository, branch: str, by: Person) -> str:
        """A commit on a branch."""
        ref = f"refs/heads/{branch}"
        before = at.bare.at(ref)
        after = at.bare.commit(ref, f"Change {branch}", before or at.bare.at("refs/heads/main"))
        self.tell(at, self.bodies.push(at, by, ref, (before, after)))
        return after

    def proposed(
        self, at: Repository, branch: str, by: Person, fork: Repository | None = None
    ) -> Pull:
        """A pull request of a new branch with one commit, here or in a fork."""
        pull = Pull(len(at.pulls) + 1, f"Add {branch}", branch, by, fork or at)
        sha = at.bare.commit(pull.ref, pull.title, at.bare.at("refs/heads/main"))
        if fork is None:
            at.bare.point({f"refs/heads/{branch}": sha})
        at.pulls.append(pull)
        self._about(at, pull, by, "pr:opened")
        return pull

    def moved(self, at: Repository, pull: Pull, by: Person) -> str:
        """Another commit of a pull request."""
        before = at.bare.at(pull.ref)
        sha = at.bare.commit(pull.ref, "More")
        self._about(at, pull, by, "pr:from_ref_updated", previousFromHash=before)
        return sha

    def merged(self, at: Repository, pull: Pull, by: Person) -> str:
        """The pull request is merged."""
        pull.merge = at.bare.commit("refs/heads/main", f"Merge {pull.title}")
        pull.state = "MERGED"
        self._about(at, pull, by, "pr:merged")
        return pull.merge

    def declined(self, at: Repository, pull: Pull, by: Person) -> None:
        """The pull request is declined."""
        pull.state = "DECLINED"
        self._about(at, pull, by, "pr:declined")

    def approved(self, at: Repository, pull: Pull, by: Person) -> None:
        """Somebody approves what is there now."""
        pull.approved.append(by)
        self._reviewed(at, pull, by, "pr:reviewer:approved")

    def unapproved(self, at: Repository, pull: Pull, by: Person) -> None:
        """Somebody takes an approval back."""
        pull.approved.remove(by)
        self._reviewed(at, pull, by, "pr:reviewer:unapproved")

    def _reviewed(self, at: Repository, pull: Pull, by: Person, event: str) -> None:
        pull.seen[by.id] = at.bare.at(pull.ref)
        seen = {"user": self.bodies.account(by), "lastReviewedCommit": pull.seen[by.id]}
        self._about(at, pull, by, event, participant=seen)

    def said(
        self, at: Repository, pull: Pull, by: Person, text: str, anchor: object = None
    ) -> dict[str, Any]:
        """Somebody comments, on a line when there is an anchor."""
        made = self.bodies.comment(next(self.ids), by, text)
        self.act(pull, made, by)
        if anchor:
            pull.activities[0]["commentAnchor"] = anchor
        self._about(at, pull, by, "pr:comment:added", comment=made)
        return made

    def act(self, pull: Pull, comment: dict[str, Any], by: Person) -> None:
        """A comment among the activities; the newest stand first."""
        pull.activities.insert(
            0,
            {
                "id": next(self.ids),
                "user": self.bodies.account(by),
                "action": "COMMENTED",
                "commentAction": "ADDED",
                "comment": comment,
            },
        )

    def _about(self, at: Repository, pull: Pull, by: Person, event: str, **more: object) -> None:
        told = self.bodies.pull(at, pull)
        self.tell(at, self.bodies.event(event, by, pullRequest=told, **more))

    def tell(self, at: Repository, body: Mapping[str, object]) -> None:
        """Send a webhook to whoever wants it."""
        event = str(body["eventKey"])
        for hook in list(at.hooks):
            if not hook["active"] or event not in hook["events"]:
                continue
            if self.failures.get(hook["id"], 0) >= PATIENCE:
                continue
            status = self.send(hook, event, body)
            fine = 200 <= status < 300
            self.failures[hook["id"]] = 0 if fine else self.failures.get(hook["id"], 0) + 1
            outcome = "SUCCESS" if fine else "FAILURE" if status else "ERROR"
            at.latest[hook["id"]] = {
                "event": event,
                "request": {"method": "POST", "url": hook["url"]},
                "result": {"outcome": outcome, "description": str(status or "Connection refused")},
            }

    def send(self, hook: Mapping[str, Any], event: str, body: Mapping[str, object]) -> int:
        """The status that a webhook got; 0 when nobody answered."""
        raw = json.dumps(body).encode()
        headers = {
            "x-event-key": event,
            "x-request-id": f"40000000-0000-4000-8000-{next(self.ids):012}",
            "user-agent": "Atlassian HttpClient",
        }
        if secret := hook["configuration"].get("secret"):
            signed = hmac.digest(secret.encode(), raw, "sha256").hex()
            headers["x-hub-signature"] = f"sha256={signed}"
        return self.deliver(hook["url"], headers, raw).status
