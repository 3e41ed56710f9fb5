"""
Shadow: a configuration that is tried, and what it would have done.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from windlass.core.shadow import Kind
from windlass.engine.shadow import Found, Shadow, summary
from windlass.engine.wording import title
from windlass.web.api.models.shape import Answer, Ask, when


class ShadowAsk(Ask):
    """
    A configuration, file by file: `.windlass.yaml`, or those of `.windlass/`, by path.

    Without a `repository` it is the only one; without `since` it is 14 days ago.
    """

    files: dict[str, str] = Field(max_length=200)
    repository: str = ""
    since: datetime | None = None


class DifferenceAnswer(Answer):
    """
    One listener that would answer one event otherwise; `path` is the event's page.

    `before` is what it started, `after` what it would start; empty where that is nothing.
    """

    listener: str
    event: int
    title: str
    at: datetime
    path: str
    before: str
    after: str

    @classmethod
    def of(cls, one: Found) -> DifferenceAnswer:
        """The answer for a difference."""
        stored = one.event
        return cls(
            listener=one.difference.listener,
            event=stored.number,
            title=title(stored.event),
            at=when(stored.at),
            path=f"/events/{stored.number}",
            before=one.difference.before,
            after=one.difference.after,
        )


class DifferencesAnswer(Answer):
    """Differences of one kind: at how many events, by listener, and the first of them."""

    events: int
    listeners: dict[str, int]
    items: list[DifferenceAnswer]

    @classmethod
    def of(cls, done: Shadow, kind: Kind) -> DifferencesAnswer:
        """The answer for one kind."""
        return cls(
            events=done.events[kind],
            listeners=dict(done.listeners[kind]),
            items=[DifferenceAnswer.of(one) for one in done.found[kind]],
        )


class ShadowAnswer(Answer):
    """
    What recorded events would start now, no longer, or otherwise; newest first, 500 of each.

    `unknown` events cannot be judged any more; `cut` says why older ones were left out.
    """

    repository: str
    since: datetime
    summary: str
    compared: int
    unchanged: int
    unknown: int
    cut: str
    starts: DifferencesAnswer
    stops: DifferencesAnswer
    changes: DifferencesAnswer

    @classmethod
    def of(cls, done: Shadow) -> ShadowAnswer:
        """The answer for all of it."""
        return cls(
            repository=done.repository,
            since=when(done.since),
            summary=summary(done),
            compared=done.compared,
            unchanged=done.unchanged,
            unknown=done.unknown,
            cut=done.cut,
            starts=DifferencesAnswer.of(done, Kind.STARTS),
            stops=DifferencesAnswer.of(done, Kind.STOPS),
            changes=DifferencesAnswer.of(done, Kind.CHANGES),
        )
