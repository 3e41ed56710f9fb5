"""
Concurrency groups: which runs may be under way at the same time.

Nothing is counted but what is stored: a run that has begun and not ended has a
place, one that is queued waits for one. So no place is lost with a server, and
none is kept by a run that was cancelled. A run that is being stopped keeps its
place until it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from windlass.core.listener import Concurrency
from windlass.core.run import ENDED, CancelAsked, Queued, Released, Run, State
from windlass.engine.advance import advance
from windlass.ports.records import StoredRun
from windlass.ports.store import Snapshot, Tx

_OPEN = tuple(str(state) for state in State if state not in ENDED)


def arrive(tx: Tx, group: str, rule: Concurrency, run: Run, now: float) -> Run:
    """
    A new run comes to its group: it goes, or is held for a place; older ones may end for it.

    A stranger's that waits for a person takes no place, and ends nothing but strangers'.
    """
    run = replace(run, limit=rule.limit)
    if rule.cancel_in_progress:
        _make_room(tx, group, run, now)
    if run.state is State.HELD or run.state in ENDED:
        return run
    run = enter(tx, group, run)
    if run.queued and rule.newest and not rule.cancel_in_progress:
        _end(tx, filter(_waits, _open(tx, group)), run.number, now)
    return run


def enter(tx: Snapshot, group: str, run: Run) -> Run:
    """The run as it goes, or as it waits for a place behind all others; ends nothing."""
    reason = _full(_open(tx, group), run) if group else ""
    return replace(run, state=State.HELD, reason=reason, queued=True) if reason else run


def allow(tx: Tx, stored: StoredRun, by: str, now: float, key: str) -> StoredRun:
    """A person lets a held run go: at once, or as soon as its group has a place."""
    reason = ""
    if stored.concurrency:
        reason = _full(_open(tx, stored.concurrency), stored.run)
    fact = Queued(at=now, reason=reason) if reason else Released(by=by, at=now)
    return advance(tx, stored.number, fact, key, now)


def go(tx: Tx, group: str, now: float) -> None:
    """Those that wait go in their order, while there are places."""
    runs = _open(tx, group)
    under_way = sum(_has_place(one) for one in runs)
    for one in filter(_waits, runs):
        if under_way >= one.run.limit:
            return
        released = Released(by="windlass", at=now)
        advance(tx, one.number, released, f"group:{one.number}", now)
        under_way += 1


def waits(run: Run) -> bool:
    """Whether a run is held for a place in its group, and not for a person."""
    return run.state is State.HELD and (run.queued or run.trusted)


def _make_room(tx: Tx, group: str, run: Run, now: float) -> None:
    """End the oldest until, when they are gone, the new run has a place."""
    there = [one for one in _open(tx, group) if _has_place(one) or _waits(one)]
    live = [one for one in there if not one.run.cancelled_by]
    most = max(len(live) - run.limit + 1, 0)
    if run.state is State.HELD:
        live = [one for one in live if not one.run.trusted]
    _end(tx, live[:most], run.number, now)


def _end(tx: Tx, runs: Iterable[StoredRun], newer: int, now: float) -> None:
    for old in runs:
        asked = CancelAsked(by="windlass", at=now, reason=f"run {newer} is newer")
        advance(tx, old.number, asked, f"newer:{newer}:{old.number}", now)


def _open(tx: Snapshot, group: str) -> list[StoredRun]:
    return tx.find(StoredRun, concurrency=group, state=_OPEN, order="number")


def _full(runs: list[StoredRun], run: Run) -> str:
    """Why this run cannot go now; empty when it can. Nobody overtakes one that waits."""
    others = [one for one in runs if one.number != run.number]
    before = [one for one in others if _has_place(one) or _waits(one)]
    under_way = sum(map(_has_place, before))
    if under_way < run.limit and under_way == len(before):
        return ""
    if run.limit == 1:
        return f"waits for run {before[-1].number} (concurrency group)"
    ahead = len(before) - under_way
    queue = f", {ahead} {'waits' if ahead == 1 else 'wait'} before it" if ahead else ""
    return f"waits for a place: {under_way} of {run.limit} are taken{queue} (concurrency group)"


def _has_place(one: StoredRun) -> bool:
    return one.state != State.HELD


def _waits(one: StoredRun) -> bool:
    return waits(one.run)
