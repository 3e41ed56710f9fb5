"""
One event before all listeners.

Dispatch judges here, and so does everyone who tries an event without a server:
what a listener would do is found by the code that decides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from windlass.core.errors import Bug
from windlass.core.event import Event, Kind
from windlass.core.filters import Context
from windlass.core.listener import (
    Listener,
    Match,
    Miss,
    Open,
    Verdict,
    collect,
    need_files,
    open_ones,
    select,
)
from windlass.ports.forge import Request
from windlass.ports.records import StoredVerdict


def heard(event: Event) -> bool:
    """Whether listeners are asked at all; a ping only tells that the webhook works."""
    return event.kind is not Kind.PING


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An event, and the listeners that are asked about it."""

    listeners: Mapping[str, Listener]
    context: Context

    @property
    def wants_files(self) -> bool:
        """Whether the changed files decide, and the forge has not told them all."""
        return need_files(self.listeners, self.context)

    def answer(self, files: tuple[str, ...] | None) -> dict[str, Verdict]:
        """Every listener's verdict. `files` must be there, and complete, when they are wanted."""
        said = self.so_far(files)
        verdicts = {name: one for name, one in said.items() if not isinstance(one, Open)}
        if len(verdicts) < len(said):
            raise Bug("listeners were asked before files and pull requests were known")
        return verdicts

    def so_far(self, files: tuple[str, ...] | None) -> dict[str, Verdict | Open]:
        """The verdict of every listener that can be judged with what is known."""
        context = self.context
        if context.files is None and files is not None:
            context = replace(context, files=files)
        unknown = context.files is None or context.pull is None
        left = open_ones(self.listeners, context) if unknown else {}
        if not left:
            return dict(select(self.listeners, context))
        judged = {name: one for name, one in self.listeners.items() if name not in left}
        verdicts = select(judged, context)
        return {name: left[name] if name in left else verdicts[name] for name in self.listeners}


def ask(
    listeners: Mapping[str, Listener],
    event: Event,
    request: Request,
    *,
    active: bool = True,
    pull: int | None = None,
) -> Question:
    """
    The question that an event is, read from this request.

    `active` says not paused; `pull` is the open pull request of the pushed branch (see `Context`).
    """
    context = Context(
        event=event,
        payload=request.body,
        headers=request.headers,
        repository_active=active,
        files=event.files,
        pull=pull,
    )
    return Question(listeners=collect(listeners), context=context)


def record(
    event: int, listener: str, verdict: Verdict, run: int = 0, *, shadow: bool = False
) -> StoredVerdict:
    """A verdict as it is stored; `shadow` says that its listener starts nothing."""
    match verdict:
        case Match():
            return StoredVerdict(
                event=event, listener=listener, matched=True, run=run, shadow=shadow
            )
        case Miss(condition, expected, actual, place):
            return StoredVerdict(
                event=event,
                listener=listener,
                matched=False,
                condition=condition,
                expected=expected,
                actual=actual,
                place=str(place),
                shadow=shadow,
            )
