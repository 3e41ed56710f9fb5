"""
Listeners: what each is asked, and what it said and started last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from windlass.core.conditions import Conditions, trigger_text
from windlass.core.errors import NotFound
from windlass.core.filters import quoted, written
from windlass.ports.records import Repository, StoredEvent, StoredRun, StoredVerdict
from windlass.ports.store import Tx

# Events and runs that are looked through for the last of each listener.
MOST = 200
# Conditions by which a listener says that an event is not for it at all.
ELSEWHERE = frozenset({"on", "listener"})


@dataclass(frozen=True, slots=True)
class Last:
    """What a listener said last to an event that was for it, and the run it started last."""

    verdict: StoredVerdict | None = None
    at: float = 0.0
    run: StoredRun | None = None


@dataclass(frozen=True, slots=True)
class ListenersSeen:
    """A repository, and what its listeners did last, by name."""

    repository: Repository
    last: Mapping[str, Last]

    def of(self, name: str) -> Last:
        """Of one listener; nothing when it was not heard of lately."""
        return self.last.get(name, Last())


def show_listeners(tx: Tx, repository: str) -> ListenersSeen:
    """What the listeners of a repository did last; `NotFound` when there is none."""
    found = tx.get(Repository, repository)
    if found is None:
        raise NotFound(f"there is no repository {repository}", hint="windlass repo list")
    events = tx.find(StoredEvent, repository=repository, order="-number", limit=MOST)
    came = {event.number: event.at for event in events}
    said = tx.find(StoredVerdict, event=tuple(came)) if came else []
    verdicts: dict[str, StoredVerdict] = {}
    for verdict in sorted(said, key=lambda one: one.event):
        if verdict.matched or verdict.condition not in ELSEWHERE:
            verdicts[verdict.listener] = verdict
    runs = {
        run.listener: run
        for run in reversed(tx.find(StoredRun, repository=repository, order="-number", limit=MOST))
    }
    last = {
        name: Last(verdicts.get(name), came.get(_event(verdicts.get(name)), 0.0), runs.get(name))
        for name in {*verdicts, *runs}
    }
    return ListenersSeen(found, last)


def _event(verdict: StoredVerdict | None) -> int:
    return verdict.event if verdict else 0


def on_text(listener: Conditions) -> str:
    """Its events, as a person writes them."""
    return ", ".join(map(trigger_text, listener.on))


def condition_texts(listener: Conditions) -> tuple[str, ...]:
    """Its conditions, each as the configuration would write it."""
    return tuple(_conditions(listener))


def _conditions(listener: Conditions) -> Iterator[str]:
    for key in ("branches", "tags", "head", "base", "labels", "paths"):
        patterns: tuple[str, ...] = getattr(listener, key)
        if patterns:
            yield written(key, patterns)
    if listener.draft is not None:
        yield f"draft: {str(listener.draft).lower()}"
    if listener.unless:
        yield f"unless: {listener.unless}"
    if listener.own:
        yield "own: true"
    if listener.condition:
        yield f"if: {quoted(listener.condition)}"


def place_of(listener: Conditions) -> str:
    """Where it stands, as `file:line:column`."""
    return str(listener.place)
