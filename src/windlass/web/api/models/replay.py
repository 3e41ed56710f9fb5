"""
Replays: what is wanted once more, and what came of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from windlass.engine.requests.replay import Chosen, Replay, Replayed
from windlass.web.api.models.shape import Answer, Ask, Listed, moment

Number = Annotated[int, Field(ge=1, le=2**62)]


class ReplayAsk(Ask):
    """
    What to replay: `events` and `deliveries` one by one, or all that the rest describes.

    The same `token`, made by who asks, makes the same wish one replay however often it is
    sent. `from` and `to` are events' numbers, `failed` are deliveries that could not be
    handled. Nothing is deployed without `allow_deploy`; with `dry_run` nothing is done.
    """

    token: str
    events: list[Number] = Field(default=[], max_length=500)
    deliveries: list[str] = Field(default=[], max_length=500)
    first: Number | None = Field(default=None, alias="from")
    last: Number | None = Field(default=None, alias="to")
    since: datetime | None = None
    failed: bool = False
    repository: str = ""
    allow_deploy: bool = False
    dry_run: bool = False

    @property
    def wanted(self) -> Replay:
        """The wish as the engine takes it."""
        return Replay(
            token=self.token,
            events=tuple(self.events),
            deliveries=tuple(self.deliveries),
            first=self.first or 0,
            last=self.last or 0,
            since=moment(self.since),
            failed=self.failed,
            repository=self.repository,
            deploys=self.allow_deploy,
        )


class ReplayAnswer(Answer):
    """
    One replay: the first original, and the new delivery; null when nothing was done.

    `event` is the original's first event; null when it never became one, and `events` are all
    of it. `fresh` is false when the same wish made this replay before.
    """

    original: str
    event: int | None
    events: list[int]
    repository: str
    delivery: str | None
    fresh: bool

    @classmethod
    def of(cls, one: Replayed) -> ReplayAnswer:
        """The answer for what was done."""
        would = cls.would(one.chosen)
        return would.model_copy(update={"delivery": one.delivery.id, "fresh": one.fresh})

    @classmethod
    def would(cls, one: Chosen) -> ReplayAnswer:
        """The answer for what would be done."""
        return cls(
            original=one.original.id,
            event=one.event or None,
            events=list(one.events),
            repository=one.original.repository,
            delivery=None,
            fresh=False,
        )


class ReplaysAnswer(Listed[ReplayAnswer]):
    """
    All replays of a wish, oldest first.

    `left_out` events of its range were asked for by a person: no webhook brought them.
    """

    left_out: int
