"""
The ground of the GitHub of the tests: people, tokens, repositories, and who may do what.

Rights are named as a fine-grained token has them. Who may not see something is told that
it is not there, as https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
says.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from windlass.testing.plain import Bench
from windlass.testing.servers.serving import Call, Refused, Reply, Server, route

ROOT = "/api/v3"
REPO = ROOT + "/repos/{owner}/{name}"

Said = dict[str, Any]

# What each right lets a token do; an App's token has what the App was given.
EVERYTHING = frozenset({"hooks", "statuses", "contents", "pulls", "comments", "deployments"})
RANKS = {"none": 0, "read": 1, "write": 2, "admin": 3}


@dataclass
class Person:
    """Somebody, or an App's bot."""

    id: int
    login: str
    bot: bool = False

    def said(self) -> Said:
        """How GitHub tells of them."""
        return {"login": self.login, "id": self.id, "type": "Bot" if self.bot else "User"}


@dataclass
class Bearer:
    """Who holds a token, and what it is good for; `app` is the App whose installation it is."""

    person: Person
    rights: frozenset[str] = EVERYTHING
    classic: bool = False
    app: Said | None = None
    until: float = float("inf")
    only: str = ""


@dataclass
class Repository:
    """A repository and all that was said about it; only one with a `bench` has Git."""

    id: int
    path: str
    private: bool = False
    default: str = "main"
    bench: Bench | None = None
    roles: dict[int, str] = field(default_factory=dict)
    hooks: dict[int, Said] = field(default_factory=dict)
    deliveries: list[Said] = field(default_factory=list)
    statuses: list[Said] = field(default_factory=list)
    checks: dict[int, Said] = field(default_factory=dict)
    comments: dict[int, Said] = field(default_factory=dict)
    pulls: dict[int, Said] = field(default_factory=dict)
    deployments: dict[int, Said] = field(default_factory=dict)
    reviews: dict[int, list[Said]] = field(default_factory=dict)

    def refs(self) -> dict[str, str]:
        """Every ref, as in `git for-each-ref`."""
        return self.bench.refs() if self.bench else {}

    def commit(self, revision: str) -> str:
        """The full id of a commit; refused as GitHub refuses it."""
        try:
            return self.bench.at(f"{revision}^{{commit}}") if self.bench else ""
        except AssertionError:
            raise Refused(422, f"No commit found for SHA: {revision}") from None


class Ground(Server):
    """State, and who may change it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.now: Callable[[], float] = time.time
        self.people: dict[int, Person] = {}
        self.tokens: dict[str, Bearer] = {}
        self.repositories: dict[str, Repository] = {}
        self.queue: list[Callable[[], None]] = []
        self._last = 100

    def new(self) -> int:
        """A number that nothing else has."""
        self._last += 1
        return self._last

    def person(self, login: str, *, bot: bool = False) -> Person:
        """Somebody new."""
        made = Person(self.new(), login, bot)
        self.people[made.id] = made
        return made

    def repository(self, path: str, *, git: bool = False, private: bool = False) -> Repository:
        """A new repository OWNER/NAME."""
        bench = None
        if git:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            bench = Bench((self.root / path).parent)
        made = Repository(self.new(), path, private=private, bench=bench)
        self.repositories[path] = made
        return made

    def bearer(self, call: Call) -> Bearer | None:
        """Whose token a call carries."""
        kind, _, token = call.headers.get("authorization", "").partition(" ")
        if not token:
            return None
        found = self.tokens.get(token) if kind.lower() in {"bearer", "token"} else None
        if found is None or found.until <= self.now():
            raise Refused(401, "Bad credentials")
        return found

    def let(self, call: Call, right: str, *, write: bool = False) -> Repository:
        """The repository of a call, when its bearer may; `write` is to change something."""
        found = self.repositories.get(f"{call.names['owner']}/{call.names['name']}")
        who = self.bearer(call)
        role = self._role(found, who)
        if found is None or role == "none" or (right == "hooks" and role != "admin"):
            raise Refused(404, "Not Found")
        if who is None and (write or right == "people"):
            raise Refused(401, "Requires authentication")
        if who and right not in who.rights and right not in {"people", "metadata"}:
            if who.classic:
                raise Refused(404, "Not Found")
            kind = "integration" if who.app else "personal access token"
            raise Refused(403, f"Resource not accessible by {kind}")
        if (write or right == "people") and RANKS[role] < RANKS["write"]:
            raise Refused(403, "Must have push access to repository")
        return found

    def _role(self, found: Repository | None, who: Bearer | None) -> str:
        if found is None or (who and who.only and who.only != found.path):
            return "none"
        public = "none" if found.private else "read"
        if who is None:
            return public
        return "admin" if who.app else found.roles.get(who.person.id, public)

    @route("GET", ROOT + "/user")
    def me(self, call: Call) -> Reply:
        """Whose token it is; an App's has nobody."""
        who = self.bearer(call)
        if who is None:
            raise Refused(401, "Requires authentication")
        if who.app:
            raise Refused(403, "Resource not accessible by integration")
        return Reply(200, who.person.said(), _marked(who.person.said()))

    @route("GET", ROOT + "/user/{id}")
    def by_id(self, call: Call) -> Reply:
        """Somebody by their number."""
        found = self.people.get(int(call.names["id"]))
        return Reply(200, found.said()) if found else Reply(404, {"message": "Not Found"})

    @route("GET", REPO + "/collaborators/{login}/permission")
    def permission(self, call: Call) -> Reply:
        """What somebody may do, by the name that they have now."""
        found = self.let(call, "people")
        for one in self.people.values():
            if one.login == call.names["login"]:
                role = found.roles.get(one.id, "none" if found.private else "read")
                return Reply(200, {"permission": role, "role_name": role, "user": one.said()})
        raise Refused(404, f"{call.names['login']} is not a user")


def iso(at: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _marked(body: Said) -> dict[str, str]:
    return {"etag": f'"{hashlib.sha256(repr(body).encode()).hexdigest()}"'}
