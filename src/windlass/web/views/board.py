"""
The board: services by environments, and what one place has been through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from windlass.core.errors import NotFound
from windlass.ports.records import Deployment, Place
from windlass.ports.store import Tx

WAITING = ("waiting", "approval")
UNDER_WAY = ("admitted", "deploying")

# Where an environment usually stands on the way out, by the beginning of its name.
WAY_OUT = (
    ("dev", "preview", "review", "local"),
    ("test", "ci", "qa", "int"),
    ("stag", "pre", "uat", "demo", "canary"),
    ("prod", "live", "main"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place: what runs there, and what waits or is on its way."""

    place: Place
    deployment: Deployment | None
    waiting: tuple[Deployment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One service of one repository."""

    repository: str
    service: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All rows; environments from the first to the last on the way out."""

    environments: tuple[str, ...]
    rows: tuple[Row, ...]


def in_order(environments: Iterable[str]) -> tuple[str, ...]:
    """Environments from the first to the last on the way out, as far as names tell."""

    def rank(name: str) -> tuple[int, str]:
        for place, beginnings in enumerate(WAY_OUT):
            if name.lower().startswith(beginnings):
                return place, name
        return 2, name

    return tuple(sorted(set(environments), key=rank))


def show_board(tx: Tx) -> Board:
    """Everything that runs somewhere, or waits to."""
    known = {place.place: place for place in tx.find(Place, order="place")}
    open_ones = tx.find(Deployment, order="number", state=(*WAITING, *UNDER_WAY))
    places = [*known.values(), *_new(open_ones, known)]
    numbers = tuple(place.deployment for place in places if place.deployment)
    running = {
        each.number: each for each in (tx.find(Deployment, number=numbers) if numbers else ())
    }
    waiting: dict[str, list[Deployment]] = defaultdict(list)
    for each in open_ones:
        waiting[each.place].append(each)
    rows: dict[tuple[str, str], dict[str, Cell]] = defaultdict(dict)
    for place in places:
        rows[place.repository, place.service][place.environment] = Cell(
            place=place,
            deployment=running.get(place.deployment),
            waiting=tuple(waiting[place.place]),
        )
    return Board(
        environments=in_order(place.environment for place in places),
        rows=tuple(
            Row(repository=repository, service=service, cells=cells)
            for (repository, service), cells in sorted(rows.items())
        ),
    )


def _new(deployments: Iterable[Deployment], known: Mapping[str, Place]) -> Iterable[Place]:
    """Places to which something waits to be deployed for the first time."""
    return {each.place: _empty(each) for each in deployments if each.place not in known}.values()


def _empty(deployment: Deployment) -> Place:
    return Place(
        place=deployment.place,
        repository=deployment.repository,
        environment=deployment.environment,
        service=deployment.service,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDetail:
    """One place with its history, newest first."""

    cell: Cell
    history: tuple[Deployment, ...]


def show_place(tx: Tx, place: str, *, limit: int = 50) -> PlaceDetail:
    """One place (`REPOSITORY/ENVIRONMENT/SERVICE`); `NotFound` when nothing was ever sent there."""
    history = tuple(tx.find(Deployment, order="-number", limit=limit, place=place))
    record = tx.get(Place, place) or (_empty(history[0]) if history else None)
    if record is None:
        raise NotFound(f"Nothing was ever deployed to {place}.", hint="windlass environments list")
    return PlaceDetail(
        cell=Cell(
            place=record,
            deployment=tx.get(Deployment, record.deployment) if record.deployment else None,
            waiting=tuple(
                tx.find(Deployment, order="number", place=place, state=(*WAITING, *UNDER_WAY))
            ),
        ),
        history=history,
    )


def show_deployment(tx: Tx, number: int) -> Deployment:
    """One deployment; `NotFound` when there is none."""
    found = tx.get(Deployment, number)
    if found is None:
        raise NotFound(f"there is no deployment {number}", hint="windlass environments list")
    return found
