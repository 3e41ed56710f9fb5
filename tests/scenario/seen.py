"""
All that can be seen of a stage, in lines that a person can review.

Commits have the names of the story (`FB1.1` is the first commit on FB1), digests are
`build 1`, `build 2` in the order of the runs that made them.
"""

from __future__ import annotations

import re

from harness import Stage

from windlass.core.run import Run
from windlass.ports.forge import Status
from windlass.ports.records import (
    Build,
    ChatCommand,
    Deployment,
    Place,
    StoredEffect,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)

FULL = re.compile(r"\b[0-9a-f]{40}\b")


async def seen(stage: Stage) -> dict[str, list[str]]:
    """Everything, by what it is about."""

    def work(tx):
        return {
            "events": [_event(one) for one in tx.find(StoredEvent, order="number")],
            "faults": list(
                dict.fromkeys(
                    line
                    for one in tx.find(StoredEvent, order="number")
                    for line in one.fault.splitlines()
                )
            ),
            "verdicts": [_verdict(one) for one in sorted(tx.find(StoredVerdict), key=_key)],
            "runs": [line for one in tx.find(StoredRun, order="number") for line in _run(one.run)],
            "builds": [_build(one) for one in sorted(tx.find(Build), key=lambda b: (b.run, b.job))],
            "deployments": [_deployment(one) for one in tx.find(Deployment, order="number")],
            "commands": [
                f"{one.event} {one.by} {one.text}: {one.state}, {one.outcome}"
                for one in sorted(tx.find(ChatCommand), key=lambda c: (c.event, c.position))
            ],
            "places": [_place(one) for one in tx.find(Place, order="place")],
            "failures": [f"{one.id}: {one.error}" for one in tx.find(StoredEffect, state="failed")],
        }

    found = await stage.world.store.read(work)
    found["statuses"] = _statuses(stage)
    found["state"] = [
        f"{one.subject} (by {one.author.name})" for one in reversed(await stage.world.state.log())
    ]
    names = await _names(stage)
    return {what: [_named(line, names) for line in lines] for what, lines in found.items()}


async def _names(stage: Stage) -> dict[str, str]:
    builds = await stage.world.store.read(lambda tx: tx.find(Build))
    names = {}
    for number, one in enumerate(sorted(builds, key=lambda b: (b.run, b.job)), 1):
        digest = one.digest.removeprefix("sha256:")
        names |= {one.digest: f"build {number}", one.digest[:19]: f"build {number}"}
        names |= {digest: f"build {number}", digest[:12]: f"build {number}"}
    for sha, name in stage.origin.names.items():
        names |= {sha: name, sha[:12]: name}
    return names


def _named(line: str, names: dict[str, str]) -> str:
    for long, short in names.items():
        line = line.replace(long, short)
    return FULL.sub("<merge>", line)


def _key(one: StoredVerdict):
    return one.event, one.listener


def _event(one: StoredEvent) -> str:
    event = one.event
    what = event.branch or event.tag or f"#{event.number}"
    fault = f", {len(one.fault.splitlines())} faults" if one.fault else ""
    found = " (recovered)" if one.recovered else ""
    return (
        f"{one.number} {event.label} {what} {one.sha or 'gone'}, {one.matched} runs{found}{fault}"
    )


def _verdict(one: StoredVerdict) -> str:
    if one.matched:
        return f"{one.event} {one.listener}: run {one.run}"
    place = one.place.rpartition(":")[0]
    said = f"{one.condition}: wants {one.expected}, is {one.actual}"
    return f"{one.event} {one.listener}: {said} ({place})"


def _run(run: Run) -> list[str]:
    why = f": {run.reason}" if run.reason else ""
    merged = " merged" if run.sha != run.status_sha else ""
    lines = [f"{run.number} {run.listener} {run.status_sha}{merged} {run.state}{why}"]
    for name, job in run.jobs.items():
        again = f" (attempt {job.attempt})" if job.attempt > 1 else ""
        reason = f": {job.reason}" if job.reason else ""
        outputs = "".join(
            f" {key}={value}" for key, value in job.outputs.items() if key != "identity"
        )
        lines.append(f"  {name} {job.state}{again}{reason}{outputs}")
    return lines


def _build(one: Build) -> str:
    trusted = "" if one.trusted else " (stranger's)"
    return f"{one.service} {one.digest} by run {one.run} of {', '.join(one.commits)}{trusted}"


def _deployment(one: Deployment) -> str:
    reason = f": {one.reason}" if one.reason else ""
    said = f" approved by {', '.join(one.approvals)}" if one.approvals else ""
    return (
        f"{one.number} {one.kind} {one.service} to {one.environment} {one.digest} of {one.sha}"
        f" by {one.by} ({one.why}) {one.state}{reason}{said}"
    )


def _place(one: Place) -> str:
    pinned = f", pinned {one.pinned}" if one.pinned else ""
    detail = f": {one.detail}" if one.detail else ""
    runs = f"wants {one.digest or 'nothing'}, runs {one.observed or 'nothing'}"
    return f"{one.place} {runs}, {one.status}{detail}{pinned}"


def _statuses(stage: Stage) -> list[str]:
    """What stands on each commit in the end."""
    last: dict[tuple[str, str], Status] = {}
    for told in stage.forge.ledger:
        if isinstance(told.value, Status) and not told.about.startswith("deployment"):
            last[told.about, told.value.context] = told.value
    return sorted(
        f"{stage.origin.names[sha]} {context}: {one.state} {one.description!r}"
        for (sha, context), one in last.items()
    )
