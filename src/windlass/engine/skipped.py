"""
A pull request that a listener does not want: said as a neutral status, with the reason.

A check that a branch requires would otherwise be waited for, for ever, because the paths
of a pull request, or its labels, kept a listener still.
"""

from __future__ import annotations

from windlass.core.event import Kind
from windlass.core.listener import Listener, Miss
from windlass.engine import effects
from windlass.engine.names import status_context
from windlass.engine.start import Judged
from windlass.ports.records import CommitStatus
from windlass.ports.store import Tx

# Conditions that keep a listener still although it is about this pull request. One that listens
# to other events or other branches has nothing to say here. Nor has a skip marker: its author
# alone would satisfy what a branch requires. Of a stranger's only what it changes is believed.
TELLING = frozenset({"labels", "draft", "paths", "if"})
STRANGERS = frozenset({"paths"})
# A pull request that is over waits for no check.
OVER = frozenset({"merged", "closed"})
# Statuses of one event, so that hundreds of listeners do not use up what a forge allows.
MOST = 50


def tell(tx: Tx, number: int, judged: Judged, now: float) -> None:
    """Ask for the neutral statuses of an event; where a run has spoken, it has the last word."""
    event, at = judged.event, judged.situation
    if at is None or event.kind is not Kind.PULL_REQUEST or event.action in OVER or judged.fault:
        return
    listeners = at.rules.configuration.listeners
    telling = TELLING if at.trusted else STRANGERS
    kept_still = [
        listeners[name]
        for name, said in judged.verdicts.items()
        if isinstance(said, Miss) and said.condition in telling and not listeners[name].shadow
    ]
    for one, context in _contexts(kept_still)[:MOST]:
        known = tx.get(CommitStatus, event.repository, at.status_sha, context)
        if known is None or not known.run:
            row = CommitStatus(
                repository=event.repository,
                sha=at.status_sha,
                context=context,
                run=0,
                event=number,
                listener=one.name,
            )
            tx.save(row)
            effects.report(tx, row, now)


def _contexts(listeners: list[Listener]) -> list[tuple[Listener, str]]:
    """What these listeners would have reported, each name once."""
    found = {
        status_context(action.label): one for one in reversed(listeners) for action in one.actions
    }
    return [(one, context) for context, one in sorted(found.items())]
