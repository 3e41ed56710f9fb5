"""
Why did, or did not, this happen?

The answer is put together here and nowhere else: page, API and command line
print the same lines. It needs no log and no luck: every verdict was stored when
it was given.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.errors import NotFound
from windlass.core.event import Event, Kind
from windlass.core.listener import Open
from windlass.core.nearest import near
from windlass.engine.world import World
from windlass.ports.records import (
    ChatCommand,
    ConfigurationCheck,
    Delivery,
    Repository,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)
from windlass.ports.store import Tx

# What came of a listener that matched in shadow.
SHADOWED = "would have started (shadow)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of an event, and `lines`, the answer in words."""

    event: StoredEvent | None
    delivery: Delivery | None
    verdicts: tuple[StoredVerdict, ...]
    runs: tuple[StoredRun, ...]
    lines: tuple[str, ...]


async def explain(world: World, number: int) -> Explanation:
    """Explain one event; `NotFound` when there is none."""

    def work(tx: Tx) -> Explanation:
        event = tx.get(StoredEvent, number)
        if event is None:
            raise NotFound(f"there is no event {number}", hint="windlass events list")
        verdicts = tuple(tx.find(StoredVerdict, event=number))
        runs = tuple(tx.find(StoredRun, event=number, order="number"))
        delivery = tx.get(Delivery, event.delivery)
        said = tx.find(ChatCommand, event=number, order="position")
        checked = tx.get(ConfigurationCheck, number)
        lines = (
            *_event(event, judged=bool(verdicts)),
            *(_checked(checked) if checked else ()),
            *_verdicts(event, verdicts),
            *map(command_line, said),
            *_runs(runs),
        )
        return Explanation(
            event=event, delivery=delivery, verdicts=verdicts, runs=runs, lines=lines
        )

    return await world.store.read(work)


async def explain_commit(world: World, repository: str, sha: str) -> Explanation:
    """Explain a commit: by its newest event, or by why there is none."""

    def work(tx: Tx) -> tuple[Repository | None, list[StoredEvent], list[Delivery]]:
        events = tx.find(StoredEvent, repository=repository, sha=sha, order="-number", limit=1)
        stuck = tx.find(Delivery, repository=repository, state=("received", "failed"), limit=5)
        return tx.get(Repository, repository), events, stuck

    found, events, stuck = await world.store.read(work)
    if found is None:
        raise NotFound(f"there is no repository {repository}", hint="windlass repo list")
    if events:
        return await explain(world, events[0].number)
    lines = [f"No event of {repository} is about commit {sha}.", *await _absent(world, found, sha)]
    lines += [
        f"Delivery {one.id} is {one.state}{f': {one.reason}' if one.reason else ''}."
        for one in stuck
    ]
    return Explanation(event=None, delivery=None, verdicts=(), runs=(), lines=tuple(lines))


async def _absent(world: World, repository: Repository, sha: str) -> list[str]:
    """Reasons for an event that is not there, as far as they can be seen from here."""
    if not repository.active:
        return ["The repository is not active: windlass repo add connects it again."]
    lines = []
    if repository.problem:
        lines.append(f"Its webhook has a problem: {repository.problem}")
    heads = await world.forges[repository.forge].source.heads(repository.url)
    refs = [ref for ref, head in heads.items() if head == sha]
    if refs:
        lines.append(
            f"It is the head of {', '.join(refs)}, so its webhook did not arrive yet;"
            f" windlass repo check {repository.name} finds what was missed."
        )
    elif await world.mirrors.of(repository).has(sha):
        lines.append("It is in the repository, but was never the head of a push that we heard of.")
    else:
        lines.append("It is not in the repository: it was never pushed, or it is on another one.")
    return lines


def title(event: Event) -> str:
    """An event in a few words."""
    if event.kind is Kind.PULL_REQUEST:
        return f"pull request {event.number} {event.action} ({event.head} -> {event.base})"
    if event.kind is Kind.MANUAL:
        return f"asked by {event.sender}: {event.title}"
    name = event.branch or event.tag or (f"#{event.number}" if event.number else "")
    return f"{event.label} {name}".rstrip()


def subject(event: Event) -> str:
    """An event in a few words, with its commit."""
    return f"{title(event)} at {event.sha[:12]}" if event.sha else title(event)


def _event(stored: StoredEvent, *, judged: bool) -> list[str]:
    found = " (found by Windlass, its webhook never came)" if stored.event.recovered else ""
    lines = [f"Event {stored.number}: {subject(stored.event)} in {stored.repository}{found}."]
    if stored.origin:
        lines.append(f"It repeats event {stored.origin}: somebody had it replayed.")
    if stored.fault:
        lines.append("Its configuration cannot be used, so nothing started:")
        lines += [f"  {line}" for line in stored.fault.splitlines()]
    elif stored.configuration and judged:
        lines.append(f"Listeners of commit {stored.configuration[:12]} decided.")
    return lines


def _checked(one: ConfigurationCheck) -> list[str]:
    """What the configuration of its pull request would do."""
    if one.state == "faulty":
        return ["Its pull request has a configuration with faults:", *_deeper(one.lines)]
    return [f"With the configuration of its pull request, {one.summary}.", *_deeper(one.lines)]


def _deeper(lines: tuple[str, ...]) -> list[str]:
    return [f"  {line}" for line in lines]


def _verdicts(event: StoredEvent, verdicts: tuple[StoredVerdict, ...]) -> list[str]:
    if not verdicts:
        if event.fault or event.kind in {Kind.MANUAL, Kind.PING}:
            return []
        return ["There is no listener on the default branch: add `.windlass.yaml` there."]
    return [
        line
        for one in sorted(verdicts, key=lambda verdict: (not verdict.matched, verdict.listener))
        for line in verdict_lines(
            one, f"started run {one.run}" if one.run else "matched, but could not start"
        )
    ]


def verdict_lines(one: StoredVerdict, started: str) -> list[str]:
    """One listener's verdict; `started` says what came of it when it matched."""
    if one.matched:
        return [f"  {one.listener}: {SHADOWED if one.shadow else started}"]
    missed = f"  {one.listener}: not started, because {because(one)} ({_short(one.place)})"
    nearest = near(one.condition, one.expected, one.actual)
    return [missed, f"    nearest: {nearest}"] if nearest else [missed]


def because(one: StoredVerdict) -> str:
    """Why a listener missed: the first condition that was false."""
    return f"`{one.condition}` wants {one.expected}, and it is {one.actual}"


def command_line(one: ChatCommand) -> str:
    """A command of a comment, and what came of it."""
    refused = "" if one.state == "done" else f"{one.state}, "
    return f"  {one.text} by {one.by}: {refused}{one.outcome}"


def open_line(listener: str, said: Open) -> str:
    """A listener that cannot be judged."""
    return (
        f"  {listener}: cannot be told, because `{said.condition}` wants {said.expected},"
        f" and {said.unknown} ({_short(str(said.place))})"
    )


def _short(place: str) -> str:
    return place.rpartition(":")[0] or place


def _runs(runs: tuple[StoredRun, ...]) -> list[str]:
    lines = []
    for one in runs:
        reason = f": {one.run.reason}" if one.run.reason else ""
        lines.append(f"Run {one.number} ({one.listener}) {one.state}{reason}.")
        lines += [
            f"  {name} {job.state}: {job.reason}"
            for name, job in one.run.jobs.items()
            if job.reason
        ]
    return lines
