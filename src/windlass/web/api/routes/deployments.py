"""
Builds, the board, and everything that changes what runs where.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from windlass.engine.deployments import OPEN, OVER
from windlass.ports.records import Build, Deployment
from windlass.ports.store import Tx
from windlass.web.api.asking import Actor, Before, Limit, Of, OneOf, With, fits
from windlass.web.api.models.deployments import (
    BoardAnswer,
    BuildAnswer,
    BuildDetail,
    DeployAsk,
    DeploymentAnswer,
    PlaceAnswer,
    RejectAsk,
    RollbackAsk,
)
from windlass.web.api.models.runs import RunDetail
from windlass.web.api.models.shape import Listed
from windlass.web.views.board import show_board, show_deployment
from windlass.web.views.deployments import Filter, list_deployments
from windlass.web.views.runs import list_builds, show_build

router = APIRouter(tags=["deployments"])


@router.get("/builds", operation_id="listBuilds")
async def builds(
    parts: With, repository: Of = "", service: str = "", limit: Limit = 50
) -> Listed[BuildAnswer]:
    """Builds, newest first."""

    def work(tx: Tx) -> tuple[Build, ...]:
        fits(tx, repository)
        return list_builds(tx, repository=repository, service=service, limit=limit)

    found = await parts.store.read(work)
    return Listed(items=[BuildAnswer.of(record) for record in found])


@router.get("/builds/{name:path}", operation_id="showBuild")
async def build(name: str, parts: With) -> BuildDetail:
    """One build, by its identity or digest, with its provenance."""
    return BuildDetail.of(await parts.store.read(lambda tx: show_build(tx, name)))


@router.get("/environments", operation_id="showBoard")
async def board(parts: With) -> BoardAnswer:
    """What runs where: services by environments."""
    return BoardAnswer.of(await parts.store.read(show_board))


@router.get("/deployments", operation_id="listDeployments")
async def deployments(  # noqa: PLR0913, PLR0917  # each is a parameter of the URL
    parts: With,
    repository: Of = "",
    environment: str = "",
    service: str = "",
    state: Annotated[str, Query(description="Only in this state; commas between several.")] = "",
    run: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Listed[DeploymentAnswer]:
    """Deployments, newest first."""
    wanted = Filter(
        repository=repository, environment=environment, service=service, state=state, run=run
    )

    def work(tx: Tx) -> tuple[Deployment, ...]:
        fits(tx, repository, state, (*OPEN, *OVER))
        return list_deployments(tx, wanted, before=before, limit=limit)

    found = await parts.store.read(work)
    return Listed(
        items=[DeploymentAnswer.of(record) for record in found],
        next=found[-1].number if len(found) == limit else None,
    )


@router.get("/deployments/{number}", operation_id="showDeployment")
async def deployment(number: int, parts: With) -> DeploymentAnswer:
    """One deployment."""
    return DeploymentAnswer.of(await parts.store.read(lambda tx: show_deployment(tx, number)))


@router.post("/deployments", operation_id="deploy", status_code=202)
async def deploy(ask: DeployAsk, parts: With, actor: Actor) -> RunDetail:
    """Deploy a build; the answer is the run that does it."""
    return RunDetail.of(
        await parts.requests.deploy(
            ask.repository,
            ask.service,
            ask.environment,
            ref=ask.ref,
            digest=ask.digest,
            by=actor,
            why=ask.why,
        )
    )


@router.post("/rollbacks", operation_id="rollback", status_code=202)
async def rollback(ask: RollbackAsk, parts: With, actor: Actor) -> RunDetail:
    """Go back to a stored build, without building, and pin the place until `unpin`."""
    return RunDetail.of(
        await parts.requests.rollback(
            ask.repository,
            ask.service,
            ask.environment,
            digest=ask.digest,
            by=actor,
            why=ask.why,
        )
    )


@router.delete("/pins", operation_id="unpin")
async def unpin(
    parts: With,
    actor: Actor,
    repository: OneOf,
    service: Annotated[str, Query(min_length=1)],
    environment: Annotated[str, Query(min_length=1)],
) -> PlaceAnswer:
    """Let a place that a rollback pinned follow its listeners again."""
    return PlaceAnswer.of(await parts.requests.unpin(repository, service, environment, by=actor))


@router.post("/deployments/{number}/approve", operation_id="approveDeployment")
async def approve(number: int, parts: With, actor: Actor) -> DeploymentAnswer:
    """Consent, bound to this commit and digest."""
    return DeploymentAnswer.of(await parts.requests.approve(number, by=actor))


@router.post("/deployments/{number}/reject", operation_id="rejectDeployment")
async def reject(
    number: int, parts: With, actor: Actor, ask: RejectAsk | None = None
) -> DeploymentAnswer:
    """Say no: it ends as rejected."""
    why = "" if ask is None else ask.why
    return DeploymentAnswer.of(await parts.requests.reject(number, by=actor, why=why))
