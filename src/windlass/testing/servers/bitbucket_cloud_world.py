"""
The people and repositories of the tests' Bitbucket Cloud, and what people do there.

Each thing done sends its webhook, signed with the secret of the hook, as the forge does.
"""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.testing.servers.bitbucket_cloud_bodies import Bodies, Person, Pull, Repository
from windlass.testing.servers.serving import Server

EVERYTHING = frozenset(
    {"repository", "repository:admin", "pullrequest", "pullrequest:write", "webhook", "account"}
)


@dataclass(slots=True)
class Token:
    """Who it speaks for, what it may do, and whether it belongs to a repository."""

    who: Person
    scopes: frozenset[str] = EVERYTHING
    access: bool = False


@dataclass(slots=True)
class World:
    """People, tokens and repositories."""

    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)


class CloudWorld(Server):
    """`world` is what there is."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.world = World()
        self.bodies = Bodies(self.url)
        self.ids = itertools.count(1)

    def person(self, nickname: str) -> Person:
        """Somebody with an account."""
        number = next(self.ids)
        one = Person(nickname, f"{{00000000-0000-4000-8000-{number:012}}}", f"557058:{number}")
        self.world.people[one.uuid] = one
        return one

    def token(
        self, secret: str, who: Person, *, scopes: frozenset[str] = EVERYTHING, access: bool = False
    ) -> str:
        """Let a token be valid: `ADDRESS:SECRET` of a person, or `access=True` of a repository."""
        self.world.tokens[secret] = Token(who, scopes, access)
        return secret

    def repository(self, full_name: str, owner: Person, *, private: bool = True) -> Repository:
        """A repository with a first commit; its owner may do everything."""
        number = next(self.ids)
        uuid = f"{{10000000-0000-4000-8000-{number:012}}}"
        one = Repository(full_name, uuid, self.root / f"{full_name}.git", private)
        one.effective[owner.uuid] = "admin"
        self.world.repositories[full_name] = one
        return one

    def pushed(self, at: Repository, branch: str, by: Person) -> str:
        """A commit on a branch."""
        ref = f"refs/heads/{branch}"
        before = at.bare.at(ref)
        after = at.bare.commit(ref, f"Change {branch}", before or at.bare.at("refs/heads/main"))
        self._tell(at, "repo:push", self.bodies.push(at, by, branch, (before, after)))
        return after

    def proposed(
        self, at: Repository, branch: str, by: Person, fork: Repository | None = None
    ) -> Pull:
        """A pull request of a new branch with one commit, here or in a fork."""
        ref = f"refs/forks/{fork.full_name}/{branch}" if fork else f"refs/heads/{branch}"
        at.bare.commit(ref, f"Add {branch}", at.bare.at("refs/heads/main"))
        pull = Pull(len(at.pulls) + 1, f"Add {branch}", branch, by, ref, fork or at)
        at.pulls.append(pull)
        pull.activity.insert(0, self.bodies.updated(at, pull))
        self._tell(at, "pullrequest:created", self.bodies.event(at, pull, by))
        return pull

    def moved(self, at: Repository, pull: Pull, by: Person) -> str:
        """Another commit of a pull request."""
        sha = at.bare.commit(pull.ref, "More")
        pull.activity.insert(0, self.bodies.updated(at, pull))
        self._tell(at, "pullrequest:updated", self.bodies.event(at, pull, by))
        return sha

    def merged(self, at: Repository, pull: Pull, by: Person) -> str:
        """The pull request is merged."""
        pull.merge = at.bare.commit("refs/heads/main", f"Merge {pull.title}")
        pull.state = "MERGED"
        pull.activity.insert(0, self.bodies.updated(at, pull))
        self._tell(at, "pullrequest:fulfilled", self.bodies.event(at, pull, by))
        return pull.merge

    def declined(self, at: Repository, pull: Pull, by: Person) -> None:
        """The pull request is declined."""
        pull.state = "DECLINED"
        self._tell(at, "pullrequest:rejected", self.bodies.event(at, pull, by))

    def approved(self, at: Repository, pull: Pull, by: Person) -> None:
        """Somebody approves."""
        pull.approved.append(by)
        pull.activity.insert(0, {"approval": {"user": self.bodies.account(by)}})
        self._tell(at, "pullrequest:approved", self.bodies.event(at, pull, by))

    def unapproved(self, at: Repository, pull: Pull, by: Person) -> None:
        """Somebody takes an approval back."""
        pull.approved.remove(by)
        self._tell(at, "pullrequest:unapproved", self.bodies.event(at, pull, by))

    def said(
        self, at: Repository, pull: Pull, by: Person, text: str, inline: object = None
    ) -> dict[str, Any]:
        """Somebody comments."""
        made = self.bodies.comment(next(self.ids), by, text)
        if inline:
            made["inline"] = inline
        pull.comments.append(made)
        body = {**self.bodies.event(at, pull, by), "comment": made}
        self._tell(at, "pullrequest:comment_created", body)
        return made

    def _tell(self, at: Repository, event: str, body: Mapping[str, object]) -> None:
        raw = self.bodies.raw(body)
        for hook in list(at.hooks):
            if not hook["active"] or event not in hook["events"]:
                continue
            headers = {
                "x-event-key": event,
                "x-hook-uuid": hook["uuid"],
                "x-request-uuid": f"20000000-0000-4000-8000-{next(self.ids):012}",
                "x-attempt-number": "1",
                "user-agent": "Bitbucket-Webhooks/2.0",
            }
            if secret := hook["secret"]:
                signed = hmac.digest(secret.encode(), raw, "sha256").hex()
                headers["x-hub-signature"] = f"sha256={signed}"
            self.deliver(hook["url"], headers, raw)
