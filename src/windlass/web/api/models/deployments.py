"""
Builds, deployments, places and the board.
"""

from __future__ import annotations

from datetime import datetime

from windlass.ports.records import Build, Deployment, Place
from windlass.web.api.models.shape import Answer, Ask, maybe_when, when
from windlass.web.views.board import Board


class BuildAnswer(Answer):
    """A build: made once, and every commit it stands for."""

    identity: str
    digest: str
    repository: str
    service: str
    tree: str
    recipe: str
    size: int
    run: int
    job: str
    trusted: bool
    created_at: datetime
    commits: list[str]

    @classmethod
    def of(cls, record: Build) -> BuildAnswer:
        """The answer for a record."""
        return cls(
            identity=record.identity,
            digest=record.digest,
            repository=record.repository,
            service=record.service,
            tree=record.tree,
            recipe=record.recipe,
            size=record.size,
            run=record.run,
            job=record.job,
            trusted=record.trusted,
            created_at=when(record.created_at),
            commits=list(record.commits),
        )


class BuildDetail(BuildAnswer):
    """A build with its provenance statement (in-toto, as JSON text)."""

    provenance: str

    @classmethod
    def of(cls, record: Build) -> BuildDetail:
        """The answer for a record."""
        return cls(**BuildAnswer.of(record).model_dump(), provenance=record.provenance)


class DeploymentAnswer(Answer):
    """The attempt to make a place equal to its desired state; `approvals` of `needed`."""

    number: int
    repository: str
    environment: str
    service: str
    kind: str
    state: str
    reason: str
    digest: str
    sha: str
    branch: str
    run: int
    job: str
    by: str
    why: str
    approvals: list[str]
    needed: int
    state_commit: str
    requested_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, record: Deployment) -> DeploymentAnswer:
        """The answer for a record."""
        return cls(
            number=record.number,
            repository=record.repository,
            environment=record.environment,
            service=record.service,
            kind=record.kind,
            state=record.state,
            reason=record.reason,
            digest=record.digest,
            sha=record.sha,
            branch=record.branch,
            run=record.run,
            job=record.job,
            by=record.by,
            why=record.why,
            approvals=list(record.approvals),
            needed=record.needed,
            state_commit=record.state_commit,
            requested_at=when(record.requested_at),
            ended_at=maybe_when(record.ended_at),
        )


class PlaceAnswer(Answer):
    """One (repository, environment, service): what it should run, and what it does."""

    repository: str
    environment: str
    service: str
    status: str
    detail: str
    digest: str
    observed: str
    sha: str
    deployment: int | None
    state_commit: str
    pinned: str
    url: str
    healthy_since: datetime | None
    checked_at: datetime | None

    @classmethod
    def of(cls, record: Place) -> PlaceAnswer:
        """The answer for a record."""
        return cls(
            repository=record.repository,
            environment=record.environment,
            service=record.service,
            status=record.status,
            detail=record.detail,
            digest=record.digest,
            observed=record.observed,
            sha=record.sha,
            deployment=record.deployment or None,
            state_commit=record.state_commit,
            pinned=record.pinned,
            url=record.url,
            healthy_since=maybe_when(record.healthy_since),
            checked_at=maybe_when(record.checked_at),
        )


class CellAnswer(Answer):
    """One field of the board: the place, what runs there, and what waits to."""

    place: PlaceAnswer
    deployment: DeploymentAnswer | None
    waiting: list[DeploymentAnswer]


class RowAnswer(Answer):
    """One service of one repository, and its places by environment."""

    repository: str
    service: str
    cells: dict[str, CellAnswer]


class BoardAnswer(Answer):
    """Services by environments; environments from the first to the last on the way out."""

    environments: list[str]
    rows: list[RowAnswer]

    @classmethod
    def of(cls, board: Board) -> BoardAnswer:
        """The answer for a board."""
        return cls(
            environments=list(board.environments),
            rows=[
                RowAnswer(
                    repository=row.repository,
                    service=row.service,
                    cells={
                        name: CellAnswer(
                            place=PlaceAnswer.of(cell.place),
                            deployment=None
                            if cell.deployment is None
                            else DeploymentAnswer.of(cell.deployment),
                            waiting=[DeploymentAnswer.of(each) for each in cell.waiting],
                        )
                        for name, cell in row.cells.items()
                    },
                )
                for row in board.rows
            ],
        )


class DeployAsk(Ask):
    """What to deploy: a digest, or the build of a branch, tag or commit (`ref`)."""

    repository: str
    service: str
    environment: str
    ref: str = ""
    digest: str = ""
    why: str = ""


class RollbackAsk(Ask):
    """Where to go back; without a digest, to what ran there before."""

    repository: str
    service: str
    environment: str
    digest: str = ""
    why: str = ""


class RejectAsk(Ask):
    """Why a deployment shall not go on."""

    why: str = ""
