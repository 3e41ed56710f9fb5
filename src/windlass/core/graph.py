"""
The order of jobs.

Jobs name the jobs they need. Nothing else is stored: what may start now is
computed from what has ended, so a slow job holds back only its own followers.
Cost grows with jobs plus needs, nothing recurses.

>>> needs = {"build": (), "test": ("build",), "lint": (), "ship": ("test", "lint")}
>>> ready(needs, succeeded={"build"}, touched={"build", "lint"})
('test',)
>>> layers(needs)
(('build', 'lint'), ('test',), ('ship',))
>>> cycles({"a": ("b",), "b": ("a",), "c": ("a",)})
(('a', 'b'),)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

Needs = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A job needs a job that is not there."""

    job: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """Jobs that wait for each other: each needs the next, and the last the first."""

    jobs: tuple[str, ...]

    def __str__(self) -> str:
        return " -> ".join((*self.jobs, self.jobs[0]))


def check(needs: Needs) -> tuple[Unknown | Cycle, ...]:
    """Everything that keeps these jobs from being a graph in which all may end."""
    unknown = (
        Unknown(job, name) for job, wanted in needs.items() for name in wanted if name not in needs
    )
    return (*unknown, *map(Cycle, cycles(needs)))


def ready(needs: Needs, *, succeeded: Collection[str], touched: Collection[str]) -> tuple[str, ...]:
    """Jobs that may start now, in the order they were written."""
    return tuple(
        job
        for job, wanted in needs.items()
        if job not in touched and all(name in succeeded for name in wanted)
    )


def followers(needs: Needs, job: str) -> tuple[str, ...]:
    """Jobs that cannot start before this one has ended, near or far, as they were written."""
    nexts = _nexts(needs)
    found: set[str] = set()
    waiting = list(nexts.get(job, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += nexts.get(name, ())
    return tuple(name for name in needs if name in found)


def layers(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """
    Jobs in columns for a drawing: each stands right of everything it needs, as far left as it can.

    Jobs of a cycle, and what waits for them, stand together in the last column.
    """
    columns: list[tuple[str, ...]] = []
    left = dict(_steps(needs))
    depth = max(left.values(), default=-1) + 1
    by_depth: list[list[str]] = [[] for _ in range(depth)]
    stuck: list[str] = []
    for job in needs:
        (by_depth[left[job]] if job in left else stuck).append(job)
    columns += [tuple(column) for column in by_depth]
    return (*columns, tuple(stuck)) if stuck else tuple(columns)


def cycles(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """One cycle for each knot of jobs that wait for each other."""
    free = {job for job, _ in _steps(needs)}
    found: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for start in needs:
        path: dict[str, int] = {}
        at = start
        # Every job that is not free needs one that is not free, so this walk meets itself.
        while at not in free and at not in seen and at not in path:
            path[at] = len(path)
            at = next(name for name in needs[at] if name in needs and name not in free)
        if at in path:
            found.append(tuple(path)[path[at] :])
        seen.update(path)
    return tuple(found)


def _steps(needs: Needs) -> Iterator[tuple[str, int]]:
    """Jobs that can ever start and how many must end one after the other before them."""
    nexts = _nexts(needs)
    waits = {job: len({name for name in wanted if name in needs}) for job, wanted in needs.items()}
    now = [job for job, count in waits.items() if not count]
    depth = 0
    while now:
        later: list[str] = []
        for job in now:
            yield job, depth
            for follower in nexts[job]:
                waits[follower] -= 1
                if not waits[follower]:
                    later.append(follower)
        now, depth = later, depth + 1


def _nexts(needs: Needs) -> dict[str, list[str]]:
    nexts: dict[str, list[str]] = {job: [] for job in needs}
    for job, wanted in needs.items():
        for name in dict.fromkeys(wanted):
            if name in nexts:
                nexts[name].append(job)
    return nexts
