"""
Listeners, tried before they count.
"""

from __future__ import annotations

from fastapi import APIRouter

from windlass.web.api.asking import Actor, With
from windlass.web.api.models.shadow import ShadowAnswer, ShadowAsk
from windlass.web.api.models.shape import moment

router = APIRouter(tags=["listeners"])


@router.post("/listeners/shadow", operation_id="shadowListeners")
async def shadow(ask: ShadowAsk, parts: With, _actor: Actor) -> ShadowAnswer:
    """What a configuration would have done of late; nothing is written, nothing starts."""
    files = {name: text.encode("utf-8", "replace") for name, text in ask.files.items()}
    since = moment(ask.since)
    done = await parts.requests.shadow(files, repository=ask.repository, since=since)
    return ShadowAnswer.of(done)
