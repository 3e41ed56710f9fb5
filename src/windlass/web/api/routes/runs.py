"""
Runs and the logs of their jobs.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from windlass.core.run import State
from windlass.ports.records import StoredRun
from windlass.ports.store import Tx
from windlass.web.api.asking import Actor, Before, Limit, Of, With, fits
from windlass.web.api.models.runs import CancelAsk, RunAnswer, RunDetail
from windlass.web.api.models.shape import Listed
from windlass.web.stream import find_log, follow_log, log_part
from windlass.web.views.runs import list_runs, show_run

router = APIRouter(tags=["runs"])

LOG_CHUNK = 1 << 20


@router.get("/runs", operation_id="listRuns")
async def every(
    parts: With,
    repository: Of = "",
    state: Annotated[str, Query(description="Only in this state; commas between several.")] = "",
    before: Before = None,
    limit: Limit = 50,
) -> Listed[RunAnswer]:
    """Runs, newest first."""

    def work(tx: Tx) -> tuple[StoredRun, ...]:
        fits(tx, repository, state, tuple(State))
        return list_runs(tx, repository=repository, state=state, before=before, limit=limit)

    found = await parts.store.read(work)
    return Listed(
        items=[RunAnswer.of(stored) for stored in found],
        next=found[-1].number if len(found) == limit else None,
    )


@router.get("/runs/{number}", operation_id="showRun")
async def show(number: int, parts: With) -> RunDetail:
    """One run with its jobs and steps."""
    return RunDetail.of(await parts.store.read(lambda tx: show_run(tx, number)))


@router.post("/runs/{number}/cancel", operation_id="cancelRun")
async def cancel(number: int, parts: With, actor: Actor, ask: CancelAsk | None = None) -> RunDetail:
    """End a run; jobs that have not started never will."""
    reason = "" if ask is None else ask.reason
    return RunDetail.of(await parts.requests.cancel(number, by=actor, reason=reason))


@router.post("/runs/{number}/rerun", operation_id="rerunRun", status_code=202)
async def rerun(number: int, parts: With, actor: Actor) -> RunDetail:
    """Start a new run of the same event and listener."""
    return RunDetail.of(await parts.requests.rerun(number, by=actor))


@router.post("/runs/{number}/release", operation_id="releaseRun")
async def release(number: int, parts: With, actor: Actor) -> RunDetail:
    """Let a held run go."""
    return RunDetail.of(await parts.requests.release(number, by=actor))


@router.get(
    "/runs/{number}/jobs/{job:path}/log",
    operation_id="readLog",
    response_class=Response,
    responses={
        200: {
            "description": (
                "Whole lines, `MILLISECONDS STEP STREAM TEXT`; `Windlass-Next-Offset` is where "
                "the next read goes on. With `follow`: server-sent events, each a JSON string "
                "of whole lines whose id is the next offset, and `end` after the last."
            ),
            "content": {"text/plain": {}, "text/event-stream": {}},
            "headers": {"Windlass-Next-Offset": {"schema": {"type": "integer"}}},
        }
    },
)
async def log(  # noqa: PLR0913, PLR0917  # each is a parameter of the URL
    number: int,
    job: str,
    parts: With,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=8 << 20)] = LOG_CHUNK,
    attempt: Annotated[int | None, Query(ge=1, description="Which attempt; the last.")] = None,
    follow: Annotated[str | None, Query(description="Present: as it comes.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """The log of a job, in parts or as it comes."""
    found = await find_log(parts, number, job, attempt)
    if follow is None or follow in {"0", "false"}:
        return await log_part(parts, found, offset, limit)
    seen = last_event_id or ""
    resume = seen if seen.isdecimal() and len(seen) < 19 else None
    return follow_log(parts, found, offset if resume is None else int(resume))
