"""
The whole sample, into a store and logs.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

from windlass.engine.names import log_key
from windlass.ports.records import (
    Counter,
    Delivery,
    Refusal,
    Repository,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)
from windlass.ports.store import Tx
from windlass.testing.fakes.memory import MemoryStore
from windlass.testing.fakes.memory_logs import MemoryLogs
from windlass.testing.sample.places import builds, deployments, places
from windlass.testing.sample.runs import SHOP, all_runs, push, sha

LINES = (
    "\x1b[1m$ make install\x1b[0m",
    "Collecting dependencies",
    "Installed 31 packages in 1.4 s",
    "\x1b[1m$ make tests\x1b[0m",
    "============================= test session starts =============================",
    "collected 214 items",
    "tests/test_cart.py \x1b[32m..............................\x1b[0m [ 14%]",
    "tests/test_price.py \x1b[32m.....\x1b[0m\x1b[31mF\x1b[0m\x1b[32m......\x1b[0m [ 20%]",
    "\x1b[33mwarning: the rounding rule of 2019 is deprecated\x1b[0m",
    "<script>alert('from a log')</script> and \x1b]8;;javascript:alert(1)\x07a link\x1b]8;;\x07",
    "=================================== FAILURES ===================================",
    "\x1b[31m>       assert price(1005, tax=19) == 1196\x1b[0m",
    "\x1b[31mE       AssertionError: assert 1195 == 1196\x1b[0m",
    "\x1b[36mtests/test_price.py\x1b[0m:88: AssertionError",
    "========================= \x1b[31m1 failed\x1b[0m, 213 passed in 4.02s =====================",
)


def log_lines(at: float, lines: tuple[str, ...] = LINES) -> bytes:
    """Lines as they are stored: time, step, stream, text."""
    return b"".join(
        f"{int((at + place * 0.21) * 1000)} {-1 if place < 1 else 0 if place < 4 else 1} "
        f"{'e' if 'warning' in text else 'o'} {text}\n".encode()
        for place, text in enumerate(("Fetched " + sha("d4"), *lines))
    )


def _repositories(now: float) -> tuple[Repository, ...]:
    return (
        Repository(
            name=SHOP,
            forge="github",
            url="https://github.com/acme/shop.git",
            endpoint="a" * 32,
            default_branch="main",
            created_at=now - 9e6,
        ),
        Repository(
            name="acme/payments",
            forge="plain",
            url="/srv/git/payments.git",
            endpoint="b" * 32,
            default_branch="main",
            problem="The webhook is not there any more. Mend it with: windlass repo check",
            created_at=now - 4e6,
        ),
    )


def _event(stored: StoredRun) -> StoredEvent:
    event = stored.run.event
    return StoredEvent(
        number=stored.event,
        delivery=f"d{stored.event:08}",
        position=0,
        repository=stored.repository,
        kind=str(event.kind),
        action=event.action,
        sha=event.sha or "",
        branch=event.branch or "",
        pull_request=event.number or 0,
        at=stored.created_at - 1,
        event=event,
        configuration=sha("c0"),
        matched=1,
    )


def _delivery(event: StoredEvent) -> Delivery:
    body = {
        "ref": f"refs/heads/{event.branch}",
        "after": event.sha,
        "repository": {"full_name": event.repository},
        "sender": {"login": event.event.sender},
    }
    return Delivery(
        id=event.delivery,
        endpoint="a" * 32,
        delivery_key=f"72d3162e-cc78-11e3-81ab-4c9367dc09{event.number:02}",
        repository=event.repository,
        received_at=event.at - 0.2,
        headers={"content-type": "application/json", "x-github-event": event.kind},
        body=zlib.compress(json.dumps(body).encode()),
        digest="sha256:" + "5" * 64,
        state="done",
    )


MISSES = {
    "feature-to-dev": ("branches", "FB*, feature/**", "main", ".windlass.yaml:4:15"),
    "pull-request": ("on", "pull_request", "push", ".windlass.yaml:11:9"),
    "release": ("on", "pull_request merged", "push", ".windlass.yaml:17:9"),
    "docs": (
        "paths",
        'paths: ["services/**", "!**/*.py"]',
        'services/api/cart.py and 1 more (taken back by "!**/*.py")',
        ".windlass.yaml:24:13",
    ),
    "nightly": ("on", "schedule", "push", ".windlass.yaml:29:9"),
}


def _verdicts(stored: StoredRun) -> tuple[StoredVerdict, ...]:
    return (
        StoredVerdict(
            event=stored.event, listener=stored.listener, matched=True, run=stored.number
        ),
        *(
            StoredVerdict(
                event=stored.event,
                listener=listener,
                matched=False,
                condition=condition,
                expected=expected,
                actual=actual,
                place=place,
            )
            for listener, (condition, expected, actual, place) in MISSES.items()
            if listener != stored.listener
        ),
    )


def _quiet(now: float) -> StoredEvent:
    event = push("main", sha("77"), "Write down how to round", "carol")
    return StoredEvent(
        number=7,
        delivery="d00000007",
        position=0,
        repository=SHOP,
        kind="push",
        action="pushed",
        sha=sha("77"),
        branch="main",
        pull_request=0,
        at=now - 12,
        event=replace(event, files=("docs/rounding.md",)),
        configuration=sha("c0"),
    )


def fill(store: MemoryStore, logs: MemoryLogs, now: float) -> None:
    """Tell the story."""

    def work(tx: Tx) -> None:
        runs = all_runs(now)
        events = (*(_event(run) for run in runs), _quiet(now))
        rows: tuple[object, ...] = (
            *_repositories(now),
            *runs,
            *events,
            *(_delivery(event) for event in events),
            *(verdict for run in runs for verdict in _verdicts(run)),
            *builds(now),
            *deployments(now),
            *places(now),
            *_missed(),
            Refusal(
                slot=1,
                at=now - 700,
                endpoint="a" * 32,
                repository=SHOP,
                status=401,
                reason="the signature does not fit any secret of this repository",
                source="203.0.113.9",
                headers={"x-hub-signature-256": "sha256=0000"},
                size=812,
            ),
            Counter(name="run", value=len(runs)),
            Counter(name="event", value=len(events)),
            Counter(name="deployment", value=8),
        )
        for row in rows:
            tx.add(row)

    store.fill(work)
    for stored in all_runs(now):
        for name, each in stored.run.jobs.items():
            if each.steps and each.started_at is not None:
                logs.append(log_key(stored.number, name, 1), log_lines(each.started_at))


def _missed() -> tuple[StoredVerdict, ...]:
    return tuple(
        StoredVerdict(
            event=7,
            listener=listener,
            matched=False,
            condition=condition,
            expected=expected,
            actual=actual,
            place=place,
        )
        for listener, (condition, expected, actual, place) in MISSES.items()
    )
