"""
Pull requests of a forge without a face of its own.
"""

from __future__ import annotations

from windlass.core.errors import UserError
from windlass.engine.audit import audit
from windlass.engine.requests.asked import Asked
from windlass.ports.forge import Merge, PullRequest, PullRequests
from windlass.ports.records import Repository


class PullRequestRequests(Asked):
    """List, show, approve, merge and close."""

    async def pull_requests(self, repository: str, state: str = "open") -> tuple[PullRequest, ...]:
        """Pull requests in this state, newest first."""
        found, port = await self._pulls(repository)
        return await port.list(found.url, state)

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        """One of them, with the statuses and the comment that stand on it."""
        found, port = await self._pulls(repository)
        return await port.show(found.url, number)

    async def approve_pull_request(self, repository: str, number: int, *, by: str) -> PullRequest:
        """A review that approves its present head."""
        found, port = await self._pulls(repository)
        after = await port.approve(found.url, number, by)
        await self._said(by, "approve", f"{repository}#{number}", after.head_sha)
        return after

    async def merge_pull_request(self, repository: str, number: int, how: Merge) -> PullRequest:
        """Merge it as a forge would."""
        found, port = await self._pulls(repository)
        after = await port.merge(found.url, number, how)
        await self._said(how.by, f"merge ({how.method})", f"{repository}#{number}", after.merge_sha)
        return after

    async def close_pull_request(self, repository: str, number: int, *, by: str) -> PullRequest:
        """Close it unmerged."""
        found, port = await self._pulls(repository)
        after = await port.close(found.url, number, by)
        await self._said(by, "close", f"{repository}#{number}", after.head_sha)
        return after

    async def _pulls(self, name: str) -> tuple[Repository, PullRequests]:
        found = await self._repository(name)
        port = self._forge(found).pull_requests
        if port is None:
            raise UserError(
                f"pull requests of {name} are handled on its forge ({found.forge})",
                hint=f"open {found.url}",
            )
        return found, port

    async def _said(self, by: str, what: str, subject: str, detail: str) -> None:
        now = self._now()
        await self._world.store.transaction(lambda tx: audit(tx, by, what, subject, now, detail))
