"""
The jobs of a run as a picture, made here and not in the browser.

Columns are depths: a job stands one column to the right of the last job it needs.
Within a column, jobs keep the order in which they were written. Every job is a link
to its log; its state is a sign and a word, never a colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from windlass.core import graph
from windlass.core.run import JobRun, Run

WIDE, HIGH = 204, 48
ACROSS, DOWN = 52, 14
EDGE = 8
NAME = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A job, and where its box stands (pixels of the picture)."""

    job: JobRun
    name: str
    href: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A line from a job to a follower, as path data."""

    path: str
    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The whole picture, for a template to write down as SVG."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    curves: tuple[Curve, ...]
    node_width: int = WIDE
    node_height: int = HIGH


def _needs(run: Run) -> Mapping[str, tuple[str, ...]]:
    """What each job waits for; a final one for every job that no other waits for."""
    wanted = {name: job.job.needs for name, job in run.jobs.items() if not job.job.final}
    inner = {need for needs in wanted.values() for need in needs}
    ends = tuple(name for name in wanted if name not in inner)
    return {
        name: wanted.get(name, tuple(dict.fromkeys((*job.job.needs, *ends))))
        for name, job in run.jobs.items()
    }


def draw(run: Run) -> Drawing:
    """The picture of a run."""
    needs = _needs(run)
    columns = graph.layers(needs)
    tallest = max(map(len, columns), default=0)
    spot = {
        name: (
            EDGE + column * (WIDE + ACROSS),
            EDGE + row * (HIGH + DOWN) + (tallest - len(names)) * (HIGH + DOWN) // 2,
        )
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    return Drawing(
        width=2 * EDGE + max(len(columns), 1) * (WIDE + ACROSS) - ACROSS,
        height=2 * EDGE + max(tallest, 1) * (HIGH + DOWN) - DOWN,
        nodes=tuple(_node(run, name, *spot[name]) for name in run.jobs),
        curves=tuple(
            Curve(_curve(spot[need], spot[name]), need, name)
            for name, wanted in needs.items()
            for need in wanted
            if need in spot
        ),
    )


def _node(run: Run, name: str, x: int, y: int) -> Node:
    return Node(
        job=run.jobs[name],
        name=name if len(name) <= NAME else f"{name[: NAME - 1]}…",
        href=f"/runs/{run.number}?job={quote(name)}#log",
        x=x,
        y=y,
    )


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDE, start[1] + HIGH // 2
    x2, y2 = end[0], end[1] + HIGH // 2
    if y1 == y2:
        return f"M{x1} {y1}H{x2}"
    bend = (x2 - ACROSS) + ACROSS // 2
    return f"M{x1} {y1}H{x2 - ACROSS}C{bend} {y1} {bend} {y2} {x2} {y2}"
