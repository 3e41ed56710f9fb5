"""
Everything that a person may ask, in one object for API and pages.
"""

from __future__ import annotations

from windlass.engine.doctor import Finding, examine
from windlass.engine.explain import (
    Explanation,
    explain,
    explain_commit,
    explain_pull_request,
)
from windlass.engine.requests.deployments import DeploymentRequests
from windlass.engine.requests.listeners import ListenerRequests
from windlass.engine.requests.pulls import PullRequestRequests
from windlass.engine.requests.replay import ReplayRequests
from windlass.engine.requests.repositories import RepositoryRequests
from windlass.engine.requests.runs import RunRequests
from windlass.engine.requests.shadow import ShadowRequests
from windlass.engine.requests.trust import TrustRequests
from windlass.engine.world import Left


class Requests(
    RepositoryRequests,
    PullRequestRequests,
    RunRequests,
    DeploymentRequests,
    ReplayRequests,
    ListenerRequests,
    ShadowRequests,
    TrustRequests,
):
    """All requests. Each raises a `UserError` that says what to do instead, or `Transient`."""

    async def examine(self) -> tuple[Finding, ...]:
        """Is everything in order around this server?"""
        return await examine(self._world)

    def circuits(self) -> tuple[Left, ...]:
        """The code hosts that are left alone just now, by address."""
        return tuple(sorted(self._world.outlook.circuits(), key=lambda one: one.origin))

    async def explain(self, event: int) -> Explanation:
        """Why did, or did not, this event start something?"""
        return await explain(self._world, event)

    async def explain_commit(self, repository: str, sha: str) -> Explanation:
        """Why did nothing happen for this commit? Also when no delivery ever came."""
        return await explain_commit(self._world, repository, sha)

    async def explain_pull_request(self, repository: str, number: int) -> Explanation:
        """The same for a pull request."""
        return await explain_pull_request(self._world, repository, number)
