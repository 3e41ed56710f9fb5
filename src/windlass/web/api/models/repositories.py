"""
Repositories, their webhooks, and their pull requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from windlass.engine.requests.repositories import Rotated
from windlass.engine.requests.trust import TrustChange
from windlass.ports.forge import HookState, PullRequest, Trust
from windlass.ports.records import Repository
from windlass.web.api.models.shape import Answer, Ask, maybe_when, when


def without_credentials(url: str) -> str:
    """The URL, less a user name and password that someone put into it."""
    parts = urlsplit(url)
    if "@" not in parts.netloc or parts.scheme not in {"http", "https"}:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class PolicyAnswer(Answer):
    """
    What the operator allows a repository; the last pattern that fits decides.

    An empty list allows none, `**` all.
    """

    require_digest: bool
    allow_images: list[str]
    allow_forks: list[str]

    @classmethod
    def of(cls, record: Repository) -> PolicyAnswer:
        """The answer for a record."""
        return cls(
            require_digest=record.require_digest,
            allow_images=list(record.allow_images),
            allow_forks=list(record.allow_forks),
        )


class PolicyAsk(Ask):
    """
    What a policy shall say; what is null stays as it is.

    `require_digest`: images are named `NAME@sha256:...`. `allow_images` are patterns of images by
    their full names, `allow_forks` of the owners of forks; `["any"]` and `["none"]` stand alone.
    """

    require_digest: bool | None = None
    allow_images: list[str] | None = None
    allow_forks: list[str] | None = None


class RepositoryAnswer(Answer):
    """A repository that is connected; `problem` is empty when all is well."""

    name: str
    forge: str
    url: str
    default_branch: str
    active: bool
    polling: bool
    problem: str
    created_at: datetime
    policy: PolicyAnswer

    @classmethod
    def of(cls, record: Repository) -> RepositoryAnswer:
        """The answer for a record."""
        return cls(
            name=record.name,
            forge=record.forge,
            url=without_credentials(record.url),
            default_branch=record.default_branch,
            active=record.active,
            polling=record.polling,
            problem=record.problem,
            created_at=when(record.created_at),
            policy=PolicyAnswer.of(record),
        )


class HookAnswer(Answer):
    """Whether the webhook is in place; `problem` says what is not, and its remedy."""

    present: bool
    problem: str

    @classmethod
    def of(cls, state: HookState) -> HookAnswer:
        """The answer for a state."""
        return cls(present=state.present, problem=state.problem)


class RotatedAnswer(HookAnswer):
    """
    The webhook with its new secret; `previous_until` is how long the one before is trusted.

    Null: until the code host has been told of the new one. Where that is done `by_hand`, the
    sender has to be given it.
    """

    previous_until: datetime | None
    by_hand: bool

    @classmethod
    def rotated(cls, done: Rotated) -> RotatedAnswer:
        """The answer for what was done."""
        return cls(
            present=done.hook.present,
            problem=done.hook.problem,
            previous_until=maybe_when(done.until),
            by_hand=done.by_hand,
        )


class SecretAnswer(Answer):
    """What webhooks are signed with."""

    secret: str


class AddedAnswer(Answer):
    """
    A repository that was just connected; `webhook` is the path that takes its webhooks.

    `ping` are the seconds in which the code host's ping arrived, null where none was sent.
    """

    repository: RepositoryAnswer
    hook: HookAnswer
    webhook: str
    ping: float | None


class RecoveredAnswer(Answer):
    """How many events were found that no webhook had brought."""

    found: int


class OidcAsk(Ask):
    """
    The OIDC issuer whose tokens are trusted, for whom they have to be, and what they must claim.

    Of several values of a claim a token must have one. At least one claim is wanted: with none,
    any workflow of that issuer would be trusted.
    """

    issuer: str = ""
    audience: str = ""
    claims: Mapping[str, list[str]] = {}

    def trust(self) -> Trust:
        """As the engine takes it."""
        claims = {name: tuple(values) for name, values in self.claims.items()}
        return Trust(issuer=self.issuer, audience=self.audience, claims=claims)


class TrustAsk(Ask):
    """
    Whom a repository trusts from now on; what is null stays as it is.

    An empty issuer takes the trust away. `claims` replace those before.
    """

    issuer: str | None = None
    audience: str | None = None
    claims: Mapping[str, list[str]] | None = None

    def change(self) -> TrustChange:
        """As the engine takes it."""
        claims = None
        if self.claims is not None:
            claims = {name: tuple(values) for name, values in self.claims.items()}
        return TrustChange(issuer=self.issuer, audience=self.audience, claims=claims)


class TrustAnswer(Answer):
    """The OIDC issuer whose tokens are trusted; all is empty where it is none."""

    issuer: str
    audience: str
    claims: Mapping[str, list[str]]

    @classmethod
    def of(cls, trust: Trust) -> TrustAnswer:
        """The answer for a trust."""
        claims = {name: list(values) for name, values in trust.claims.items()}
        return cls(issuer=trust.issuer, audience=trust.audience, claims=claims)


class AddAsk(Ask):
    """
    The repository to connect; without a name it is taken from the URL, without a forge that is
    found out. `polling` true: without a webhook; null: where the forge cannot reach us. `oidc`
    for a sender that brings tokens in place of signatures; the forge `generic` takes them.
    """

    url: str
    name: str = ""
    forge: str = ""
    token: SecretStr = SecretStr("")
    polling: bool | None = None
    oidc: OidcAsk | None = None


class TokenAsk(Ask):
    """A token, and the address of the repository or the host that it is for."""

    url: str
    token: SecretStr


class MergeAsk(Ask):
    """How to merge; `expect_head` refuses when the head is another commit by now."""

    method: Literal["merge", "squash", "rebase"] = "merge"
    expect_head: str = ""


class StatusAnswer(Answer):
    """One result that stands on a commit."""

    context: str
    state: str
    description: str
    url: str


class PullRequestAnswer(Answer):
    """A pull request, with the reports that stand on it."""

    number: int
    title: str
    author: str
    base: str
    head: str
    head_sha: str
    state: str
    merge_sha: str
    approved_by: list[str]
    statuses: list[StatusAnswer]
    comment: str
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, pull: PullRequest) -> PullRequestAnswer:
        """The answer for a pull request."""
        return cls(
            number=pull.number,
            title=pull.title,
            author=pull.author,
            base=pull.base,
            head=pull.head,
            head_sha=pull.head_sha,
            state=str(pull.state),
            merge_sha=pull.merge_sha,
            approved_by=list(pull.approved_by),
            statuses=[
                StatusAnswer(
                    context=status.context,
                    state=str(status.state),
                    description=status.description,
                    url=status.url,
                )
                for status in pull.statuses
            ],
            comment=pull.comment,
            created_at=maybe_when(pull.created_at),
            updated_at=maybe_when(pull.updated_at),
        )
