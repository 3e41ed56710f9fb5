"""
Events, deliveries, refusals, and why something did or did not happen.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from windlass.core.errors import UserError
from windlass.ports.records import Delivery, Refusal
from windlass.ports.store import Tx
from windlass.web.api.asking import Actor, Before, Limit, Of, OneOf, With, fits
from windlass.web.api.models.events import (
    DeliveryAnswer,
    DeliveryDetail,
    EventAnswer,
    EventFull,
    ExplanationAnswer,
    RefusalAnswer,
    body_bytes,
)
from windlass.web.api.models.replay import ReplayAnswer, ReplayAsk, ReplaysAnswer
from windlass.web.api.models.shape import Listed
from windlass.web.guard import session_of
from windlass.web.views import events as view

router = APIRouter(tags=["events"])


@router.get("/events", operation_id="listEvents")
async def every(
    parts: With, repository: Of = "", before: Before = None, limit: Limit = 50
) -> Listed[EventAnswer]:
    """Events, newest first, each with how many of its listeners matched."""

    def work(tx: Tx) -> tuple[view.EventRow, ...]:
        fits(tx, repository)
        return view.list_events(tx, repository=repository, before=before, limit=limit)

    rows = await parts.store.read(work)
    return Listed(
        items=[EventAnswer.of(row) for row in rows],
        next=rows[-1].stored.number if len(rows) == limit else None,
    )


@router.get("/events/{number}", operation_id="showEvent")
async def show(number: int, parts: With) -> EventFull:
    """One event with its delivery, every verdict, and the runs it started."""
    return EventFull.full(await parts.store.read(lambda tx: view.show_event(tx, number)))


@router.post("/events/replay", operation_id="replayEvents", status_code=202)
async def replay(ask: ReplayAsk, parts: With, actor: Actor) -> ReplaysAnswer:
    """Have deliveries once more, oldest first and 500 at most, as new ones that name theirs."""
    if ask.dry_run:
        would = await parts.requests.to_replay(ask.wanted)
        items = [ReplayAnswer.would(one) for one in would.chosen]
        return ReplaysAnswer(items=items, left_out=would.left_out)
    done = await parts.requests.replay(ask.wanted, by=actor)
    items = [ReplayAnswer.of(one) for one in done.replayed]
    return ReplaysAnswer(items=items, left_out=done.left_out)


@router.get("/events/{number}/explain", operation_id="explainEvent")
async def explain(number: int, parts: With) -> ExplanationAnswer:
    """Why this event did, or did not, start something."""
    return ExplanationAnswer.of(await parts.requests.explain(number))


@router.get("/explain", operation_id="explainCommit")
async def explain_commit(
    parts: With,
    repository: OneOf,
    sha: Annotated[str, Query(max_length=64, description="The commit, by 7 digits or more.")] = "",
    pull_request: Annotated[int | None, Query(ge=1, le=2**62, description="Or its number.")] = None,
) -> ExplanationAnswer:
    """Why a commit or pull request did, or did not, start something; also without a webhook."""
    if (pull_request is None) is not bool(sha):
        raise UserError("give either sha or pull_request", code="bad-request")
    if pull_request is not None:
        found = await parts.requests.explain_pull_request(repository, pull_request)
    else:
        found = await parts.requests.explain_commit(repository, sha)
    return ExplanationAnswer.of(found)


@router.get("/deliveries", operation_id="listDeliveries")
async def deliveries(
    parts: With,
    repository: Of = "",
    state: Annotated[str, Query(description="Only in this state; commas between several.")] = "",
    limit: Limit = 50,
) -> Listed[DeliveryAnswer]:
    """Webhook requests that were accepted, newest first; `failed` ones could not be handled."""

    def work(tx: Tx) -> tuple[Delivery, ...]:
        fits(tx, repository, state, view.STATES)
        return view.list_deliveries(tx, repository=repository, state=state, limit=limit)

    found = await parts.store.read(work)
    return Listed(items=[DeliveryAnswer.of(record) for record in found])


@router.get("/deliveries/{identity}", operation_id="showDelivery")
async def delivery(identity: str, parts: With, request: Request) -> DeliveryDetail:
    """One webhook request: headers, body, and the events it meant."""
    found = await parts.store.read(lambda tx: view.show_delivery(tx, identity))
    return DeliveryDetail.full(found, signed_in=session_of(request.scope) is not None)


@router.get(
    "/deliveries/{identity}/body",
    operation_id="readDeliveryBody",
    response_class=Response,
    responses={
        200: {
            "description": "The body, byte by byte as it is kept.",
            "content": {"application/octet-stream": {}},
        }
    },
)
async def body(identity: str, parts: With) -> Response:
    """The whole body of one webhook request, as it came."""
    found = await parts.store.read(lambda tx: view.show_delivery(tx, identity))
    return Response(
        body_bytes(found.delivery),
        media_type="application/octet-stream",
        # Whatever a stranger wrote, no browser shows it as a page of ours.
        headers={"Content-Disposition": "attachment; filename=body.json"},
    )


@router.get("/refusals", operation_id="listRefusals")
async def refusals(parts: With, repository: Of = "", limit: Limit = 50) -> Listed[RefusalAnswer]:
    """Webhook requests that were not accepted, newest first."""

    def work(tx: Tx) -> tuple[Refusal, ...]:
        fits(tx, repository)
        return view.list_refusals(tx, repository=repository, limit=limit)

    found = await parts.store.read(work)
    return Listed(items=[RefusalAnswer.of(record) for record in found])
