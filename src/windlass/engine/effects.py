"""
Effects as rows: what to do, written in the transaction that decided it.

Some are done once (`start`, `stop`): their id names run, job and attempt, so
that deciding them twice is one row. Others are wishes that may come again
(`report`, `comment`, `place`): they carry a key and no value, the truth is read
when they are performed, and asking while one is under way performs it once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from windlass.core.run import Effect, Finish, Report, StartJob, StopJob
from windlass.engine.names import status_context
from windlass.ports.records import CommitStatus, Deployment, StoredEffect, StoredRun
from windlass.ports.store import Tx


def once(tx: Tx, kind: str, run: int, arguments: Mapping[str, str], now: float) -> None:
    """Ask for something that is done one time only."""
    key = ":".join((kind, str(run), *arguments.values()))
    tx.add(StoredEffect(id=key, kind=kind, run=run, arguments=arguments, created_at=now))


def wish(tx: Tx, kind: str, arguments: Mapping[str, str], now: float, *, run: int = 0) -> None:
    """Ask for something that may be asked for again at any time."""
    key = ":".join((kind, *arguments.values()))
    fresh = StoredEffect(id=key, kind=kind, run=run, arguments=arguments, created_at=now)
    if not tx.add(fresh) and (old := tx.get(StoredEffect, key)) is not None:
        # What was told, and how often, is about the forge and not about this wish.
        kept = replace(fresh, told=old.told, sent=old.sent, sent_at=old.sent_at)
        tx.save(replace(kept, wanted=old.wanted + 1))


def comment(tx: Tx, repository: str, number: int, now: float, *, at_once: bool) -> None:
    """Ask for the comment on a pull request; `at_once` because a person waits for an answer."""
    arguments = {"repository": repository, "number": str(number)}
    wish(tx, "comment", arguments, now)
    current = tx.get(StoredEffect, ":".join(("comment", *arguments.values())))
    if current is not None and current.sent and at_once:
        tx.save(replace(current, sent=0))


REPORTS = ("report", "comment", "configuration", "deployment")


def again(tx: Tx, repository: str, now: float) -> None:
    """Ask anew for the reports of a repository that failed for good: a right may be there now."""
    for one in tx.find(StoredEffect, state="failed"):
        if one.kind in REPORTS and one.arguments.get("repository") == repository:
            fresh = replace(one, state="pending", attempts=0, due_at=0.0, created_at=now)
            tx.save(replace(fresh, wanted=one.wanted + 1))


def place(tx: Tx, name: str, now: float) -> None:
    """Ask for a look at a place: admit what waits, apply what is desired, compare."""
    wish(tx, "place", {"place": name}, now)


def deployed(tx: Tx, one: Deployment, now: float) -> None:
    """Ask for the forge to be told how a deployment is."""
    said = {"repository": one.repository, "deployment": str(one.number)}
    wish(tx, "deployment", said, now, run=one.run)


def report(tx: Tx, about: CommitStatus, now: float) -> None:
    """Ask for a status on a commit."""
    said = {"repository": about.repository, "sha": about.sha, "context": about.context}
    wish(tx, "report", said, now, run=about.run)


def write(tx: Tx, stored: StoredRun, effects: tuple[Effect, ...], now: float) -> None:
    """Write down what the rules of a run want done."""
    for effect in effects:
        match effect:
            case StartJob(job=job, attempt=attempt):
                once(tx, "start", stored.number, {"job": job, "attempt": str(attempt)}, now)
            case StopJob(job=job, attempt=attempt):
                once(tx, "stop", stored.number, {"job": job, "attempt": str(attempt)}, now)
            case Report(action=action):
                _report(tx, stored, action, now)
            case Finish():
                _comment(tx, stored, now)
                if stored.concurrency:
                    wish(tx, "group", {"group": stored.concurrency}, now)


def _report(tx: Tx, stored: StoredRun, action: str, now: float) -> None:
    report(
        tx,
        CommitStatus(
            repository=stored.repository,
            sha=stored.status_sha,
            context=status_context(action),
            run=stored.number,
        ),
        now,
    )
    _comment(tx, stored, now)


def _comment(tx: Tx, stored: StoredRun, now: float) -> None:
    if stored.pull_request:
        arguments = {"repository": stored.repository, "number": str(stored.pull_request)}
        wish(tx, "comment", arguments, now, run=stored.number)
