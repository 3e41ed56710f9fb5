"""
What every forge tells of a repository.

Subclass `SourceContract` and give it `source`, `world` and `pushed`:

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

from windlass.core.errors import WindlassError
from windlass.core.event import Event
from windlass.ports.forge import Permission, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A repository, the ids of a person who may write there and of one unknown, its branch."""

    url: str
    writer: str
    stranger: str
    default: str


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
    def pushed(self) -> Callable[[tuple[str, ...]], Event]:
        """Push a commit that changes these files; the event, without its list of files."""
        raise NotImplementedError

    def test_every_head_is_told(
        self, source: Source, world: World, filled: Callable[[int], Mapping[str, str]]
    ) -> None:
        """Branches, tags and open pull requests, each with its commit, none left out."""
        expected = dict(filled(250))
        assert dict(asyncio.run(source.heads(world.url))) == expected

    def test_changed_files_are_complete_or_unknown(
        self, source: Source, world: World, pushed: Callable[[tuple[str, ...]], Event]
    ) -> None:
        """Every file, however many and however named; or None, and Git itself is asked."""
        files = (*(f"many/{number:04}.txt" for number in range(400)), "with space", "ümläut")
        found = asyncio.run(source.changed(world.url, pushed(files)))
        assert found is None or sorted(found) == sorted(files)

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


async def _asked(question: Callable[[str], Awaitable[object]], url: str) -> None:
    await question(url)
