"""
What one configuration starts and another does not.

An event has made listeners start, or would; what each starts is told by its actions
and by the jobs they become. Where things stand in a file makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError
from windlass.core.listener import Listener
from windlass.core.pipeline import Action, ActionKind, Job
from windlass.core.plan import plan


class Kind(StrEnum):
    """How an event would be answered otherwise."""

    STARTS = "starts"
    STOPS = "stops"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Started:
    """What a listener starts: `said` in words, and its jobs; None when nobody knows them."""

    said: str
    jobs: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a listener started `before`, and would start after; empty where it is nothing."""

    kind: Kind
    listener: str
    before: str = ""
    after: str = ""


def starting(listener: Listener, configuration: Configuration) -> Started:
    """What a listener starts by this configuration."""
    said = ", ".join(map(_action, listener.actions)) or "nothing"
    try:
        drawn = plan(listener.actions, configuration)
    except ConfigError as error:
        return Started(f"{said} (cannot be planned: {error.faults[0].message})", {})
    jobs: dict[str, object] = {name: _bare(one.job) for name, one in drawn.jobs.items()}
    return Started(said, jobs)


def compare(before: Mapping[str, Started], after: Mapping[str, Started]) -> tuple[Difference, ...]:
    """What differs, by listener."""
    return tuple(_differences(before, after))


def _differences(
    before: Mapping[str, Started], after: Mapping[str, Started]
) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            yield Difference(Kind.STARTS, name, after=new.said)
        elif new is None and old is not None:
            yield Difference(Kind.STOPS, name, before=old.said)
        elif old is not None and new is not None and old.jobs is not None and old != new:
            yield Difference(Kind.CHANGES, name, old.said, _otherwise(old, new))


def _otherwise(old: Started, new: Started) -> str:
    """What is started instead; where the actions are the same, which of their jobs are not."""
    if old.said != new.said or old.jobs is None or new.jobs is None:
        return new.said
    was, now = old.jobs, new.jobs
    parts = (
        ("added", [name for name in now if name not in was]),
        ("gone", [name for name in was if name not in now]),
        ("changed", [name for name in now if name in was and now[name] != was[name]]),
    )
    told = "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
    return f"{new.said} ({told or 'in another order'})"


def _action(action: Action) -> str:
    """
    An action as a person says it.

    >>> _action(Action(kind=ActionKind.DEPLOY, name="api", environment="dev"))
    'deploy api to dev'
    """
    match action.kind:
        case ActionKind.BUILD:
            return f"build {action.name}" + _with(" for", action.environment)
        case ActionKind.DEPLOY:
            return f"deploy {action.name}" + _with(" to", action.environment)
        case ActionKind.PROMOTE:
            came, goes = action.promote_from, action.environment
            return f"promote {action.name}" + _with(" from", came) + _with(" to", goes)
        case ActionKind.PIPELINE:
            given = ", ".join(f"{key}: {value}" for key, value in action.arguments.items())
            return f"pipeline {action.name}" + (f" with {given}" if given else "")


def _with(word: str, name: str) -> str:
    return f"{word} {name}" if name else ""


def _bare(job: Job) -> Job:
    """The job without its places."""
    return replace(job, place=None, steps=tuple(replace(step, place=None) for step in job.steps))


def counted(names: Iterable[str], most: int = 3) -> str:
    """
    Some names, the first ones, and how many more.

    >>> counted(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    each = list(names)
    more = f" and {len(each) - most} more" if len(each) > most else ""
    return ", ".join(each[:most]) + more
