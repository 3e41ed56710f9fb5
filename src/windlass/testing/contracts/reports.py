"""
What every forge does with our results.

Subclass `ReportsContract` and give it `reports`, `place` and `seen`, and `busy`
when the forge can ask us to come back later:

    class TestMine(ReportsContract):
        @pytest.fixture
        def seen(self):
            return lambda: Seen(statuses={("ci", sha): status}, comments=["text"])
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import pytest

from windlass.core.errors import Permanent, Transient
from windlass.ports.forge import Reports, Status, StatusState


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository with a commit and an open pull request of that commit."""

    url: str
    sha: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands on the forge: the status of each context, and our comments."""

    statuses: Mapping[str, Status]
    comments: tuple[str, ...]


class ReportsContract:
    """Promises of the port `Reports`."""

    @pytest.fixture
    def reports(self) -> Reports:
        """The forge under test."""
        raise NotImplementedError

    @pytest.fixture
    def place(self) -> Place:
        """Where to report."""
        raise NotImplementedError

    @pytest.fixture
    def seen(self) -> Callable[[], Seen]:
        """Look at the commit and the pull request of `place` as a person would."""
        raise NotImplementedError

    @pytest.fixture
    def busy(self) -> Callable[[float], None]:
        """Make the forge ask for a pause of so many seconds once."""
        pytest.skip("this forge never asks for a pause")

    def test_a_status_told_twice_is_once(
        self, reports: Reports, place: Place, seen: Callable[[], Seen]
    ) -> None:
        """Repeating a status leaves one, and each context keeps its own."""
        one = Status(sha=place.sha, context="windlass/ci", state=StatusState.PENDING)
        other = Status(
            sha=place.sha,
            context="windlass/cd",
            state=StatusState.FAILURE,
            description="it broke",
            url="http://127.0.0.1/runs/1",
        )
        _all(reports.status(place.url, status) for status in (one, one, other, other))
        assert seen().statuses == {"windlass/ci": one, "windlass/cd": other}

    def test_the_last_status_counts(
        self, reports: Reports, place: Place, seen: Callable[[], Seen]
    ) -> None:
        """A status can go every way, and the last one told is the one that stands."""
        for state in StatusState:
            status = Status(sha=place.sha, context="windlass/ci", state=state)
            _all([reports.status(place.url, status)])
            assert seen().statuses["windlass/ci"].state is state

    def test_there_is_one_comment(
        self, reports: Reports, place: Place, seen: Callable[[], Seen]
    ) -> None:
        """However often it is told, there is one comment, and it says the last."""
        texts = ("first", "first", "**second** `x` <b>\n| a |")
        _all(reports.comment(place.url, place.number, text) for text in texts)
        assert seen().comments == (texts[-1],)

    def test_a_deployment_told_twice_does_no_harm(self, reports: Reports, place: Place) -> None:
        """A deployment can be told again."""
        status = Status(sha=place.sha, context="dev", state=StatusState.SUCCESS)
        _all(reports.deployment(place.url, status, "dev") for _ in range(2))

    def test_what_is_not_there_is_permanent(self, reports: Reports, place: Place) -> None:
        """An unknown repository, commit or pull request will not appear by another try."""
        status = Status(sha=place.sha, context="windlass/ci", state=StatusState.SUCCESS)
        for attempt in (
            reports.status(f"{place.url}-unknown", status),
            reports.comment(f"{place.url}-unknown", place.number, "text"),
            reports.status(place.url, replace(status, sha="f" * 40)),
            reports.comment(place.url, 4711, "text"),
        ):
            with pytest.raises(Permanent):
                _all([attempt])

    def test_a_pause_is_transient(
        self, reports: Reports, place: Place, busy: Callable[[float], None]
    ) -> None:
        """A forge that asks for a pause is asked again after it, not before."""
        status = Status(sha=place.sha, context="windlass/ci", state=StatusState.SUCCESS)
        busy(17.0)
        with pytest.raises(Transient) as caught:
            _all([reports.status(place.url, status)])
        assert caught.value.retry_after == 17.0
        _all([reports.status(place.url, status)])


def _all(attempts: Iterable[Awaitable[None]]) -> None:
    async def walk() -> None:
        for attempt in attempts:
            await attempt

    asyncio.run(walk())
