"""
Listeners of a repository, and having a manual one run.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from windlass.core.errors import UserError
from windlass.engine.requests.asked import disconnected
from windlass.web.api.asking import Actor, With
from windlass.web.api.models.listeners import AskedAnswer, ListenerAnswer, ManualAsk
from windlass.web.api.models.shape import Listed
from windlass.web.views.listeners import show_listeners

router = APIRouter(tags=["listeners"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Made by who asks: the same wish with the same key is one event.",
    ),
]


@router.get("/repositories/{name:path}/listeners", operation_id="listListeners")
async def every(name: str, parts: With) -> Listed[ListenerAnswer]:
    """The listeners of the default branch, in the order they were written."""
    seen = await parts.store.read(lambda tx: show_listeners(tx, name))
    found = await parts.requests.listeners(name)
    if not found.repository.active:
        raise disconnected(found.repository)
    if found.problem:
        raise UserError(found.problem, hint=f"windlass repo check {name}")
    return Listed(
        items=[
            ListenerAnswer.of(one, found.environments, seen.of(one.name)) for one in found.listeners
        ]
    )


@router.post("/repositories/{name:path}/manual", operation_id="runListener", status_code=202)
async def run(name: str, ask: ManualAsk, parts: With, actor: Actor, key: Key = "") -> AskedAnswer:
    """Have a manual listener run; it is judged and deploys like on any other event."""
    wanted = ask.wanted(name, key)
    return AskedAnswer.of(await parts.requests.run_listener(wanted, by=actor))
