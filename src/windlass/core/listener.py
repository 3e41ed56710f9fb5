"""
Listeners: on this event, under these conditions, do these actions.

`select` gives every listener its verdict. What it needs for that is made once,
when the listeners are collected: conditions are compiled, and listeners sorted by
the kinds of event they are for, so that the others cost next to nothing.
`places` says where each condition stands, so that a verdict names the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from windlass.core.errors import Place
from windlass.core.event import Event, Kind
from windlass.core.filters import (
    CONDITIONS,
    Asked,
    Conditions,
    Context,
    Match,
    Miss,
    Open,
    Prepared,
    Trigger,
    Verdict,
    asked_of_pulls,
    check,
    needs_files,
    open_at,
    prepare,
)
from windlass.core.pipeline import Action

__all__ = [
    "Concurrency",
    "Listener",
    "Listeners",
    "Match",
    "Miss",
    "Open",
    "Trigger",
    "Verdict",
    "collect",
    "nearest",
    "need_files",
    "need_pull",
    "open_ones",
    "select",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """
    At most `limit` runs of one group are under way; `group` may hold `${{ }}`.

    A new run waits for a place, or with `cancel_in_progress` has one made by ending the
    oldest. `newest` says that of those that wait only the newest is kept.
    """

    group: str
    cancel_in_progress: bool = False
    limit: int = 1
    newest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener(Conditions):
    """What a team wrote under `listeners`; one in `shadow` decides, and starts nothing."""

    name: str
    actions: tuple[Action, ...]
    concurrency: Concurrency | None = None
    shadow: bool = False


class Listeners(Mapping[str, Listener]):
    """Listeners by name, in the order they were written, prepared for `select`."""

    __slots__ = ("_by_kind", "_listeners", "_others")

    def __init__(self, listeners: Mapping[str, Listener]) -> None:
        self._listeners = dict(listeners)
        by_kind: dict[Kind, dict[str, Prepared]] = {}
        self._others: dict[str, tuple[str, Place]] = {}
        for name, listener in self._listeners.items():
            prepared = prepare(listener)
            self._others[name] = (prepared.on, listener.places.get("on", listener.place))
            for kind in dict.fromkeys(trigger.kind for trigger in listener.on):
                by_kind.setdefault(kind, {})[name] = prepared
        self._by_kind = by_kind

    def __getitem__(self, name: str) -> Listener:
        return self._listeners[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listeners)

    def __len__(self) -> int:
        return len(self._listeners)

    def of(self, kind: Kind) -> Mapping[str, Prepared]:
        """Those that are for this kind of event."""
        return self._by_kind.get(kind, {})

    def verdicts(self, asked: Asked) -> dict[str, Verdict]:
        """The verdict of each, in the order they were written."""
        label = asked.event.label
        candidates = self.of(asked.event.kind)
        return {
            name: check(candidates[name], asked)
            if name in candidates
            else Miss("on", on, label, place)
            for name, (on, place) in self._others.items()
        }


def collect(listeners: Mapping[str, Listener]) -> Listeners:
    """These listeners, prepared; a collection is returned as it is."""
    return listeners if isinstance(listeners, Listeners) else Listeners(listeners)


def need_files(listeners: Mapping[str, Listener], context: Context) -> bool:
    """Whether `select` must be given the changed files: some listener hangs on nothing else."""
    asked = Asked(context)
    if asked.files is not None:
        return False
    return any(
        needs_files(prepared, asked)
        for prepared in collect(listeners).of(context.event.kind).values()
    )


def need_pull(listeners: Mapping[str, Listener], event: Event) -> bool:
    """Whether some listener asks for the open pull request of the pushed branch."""
    candidates = collect(listeners).of(event.kind)
    return any(asked_of_pulls(prepared, event) for prepared in candidates.values())


def open_ones(listeners: Mapping[str, Listener], context: Context) -> dict[str, Open]:
    """The listeners that cannot be judged while something is unknown, and why."""
    asked = Asked(context)
    candidates = collect(listeners).of(context.event.kind)
    found = ((name, open_at(prepared, asked)) for name, prepared in candidates.items())
    return {name: said for name, said in found if said is not None}


def select(listeners: Mapping[str, Listener], context: Context) -> dict[str, Verdict]:
    """
    The verdict of every listener on this event, in the order they were written.

    Raises `Bug` when the changed files are wanted and not known; ask `need_files` before.
    """
    return collect(listeners).verdicts(Asked(context))


def nearest(verdicts: Mapping[str, Verdict]) -> str | None:
    """The listener that came nearest to starting, when none did: it missed last of all."""
    order = {name: rank for rank, (name, _) in enumerate(CONDITIONS)}
    missed = {
        name: order[said.condition] for name, said in verdicts.items() if isinstance(said, Miss)
    }
    if not missed or len(missed) < len(verdicts):
        return None
    best = max(missed, key=lambda name: missed[name])
    return best if missed[best] else None
