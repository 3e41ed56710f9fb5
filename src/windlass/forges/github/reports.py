"""
What Windlass tells GitHub: `Reports`. An App makes check runs, everybody else commit statuses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from windlass.core.errors import UserError
from windlass.forges.github import checks, deployments, statuses
from windlass.forges.github.access import CHECKS, COMMENTS, DEPLOYMENTS, STATUSES, Access, Asked
from windlass.forges.github.comments import Comments
from windlass.forges.http.api import report
from windlass.ports.forge import Status


class GitHubReports:
    """`Reports` of GitHub."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._comments = Comments()

    async def status(self, url: str, status: Status) -> None:
        """Set the result of (commit, context); twice is once."""
        async with self._reporting(url, f"{STATUSES}, or for an App {CHECKS}") as asked:
            await (statuses if asked.app is None else checks).put(asked, status)

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body` (Markdown)."""
        async with self._reporting(url, COMMENTS) as asked:
            await self._comments.put(asked, number, body)

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Tell how the deployment of this commit to the environment stands; twice is once."""
        async with self._reporting(url, DEPLOYMENTS) as asked:
            await deployments.put(asked, status, environment)

    @asynccontextmanager
    async def _reporting(self, url: str, right: str) -> AsyncIterator[Asked]:
        try:
            async with self._access.ask(url, right) as asked:
                yield asked
        except UserError as error:
            raise report(error) from error
