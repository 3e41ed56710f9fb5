r"""
What `explain` says, word for word.

Every sentence is made here and nowhere else, from rows alone: page, API, command line and
the comment on a pull request show these lines as they are. A line is plain text without
control characters, and two spaces at its begin say that it belongs to the one above; so a
door may wrap it or escape it, and has nothing to take out of it.

>>> plain("a\tb\x1b[31mc\u202e")
'a bc'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from windlass.core.errors import UserError
from windlass.core.event import Event, Kind
from windlass.core.listener import Open
from windlass.core.nearest import near
from windlass.core.parameters import text_of
from windlass.engine.absence import Absence
from windlass.ports.records import (
    ChatCommand,
    ConfigurationCheck,
    Repository,
    StoredEvent,
    StoredRun,
    StoredVerdict,
)

# Other events that are named.
MOST = 5

# What came of a listener that matched in shadow.
SHADOWED = "would have started (shadow)"

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_GAP = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]")
# Escape sequences with their text, single controls, what turns the direction of writing, and
# halves of characters that nobody can write down.
_CONTROL = re.compile(
    r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|"
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """
    The rows that an event left: what the listeners said, what was commanded, what ran.

    `check` is what the configuration of its pull request would do.
    """

    event: StoredEvent
    check: ConfigurationCheck | None = None
    verdicts: Sequence[StoredVerdict] = ()
    commands: Sequence[ChatCommand] = ()
    runs: Sequence[StoredRun] = ()


def sentences(known: Known) -> tuple[str, ...]:
    """Why this event did, or did not, start something."""
    lines = (
        *_event(known.event, judged=bool(known.verdicts)),
        *(_checked(known.check) if known.check else ()),
        *_verdicts(known.event, known.verdicts),
        *map(command_line, known.commands),
        *_runs(known.runs),
    )
    return tuple(map(plain, lines))


def absent(repository: Repository, about: str, found: Absence) -> tuple[str, ...]:
    """Why there is no event about a commit or a pull request, and what to do about it."""
    said, fix = found.words(repository)
    lines = [f"No event of {repository.name} is about {about}.", said]
    return tuple(map(plain, [*lines, f"Next: {fix}"] if fix else lines))


def commit_id(text: str) -> str:
    """A commit's id, or its first digits, in small letters; UserError when it is neither."""
    found = text.strip().lower()
    if _COMMIT.fullmatch(found) is None:
        said = plain(text if len(text) <= 64 else f"{text[:61]}...")
        raise UserError(
            f"'{said}' is no commit id: give seven digits of it or more, as git log prints them.",
            code="bad-request",
        )
    return found


def merged(run: StoredRun) -> str:
    """What a commit is that was made for a test, and that nobody pushed."""
    base = run.run.event.base
    return plain(
        f"{run.sha[:12]} is {run.status_sha[:12]} merged with {base} for the test in run"
        f" {run.number}."
    )


def also(about: str, others: Sequence[StoredEvent]) -> tuple[str, ...]:
    """The other events about the same thing, in one line; none when there are none."""
    if not others:
        return ()
    named = (f"event {one.number} ({_sort(one)})" for one in others[:MOST])
    more = " and others" if len(others) > MOST else ""
    return (plain(f"Also about this {about}: {', '.join(named)}{more}."),)


def _sort(one: StoredEvent) -> str:
    return "replay" if one.origin else one.event.label


def plain(text: str) -> str:
    """The text on one line, without what is not shown."""
    return _CONTROL.sub("", _GAP.sub(" ", text))


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


def _event(stored: StoredEvent, *, judged: bool) -> list[str]:
    found = " (found by Windlass, its webhook never came)" if stored.event.recovered else ""
    lines = [f"Event {stored.number}: {subject(stored.event)} in {stored.repository}{found}."]
    if stored.event.inputs:
        given = (f"{name}={text_of(value)}" for name, value in stored.event.inputs.items())
        lines.append(f"Its inputs: {', '.join(given)}.")
    if stored.origin:
        lines.append(f"It repeats event {stored.origin}: somebody had it replayed.")
    if stored.fault:
        lines.append("Its configuration cannot be used, so nothing started:")
        lines += [f"  {line}" for line in stored.fault.splitlines() if line.strip()]
    elif stored.configuration and judged:
        lines.append(f"Listeners of commit {stored.configuration[:12]} decided.")
    return lines


def _checked(one: ConfigurationCheck) -> list[str]:
    if one.state == "faulty":
        said = "Its pull request has a configuration with faults:"
    else:
        said = f"With the configuration of its pull request, {one.summary}."
    return [said, *(f"  {line}" for line in one.lines)]


def _verdicts(event: StoredEvent, verdicts: Sequence[StoredVerdict]) -> list[str]:
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


def _short(place: str) -> str:
    return place.rpartition(":")[0] or place


def _runs(runs: Sequence[StoredRun]) -> list[str]:
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
