"""
What every keeper of pull requests does.

Subclass `PullRequestsContract` and give it `pulls`, `url` and `propose`:

    class TestMine(PullRequestsContract):
        @pytest.fixture
        def propose(self):
            return lambda topic, files, base_files=None: number
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import pytest

from windlass.core.errors import Conflict, NotFound, UserError
from windlass.ports.forge import Merge, PullRequests, PullState


class Propose(Protocol):
    """Open a pull request of a topic, or update it."""

    def __call__(self, topic: str, files: Mapping[str, str], *, against: str = "") -> int:
        """Files -> content of its commit; `against` is what the base gets in `README` after."""


class PullRequestsContract:
    """Promises of the port `PullRequests`."""

    @pytest.fixture
    def pulls(self) -> PullRequests:
        """The forge under test."""
        raise NotImplementedError

    @pytest.fixture
    def url(self) -> str:
        """A repository with the branch `main`, and a file `README` in it."""
        raise NotImplementedError

    @pytest.fixture
    def propose(self) -> Propose:
        """How to open a pull request against `main`."""
        raise NotImplementedError

    @pytest.fixture
    def content(self) -> Callable[[], Mapping[str, str]]:
        """The files of `main` as they are now."""
        raise NotImplementedError

    def test_a_list_is_newest_first(self, pulls: PullRequests, url: str, propose: Propose) -> None:
        """Each pull request is in the list of its state, and in that of all."""

        async def numbers(state: str) -> list[int]:
            return [pull.number for pull in await pulls.list(url, state)]

        first, second = propose("one", {"a": "1"}), propose("two", {"b": "1"})
        assert first < second
        asyncio.run(pulls.close(url, first, "ada"))
        assert asyncio.run(numbers("open")) == [second]
        assert asyncio.run(numbers("closed")) == [first]
        assert asyncio.run(numbers("merged")) == []
        assert asyncio.run(numbers("all")) == [second, first]
        with pytest.raises(UserError):
            asyncio.run(pulls.list(url, "half"))

    def test_a_topic_pushed_again_is_the_same(
        self, pulls: PullRequests, url: str, propose: Propose
    ) -> None:
        """The head moves, the number stays; once closed, the topic opens another."""
        number = propose("one", {"a": "1"})
        before = asyncio.run(pulls.show(url, number)).head_sha
        assert propose("one", {"a": "2"}) == number
        assert asyncio.run(pulls.show(url, number)).head_sha != before
        asyncio.run(pulls.close(url, number, "ada"))
        assert propose("one", {"a": "3"}) != number

    def test_what_is_not_there_is_not_found(self, pulls: PullRequests, url: str) -> None:
        """A number that nobody has is told so."""
        for attempt in (
            pulls.show(url, 4711),
            pulls.approve(url, 4711, "ada"),
            pulls.close(url, 4711, "ada"),
            pulls.merge(url, 4711, Merge(method="merge", by="ada")),
        ):
            with pytest.raises(NotFound):
                asyncio.run(_done(attempt))

    def test_an_approval_is_of_one_head(
        self, pulls: PullRequests, url: str, propose: Propose
    ) -> None:
        """Twice is once, and what comes after it is not approved."""
        number = propose("one", {"a": "1"})
        for _ in range(2):
            assert asyncio.run(pulls.approve(url, number, "bob")).approved_by == ("bob",)
        propose("one", {"a": "2"})
        assert asyncio.run(pulls.show(url, number)).approved_by == ()

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    def test_merged_is_in_the_base(
        self,
        pulls: PullRequests,
        url: str,
        propose: Propose,
        content: Callable[[], Mapping[str, str]],
        method: str,
    ) -> None:
        """By each method the base has both sides then, and nobody merges or closes it again."""
        number = propose("one", {"a": "1"}, against="new\n")
        done = asyncio.run(pulls.merge(url, number, Merge(method=method, by="ada")))
        assert done.state is PullState.MERGED
        assert done.merge_sha
        assert content() == {"README": "new\n", "a": "1"}
        with pytest.raises(Conflict):
            asyncio.run(pulls.merge(url, number, Merge(method=method, by="ada")))
        with pytest.raises(Conflict):
            asyncio.run(pulls.close(url, number, "ada"))
        with pytest.raises(Conflict):
            asyncio.run(pulls.approve(url, number, "ada"))

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    def test_a_conflict_names_the_files(
        self,
        pulls: PullRequests,
        url: str,
        propose: Propose,
        content: Callable[[], Mapping[str, str]],
        method: str,
    ) -> None:
        """Both sides changed the same lines: nothing moves, and the file is named."""
        number = propose("one", {"README": "mine\n"}, against="theirs\n")
        with pytest.raises(Conflict, match="README"):
            asyncio.run(pulls.merge(url, number, Merge(method=method, by="ada")))
        assert asyncio.run(pulls.show(url, number)).state is PullState.OPEN
        assert content() == {"README": "theirs\n"}

    def test_only_what_was_seen_is_merged(
        self, pulls: PullRequests, url: str, propose: Propose
    ) -> None:
        """A head that has moved since it was looked at is not merged."""
        number = propose("one", {"a": "1"})
        seen = asyncio.run(pulls.show(url, number)).head_sha
        propose("one", {"a": "2"})
        with pytest.raises(Conflict):
            asyncio.run(pulls.merge(url, number, Merge(method="merge", by="ada", expect_head=seen)))

    def test_closed_twice_is_once(self, pulls: PullRequests, url: str, propose: Propose) -> None:
        """Closing again changes nothing; what is closed is not merged."""
        number = propose("one", {"a": "1"})
        first = asyncio.run(pulls.close(url, number, "ada"))
        assert first.state is PullState.CLOSED
        assert asyncio.run(pulls.close(url, number, "ada")) == first
        with pytest.raises(Conflict):
            asyncio.run(pulls.merge(url, number, Merge(method="merge", by="ada")))

    def test_a_strange_wish_is_refused(
        self, pulls: PullRequests, url: str, propose: Propose
    ) -> None:
        """An unknown method, or a person without a name, changes nothing."""
        number = propose("one", {"a": "1"})
        for method, by in (
            ("octopus", "ada"),
            ("merge", ""),
            ("merge", "a\nref x"),
            ("merge", "<>"),
        ):
            with pytest.raises(UserError):
                asyncio.run(pulls.merge(url, number, Merge(method=method, by=by)))
        assert asyncio.run(pulls.show(url, number)).state is PullState.OPEN


async def _done(attempt: Awaitable[object]) -> None:
    await attempt
