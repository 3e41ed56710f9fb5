"""
What every forge tells of a repository.

Subclass `SourceContract` and give it `source`, `world`, `filled`, `proposed` and `approved`:

    class TestMine(SourceContract):
        @pytest.fixture
        def world(self):
            return World(url=..., writer="42", stranger="43", default="main")
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from windlass.core.errors import NotFound, WindlassError
from windlass.ports.forge import Permission, PullRequest, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A repository, the ids of a person who may write there and of one unknown, its branch."""

    url: str
    writer: str
    stranger: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """
    An approval that somebody else than the author gave: of which pull request and which commit.

    `by` is the sender's id that the forge's dialect reads from a webhook of that person. `push`
    moves the head on, `back` takes the approval back, if the forge has such a thing.
    """

    number: int
    by: str
    sha: str
    push: Callable[[], object]
    back: Callable[[], object] | None = None


class SourceContract:
    """Promises of the port `Source`."""

    @pytest.fixture
    def source(self) -> Source:
        """The forge under test."""
        raise NotImplementedError

    @pytest.fixture
    def world(self) -> World:
        """A repository with people."""
        raise NotImplementedError

    @pytest.fixture
    def filled(self) -> Callable[[int], Mapping[str, str]]:
        """Make so many branches, a tag and an open pull request; all refs that there are then."""
        raise NotImplementedError

    @pytest.fixture
    def proposed(self) -> Callable[[], PullRequest]:
        """Open a pull request; what is to be told of it (its times and reports do not count)."""
        raise NotImplementedError

    @pytest.fixture
    def approved(self) -> Approved:
        """A pull request whose head one person approves, after it was pushed to again."""
        raise NotImplementedError

    def test_every_head_is_told(
        self, source: Source, world: World, filled: Callable[[int], Mapping[str, str]]
    ) -> None:
        """Branches, tags and open pull requests, each with its commit, none left out."""
        expected = dict(filled(250))
        assert dict(asyncio.run(source.heads(world.url))) == expected

    def test_a_pull_request_is_told(
        self, source: Source, world: World, proposed: Callable[[], PullRequest]
    ) -> None:
        """Its branches, its commit, its author's id, its state and who approves, as of now."""
        wanted = proposed()
        found = asyncio.run(source.pull(world.url, wanted.number))
        assert _facts(found) == _facts(wanted)

    def test_an_approval_is_whose_webhooks_say(
        self, source: Source, world: World, approved: Approved
    ) -> None:
        """It has the sender's id that webhooks tell, and the commit that was looked at."""
        pull = asyncio.run(source.pull(world.url, approved.number))
        assert pull.head_sha == approved.sha
        assert [(one.by, one.sha) for one in pull.approvals or ()] == [(approved.by, approved.sha)]

    def test_what_comes_after_an_approval_is_not_approved(
        self, source: Source, world: World, approved: Approved
    ) -> None:
        """The forge may keep an approval; it never is one of a commit that came later."""
        approved.push()
        pull = asyncio.run(source.pull(world.url, approved.number))
        assert pull.head_sha != approved.sha
        assert pull.approvals is not None
        assert {one.sha for one in pull.approvals} <= {approved.sha, ""}

    def test_an_approval_that_is_taken_back_is_gone(
        self, source: Source, world: World, approved: Approved
    ) -> None:
        """Then the forge tells of none, which is not the same as not to tell."""
        if approved.back is None:
            pytest.skip("this forge takes no approval back")
        approved.back()
        pull = asyncio.run(source.pull(world.url, approved.number))
        assert pull.approvals == ()

    def test_an_unknown_pull_request_is_named(self, source: Source, world: World) -> None:
        """There is no pull request with that number, and that is said."""
        with pytest.raises(NotFound):
            asyncio.run(source.pull(world.url, 99_999))

    def test_a_credential_is_for_https_and_kept_to_itself(
        self, source: Source, world: World
    ) -> None:
        """What Git needs, if it needs anything; it does not show itself."""
        login = asyncio.run(source.credential(world.url))
        assert login is None or login.password not in repr(login)

    def test_a_permission_belongs_to_an_id(self, source: Source, world: World) -> None:
        """Who may write, may; who is unknown, or no one, may not."""
        may = asyncio.run(source.permission(world.url, world.writer))
        assert may in {Permission.WRITE, Permission.ADMIN}
        for nobody in (world.stranger, "", "root@localhost", "\0", "Ada Lovelace"):
            assert asyncio.run(source.permission(world.url, nobody)) is Permission.NONE

    def test_the_default_branch_is_told(self, source: Source, world: World) -> None:
        """The branch whose configuration counts."""
        assert asyncio.run(source.default_branch(world.url)) == world.default

    def test_an_unknown_repository_is_an_error_of_ours(self, source: Source, world: World) -> None:
        """No library's exception comes out, and no empty answer."""
        for question in (source.heads, source.default_branch):
            with pytest.raises(WindlassError):
                asyncio.run(_asked(question, f"{world.url}-unknown"))


def _facts(pull: PullRequest) -> dict[str, object]:
    """What decisions are made on."""
    names = ("number", "title", "author", "author_id", "base", "head", "head_sha", "state")
    more = ("merge_sha", "fork", "draft", "labels", "approved_by")
    return {name: getattr(pull, name) for name in (*names, *more)}


async def _asked(question: Callable[[str], Awaitable[object]], url: str) -> None:
    await question(url)
