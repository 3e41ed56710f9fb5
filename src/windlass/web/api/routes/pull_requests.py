"""
Pull requests of plain Git, which has no face of its own.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from windlass.ports.forge import Merge
from windlass.web.api.asking import Actor, OneOf, With
from windlass.web.api.models.repositories import MergeAsk, PullRequestAnswer
from windlass.web.api.models.shape import Listed

router = APIRouter(tags=["pull requests"])

PullStates = Literal["open", "merged", "closed", "all"]


@router.get("/pull-requests", operation_id="listPullRequests")
async def every(
    parts: With, repository: OneOf, state: PullStates = "open"
) -> Listed[PullRequestAnswer]:
    """Pull requests in this state, newest first."""
    found = await parts.requests.pull_requests(repository, state)
    return Listed(items=[PullRequestAnswer.of(pull) for pull in found])


@router.get("/pull-requests/{number}", operation_id="showPullRequest")
async def show(number: int, parts: With, repository: OneOf) -> PullRequestAnswer:
    """One pull request, with the reports that stand on it."""
    return PullRequestAnswer.of(await parts.requests.pull_request(repository, number))


@router.post("/pull-requests/{number}/approve", operation_id="approvePullRequest")
async def approve(number: int, parts: With, actor: Actor, repository: OneOf) -> PullRequestAnswer:
    """Approve its present head."""
    return PullRequestAnswer.of(
        await parts.requests.approve_pull_request(repository, number, by=actor)
    )


@router.post("/pull-requests/{number}/merge", operation_id="mergePullRequest")
async def merge(
    number: int, ask: MergeAsk, parts: With, actor: Actor, repository: OneOf
) -> PullRequestAnswer:
    """Merge it as a forge would."""
    how = Merge(method=ask.method, by=actor, expect_head=ask.expect_head)
    return PullRequestAnswer.of(await parts.requests.merge_pull_request(repository, number, how))


@router.post("/pull-requests/{number}/close", operation_id="closePullRequest")
async def close(number: int, parts: With, actor: Actor, repository: OneOf) -> PullRequestAnswer:
    """Close it unmerged."""
    return PullRequestAnswer.of(
        await parts.requests.close_pull_request(repository, number, by=actor)
    )
