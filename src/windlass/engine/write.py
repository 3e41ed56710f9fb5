"""
What dispatch decided, written in one transaction.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core import run as rules
from windlass.core.event import Event, Kind
from windlass.core.expression import render
from windlass.core.listener import Listener
from windlass.core.run import ENDED, Effect, Finish, Report, Run, State
from windlass.engine import effects, groups, memory, replays, skipped
from windlass.engine.chat import asked
from windlass.engine.judge import record
from windlass.engine.names import status_context
from windlass.engine.situation import proposed
from windlass.engine.start import Judged
from windlass.ports.records import (
    CommitStatus,
    Delivery,
    StoredEvent,
    StoredRun,
)
from windlass.ports.store import Below, Tx


def outcome(tx: Tx, delivery: Delivery, judged: tuple[Judged, ...], now: float) -> None:
    """Events, verdicts, runs and their first effects; the delivery is done."""
    matched, same = 0, 0
    for position, one in enumerate(judged):
        if number := memory.known(tx, delivery, one.event):
            same = number
        else:
            matched += _event(tx, delivery, position, one, now)
    if same and not matched:
        reason = f"it is event {same}, which came another way"
        tx.save(replace(delivery, state="ignored", reason=reason))
        return
    count = "1 run" if matched == 1 else f"{matched} runs"
    if delivery.reason and not delivery.attempts:  # what had to be mended when it came
        count += f"; {delivery.reason}"
    tx.save(replace(delivery, state="done", reason=count, attempts=delivery.attempts + 1))


def _event(tx: Tx, delivery: Delivery, position: int, one: Judged, now: float) -> int:
    number = tx.next("event")
    event = one.event
    stored = StoredEvent(
        number=number,
        delivery=delivery.id,
        position=position,
        repository=event.repository,
        kind=event.kind,
        action=event.action,
        sha=event.sha or "",
        branch=event.branch or event.head or "",
        pull_request=event.number or 0,
        at=delivery.received_at,
        event=event if delivery.origin else replace(event, recovered=_recovered(delivery, event)),
        configuration=one.situation.config_sha if one.situation else "",
        fault=one.fault,
        matched=len(one.runs),
        recovered=delivery.source == "recovered",
        origin=replays.repeated(tx, delivery, position),
    )
    if not tx.add(stored):
        return 0
    memory.remember(tx, stored)
    again = bool(delivery.origin)
    runs = {name: start_run(tx, number, one, name, now, again=again).number for name in one.runs}
    asked.ask(tx, delivery, stored, now)
    rules = one.situation.rules.configuration.listeners if one.situation else {}
    for name, verdict in one.verdicts.items():
        tx.add(record(number, name, verdict, runs.get(name, 0), shadow=rules[name].shadow))
    skipped.tell(tx, number, one, now)
    if one.situation is not None and (one.fault or _was_faulty(tx, stored)):
        arguments = {
            "repository": event.repository,
            "sha": one.situation.status_sha,
            "event": str(number),
        }
        effects.wish(tx, "configuration", arguments, now)
    if one.situation is not None and not delivery.origin and proposed(one.situation):
        effects.once(tx, "shadow", 0, {"event": str(number), "sha": one.situation.sha}, now)
    return len(runs)


def _recovered(delivery: Delivery, event: Event) -> bool:
    """Found by us: a webhook that did not come, or a tick of a schedule that was missed."""
    return delivery.source == "recovered" or (event.kind is Kind.SCHEDULE and event.recovered)


def start_run(  # noqa: PLR0913 - which run, of what, when and why
    tx: Tx,
    event: int,
    one: Judged,
    name: str,
    now: float,
    *,
    cause: str = "event",
    again: bool = False,
) -> StoredRun:
    """
    Store a drafted run with a number, in its turn among those of its concurrency group.

    One that happens `again`, by a replay, cancels nothing: what is under way may be newer.
    """
    assert one.situation is not None  # noqa: S101 - only a situation starts runs
    listener = one.situation.rules.configuration.listeners.get(name)
    draft = replace(one.runs[name], number=tx.next("run"), created_at=now)
    group = _group(listener, draft)
    if one.situation.conflict and draft.state is not State.HELD:
        draft = _unmergeable(draft, one.situation.conflict, now)
    rule = listener.concurrency if listener else None
    if rule is not None:
        if again:
            rule = replace(rule, cancel_in_progress=False, newest=False)
        draft = groups.arrive(tx, group, rule, draft, now)
    return new_run(tx, draft, event, now, cause=cause, concurrency=group)


def new_run(  # noqa: PLR0913 - one row, each value of another origin
    tx: Tx, draft: Run, event: int, now: float, *, cause: str = "event", concurrency: str = ""
) -> StoredRun:
    """Store a numbered run with its first effects; the one there is when it was stored before."""
    ended: tuple[Effect, ...] = (*map(_report, draft.actions), Finish())
    came = tx.get(StoredEvent, event)
    run, wanted = rules.create(draft) if draft.state not in ENDED else (draft, ended)
    stored = StoredRun(
        number=run.number,
        repository=run.repository,
        event=event,
        listener=run.listener,
        cause=cause,
        state=run.state,
        branch=run.branch,
        sha=run.sha,
        status_sha=run.status_sha,
        pull_request=run.event.number or 0,
        concurrency=concurrency,
        created_at=now,
        ended_at=run.ended_at,
        run=run,
        origin=came.origin if came else 0,
    )
    if tx.add(stored):
        _claim_statuses(tx, stored)
        effects.write(tx, stored, wanted, now)
    return stored


def _claim_statuses(tx: Tx, stored: StoredRun) -> None:
    """
    From now on the statuses of these actions speak of this run.

    Where a replay deploys nothing, what was said of the deployment stays true.
    """
    jobs = stored.run.jobs.values()
    told = {one.action for one in jobs if one.reason != replays.UNDEPLOYED}
    for action in (one for one in stored.run.actions if one in told):
        tx.save(
            CommitStatus(
                repository=stored.repository,
                sha=stored.status_sha,
                context=status_context(action),
                run=stored.number,
            )
        )


def _report(action: str) -> Effect:
    return Report(action=action)


def _unmergeable(run: Run, files: tuple[str, ...], now: float) -> Run:
    """A pull request that does not merge with its base: a result, and nothing to run."""
    shown = ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
    first = next(iter(run.jobs))
    reason = f"it does not merge into {run.event.base}: conflict in {shown}"
    jobs = {
        name: replace(job, state=State.FAILED, ended_at=now, reason=reason)
        if name == first
        else replace(job, state=State.SKIPPED, ended_at=now, reason="it does not merge")
        for name, job in run.jobs.items()
    }
    return replace(run, jobs=jobs, state=State.FAILED, unmergeable=True, ended_at=now)


def _group(listener: Listener | None, run: Run) -> str:
    if listener is None or listener.concurrency is None:
        return ""
    variables = {"event": run.event, "run": {"sha": run.sha}}
    return f"{run.repository}:{render(listener.concurrency.group, variables)}"


def _was_faulty(tx: Tx, stored: StoredEvent) -> bool:
    """Whether the event before, of the same commit, reported a faulty configuration."""
    if not stored.sha:
        return False
    before = tx.find(
        StoredEvent,
        sha=stored.sha,
        repository=stored.repository,
        number=Below(stored.number),
        order="-number",
        limit=1,
    )
    return any(one.fault for one in before)
