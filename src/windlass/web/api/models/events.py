"""
Deliveries, refusals, events, verdicts and explanations.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from windlass.core.nearest import near
from windlass.ports.records import ChatCommand, Delivery, Refusal, StoredVerdict
from windlass.web.api.models.runs import RunAnswer
from windlass.web.api.models.shape import Answer, when
from windlass.web.views.events import DeliveryView, EventDetail, EventRow

if TYPE_CHECKING:
    from windlass.engine.explain import Explanation

BODY_SHOWN = 4 << 20


def body_text(delivery: Delivery) -> str:
    """The body of a delivery as text, cut at 4 MiB; bytes that are no UTF-8 are replaced."""
    try:
        body = zlib.decompressobj().decompress(delivery.body, BODY_SHOWN)
    except zlib.error:
        return ""
    return body.decode("utf-8", "replace")


def body_bytes(delivery: Delivery) -> bytes:
    """The whole body of a delivery; empty when none came."""
    try:
        return zlib.decompress(delivery.body)
    except zlib.error:
        return b""


class DeliveryAnswer(Answer):
    """
    One trusted webhook request.

    `source` is `webhook`, `recovered` or `schedule` when we made it, `asked` when a person had
    a listener run, `replay` when it repeats the delivery `origin`, which deploys only when
    `deploys`. A `failed` one is parked. `took_ms` is how long the request took until it was
    stored, null where there was none.
    """

    id: str
    key: str
    repository: str
    received_at: datetime
    source: str
    state: str
    reason: str
    digest: str
    attempts: int
    origin: str | None
    deploys: bool
    took_ms: float | None

    @classmethod
    def of(cls, record: Delivery) -> DeliveryAnswer:
        """The answer for a record."""
        return cls(
            id=record.id,
            key=record.delivery_key,
            repository=record.repository,
            received_at=when(record.received_at),
            source=record.source,
            state=record.state,
            reason=record.reason,
            digest=record.digest,
            attempts=record.tries,
            origin=record.origin or None,
            deploys=record.deploys,
            took_ms=record.took or None,
        )


class DeliveryDetail(DeliveryAnswer):
    """
    A delivery with what it carried and what it meant.

    `headers` are those that are kept: none that proves who sent it. `hook` is the path that
    took it, told to those who are signed in; empty also where no request came.
    """

    headers: dict[str, str]
    body: str
    events: list[int]
    forge: str
    hook: str
    replays: list[str]

    @classmethod
    def full(cls, found: DeliveryView, *, signed_in: bool) -> DeliveryDetail:
        """The answer for a record and what belongs to it."""
        record, repository = found.delivery, found.repository
        came = record.source in {"webhook", "replay"} and repository is not None
        return cls(
            **DeliveryAnswer.of(record).model_dump(),
            headers=dict(record.headers),
            body=body_text(record),
            events=[event.number for event in found.events],
            forge=repository.forge if repository else "",
            hook=f"/hooks/{record.endpoint}" if came and signed_in else "",
            replays=[one.id for one in found.replays],
        )


class RefusalAnswer(Answer):
    """A request that was not accepted, and why."""

    at: datetime
    repository: str
    status: int
    reason: str
    source: str
    size: int
    headers: dict[str, str]

    @classmethod
    def of(cls, record: Refusal) -> RefusalAnswer:
        """The answer for a record."""
        return cls(
            at=when(record.at),
            repository=record.repository,
            status=record.status,
            reason=record.reason,
            source=record.source,
            size=record.size,
            headers=dict(record.headers),
        )


class VerdictAnswer(Answer):
    """
    One listener's verdict; a miss names the first false condition and `file:line:column`.

    `nearest` is what almost fitted, in words; empty when nothing did. A listener in `shadow`
    starts nothing.
    """

    listener: str
    matched: bool
    condition: str
    expected: str
    actual: str
    place: str
    nearest: str
    run: int | None
    shadow: bool

    @classmethod
    def of(cls, record: StoredVerdict) -> VerdictAnswer:
        """The answer for a record."""
        return cls(
            listener=record.listener,
            matched=record.matched,
            condition=record.condition,
            expected=record.expected,
            actual=record.actual,
            place=record.place,
            nearest=near(record.condition, record.expected, record.actual),
            run=record.run or None,
            shadow=record.shadow,
        )


class CommandAnswer(Answer):
    """A command in a comment, and what came of it; `path` is the page that shows more."""

    by: str
    text: str
    state: str
    outcome: str
    path: str
    at: datetime

    @classmethod
    def of(cls, record: ChatCommand) -> CommandAnswer:
        """The answer for a record."""
        return cls(
            by=record.by,
            text=record.text,
            state=record.state,
            outcome=record.outcome,
            path=record.path,
            at=when(record.at),
        )


class EventAnswer(Answer):
    """
    An event in a list, with how many of its listeners matched; `origin` is what it repeats.

    `matched` are those that start something; `shadow` more would have, but are in shadow.
    """

    number: int
    kind: str
    action: str
    label: str
    repository: str
    branch: str
    sha: str
    pull_request: int | None
    title: str
    sender: str
    at: datetime
    delivery: str
    matched: int
    listeners: int
    shadow: int
    fault: str
    origin: int | None

    @classmethod
    def of(cls, row: EventRow) -> EventAnswer:
        """The answer for a row of the list."""
        stored, event = row.stored, row.stored.event
        return cls(
            number=stored.number,
            kind=stored.kind,
            action=stored.action,
            label=event.label,
            repository=stored.repository,
            branch=stored.branch,
            sha=stored.sha,
            pull_request=stored.pull_request or None,
            title=row.title,
            sender=event.sender or "",
            at=when(stored.at),
            delivery=stored.delivery,
            matched=row.matched,
            listeners=row.listeners,
            shadow=row.shadow,
            fault=stored.fault,
            origin=stored.origin or None,
        )


class EventFull(EventAnswer):
    """An event with its delivery, every verdict, its commands, and the runs it started."""

    configuration: str
    inputs: dict[str, str | bool | int | float] | None
    files: list[str] | None
    url: str
    verdicts: list[VerdictAnswer]
    runs: list[RunAnswer]
    commands: list[CommandAnswer]
    source: DeliveryAnswer | None
    replays: list[int]

    @classmethod
    def full(cls, detail: EventDetail) -> EventFull:
        """The answer for everything about one event."""
        event = detail.row.stored.event
        return cls(
            **EventAnswer.of(detail.row).model_dump(),
            configuration=detail.row.stored.configuration,
            inputs=None if event.inputs is None else dict(event.inputs),
            files=None if event.files is None else list(event.files),
            url=event.url or "",
            verdicts=[VerdictAnswer.of(verdict) for verdict in detail.verdicts],
            runs=[RunAnswer.of(run) for run in detail.runs],
            commands=[CommandAnswer.of(command) for command in detail.commands],
            source=None if detail.delivery is None else DeliveryAnswer.of(detail.delivery),
            replays=list(detail.replays),
        )


class ExplanationAnswer(Answer):
    """
    Why something did, or did not, happen: lines for people, and what they rest on.

    Where there is no event, `reason` says why in one word; else it is empty.
    """

    lines: list[str]
    reason: str
    event: int | None
    delivery: str | None
    verdicts: list[VerdictAnswer]
    runs: list[int]

    @classmethod
    def of(cls, explanation: Explanation) -> ExplanationAnswer:
        """The answer for an explanation."""
        event, delivery = explanation.event, explanation.delivery
        return cls(
            lines=list(explanation.lines),
            reason=explanation.reason,
            event=None if event is None else event.number,
            delivery=None if delivery is None else delivery.id,
            verdicts=[VerdictAnswer.of(verdict) for verdict in explanation.verdicts],
            runs=[run.number for run in explanation.runs],
        )
