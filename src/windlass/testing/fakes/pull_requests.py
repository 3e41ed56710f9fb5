"""
Pull requests in memory. A branch is its files, and two changes of one file conflict.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from windlass.core.errors import Conflict, NotFound, UserError
from windlass.ports.forge import Merge, PullRequest, PullState


@dataclass(slots=True)
class FakePullRequests:
    """
    One repository's pull requests; `main` holds the files of the branch `main`.

    `told` has what a forge would send webhooks about: number and action.
    """

    main: dict[str, str] = field(default_factory=lambda: {"README": "old\n"})
    told: list[tuple[int, str]] = field(default_factory=list)
    kept: dict[int, PullRequest] = field(default_factory=dict)
    sides: dict[int, tuple[Mapping[str, str], Mapping[str, str]]] = field(default_factory=dict)

    def propose(self, topic: str, files: Mapping[str, str]) -> int:
        """Open the topic's pull request with these files changed, or update it; its number."""
        mine = [one.number for one in self.kept.values() if one.head == topic and _open(one)]
        number = mine[0] if mine else len(self.kept) + 1
        sha = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()  # noqa: S324 - an id
        if mine:
            self.kept[number] = replace(self.kept[number], head_sha=sha, approved_by=())
        else:
            self.kept[number] = PullRequest(
                number=number,
                title=topic,
                author="ada",
                base="main",
                head=topic,
                head_sha=sha,
                state=PullState.OPEN,
            )
        self.sides[number] = (dict(self.main), {**self.main, **files})
        self.told.append((number, "updated" if mine else "opened"))
        return number

    async def list(self, url: str, state: str) -> tuple[PullRequest, ...]:
        """Those in this state, newest first."""
        if state not in {"all", *PullState}:
            raise UserError(f"no such state: {state}")
        await asyncio.sleep(0)
        found = [one for one in self.kept.values() if state in {"all", one.state}]
        return tuple(reversed(found))

    async def show(self, url: str, number: int) -> PullRequest:
        """One of them."""
        await asyncio.sleep(0)
        if number not in self.kept:
            raise NotFound(f"there is no pull request {number}")
        return self.kept[number]

    async def approve(self, url: str, number: int, by: str) -> PullRequest:
        """Add who approves."""
        pull = _still_open(await self.show(url, number))
        if by in pull.approved_by:
            return pull
        return self._put(replace(pull, approved_by=(*pull.approved_by, by)), "approved")

    async def merge(self, url: str, number: int, how: Merge) -> PullRequest:
        """Put its changes into `main`, unless both changed one file."""
        pull = await self.show(url, number)
        if how.method not in {"merge", "squash", "rebase"} or not how.by.isidentifier():
            raise UserError(f"{how.by!r} cannot {how.method}")
        _still_open(pull)
        if how.expect_head not in {"", pull.head_sha}:
            raise Conflict("its head has moved")
        before, after = self.sides[number]
        mine = {name: text for name, text in after.items() if before.get(name) != text}
        torn = [name for name in mine if self.main.get(name) not in {before.get(name), mine[name]}]
        if torn:
            raise Conflict(f"cannot be merged: conflict in {', '.join(torn)}")
        self.main |= mine
        return self._put(replace(pull, state=PullState.MERGED, merge_sha="e" * 40), "merged")

    async def close(self, url: str, number: int, by: str) -> PullRequest:
        """Close it unmerged."""
        pull = await self.show(url, number)
        if pull.state is PullState.CLOSED:
            return pull
        return self._put(replace(_still_open(pull), state=PullState.CLOSED), "closed")

    def _put(self, pull: PullRequest, action: str) -> PullRequest:
        self.kept[pull.number] = pull
        self.told.append((pull.number, action))
        return pull


def _open(pull: PullRequest) -> bool:
    return pull.state is PullState.OPEN


def _still_open(pull: PullRequest) -> PullRequest:
    if not _open(pull):
        raise Conflict(f"pull request {pull.number} is {pull.state} already")
    return pull
