"""
What every page shows: the view of each, and its template.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.errors import UserError
from windlass.engine.names import log_key, place_name
from windlass.engine.wording import Known, sentences
from windlass.ports.records import (
    Build,
    Delivery,
    Deployment,
    Place,
    Refusal,
    Repository,
    StoredRun,
)
from windlass.ports.store import Tx
from windlass.web.pages.ansi import show_log
from windlass.web.pages.page import Asked, Page
from windlass.web.parts import Parts
from windlass.web.stream import read_tail
from windlass.web.views.board import Board, PlaceDetail, show_board, show_place
from windlass.web.views.deployments import Filter, list_deployments
from windlass.web.views.events import (
    EventDetail,
    EventRow,
    list_events,
    list_refusals,
    list_unhandled,
    show_event,
)
from windlass.web.views.jobs import first_of_interest
from windlass.web.views.listeners import ListenersSeen, show_listeners
from windlass.web.views.runs import (
    list_builds,
    list_repositories,
    list_runs,
    show_build,
    show_run,
)

LIST = 50
LATEST = 8
# Digits from which on a number is taken for a commit's id.
SHORTEST = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The board, what needs a person, and what happened last."""

    board: Board
    repositories: tuple[Repository, ...]
    runs: tuple[StoredRun, ...]
    waiting: tuple[Deployment, ...]
    held: tuple[StoredRun, ...]

    @property
    def problems(self) -> tuple[Repository, ...]:
        """Repositories that need a person."""
        return tuple(each for each in self.repositories if each.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsView:
    """The list of events, deliveries that could not be handled, and refused requests."""

    rows: tuple[EventRow, ...]
    failed: tuple[Delivery, ...]
    refusals: tuple[Refusal, ...]
    repositories: tuple[str, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event with all there is to know, its explanation in words, and its repository."""

    detail: EventDetail
    lines: tuple[str, ...]
    repository: Repository | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainView:
    """What somebody asks about: a commit, or a pull request by its number."""

    repository: str
    about: str
    repositories: tuple[str, ...]

    @property
    def pull_request(self) -> int:
        """The number, with or without its sign; 0 where it is a commit's id."""
        text = self.about.removeprefix("#").removeprefix("!")
        return int(text) if text.isdecimal() and len(text) < SHORTEST else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsView:
    """The list of runs."""

    rows: tuple[StoredRun, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run, the job that is looked at, and what it deploys."""

    stored: StoredRun
    job: str
    attempt: int
    repository: Repository | None
    deployments: tuple[Deployment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A deployment that waits for people, what runs there now, and where to compare."""

    deployment: Deployment
    place: Place | None
    repository: Repository | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsView:
    """Everything that waits for a person."""

    deployments: tuple[Approval, ...]
    held: tuple[StoredRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """One place, its history and its repository."""

    detail: PlaceDetail
    repository: Repository | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildView:
    """One build, and where it went."""

    build: Build
    repository: Repository | None
    deployments: tuple[Deployment, ...]


def _board(tx: Tx, _asked: Asked) -> Overview:
    return Overview(
        board=show_board(tx),
        repositories=list_repositories(tx),
        runs=list_runs(tx, limit=LATEST),
        waiting=list_deployments(tx, Filter(state="approval")),
        held=list_runs(tx, state="held"),
    )


def _events(tx: Tx, asked: Asked) -> EventsView:
    rows = list_events(
        tx, repository=asked.query.get("repository", ""), before=asked.before(), limit=LIST
    )
    return EventsView(
        rows=rows,
        failed=list_unhandled(tx, repository=asked.query.get("repository", ""), limit=20),
        refusals=list_refusals(tx, limit=20),
        repositories=tuple(one.name for one in list_repositories(tx)),
        next=rows[-1].stored.number if len(rows) == LIST else None,
    )


def _event(tx: Tx, asked: Asked) -> EventView:
    detail = show_event(tx, asked.number())
    stored = detail.row.stored
    known = Known(
        event=stored,
        check=detail.check,
        verdicts=detail.verdicts,
        commands=detail.commands,
        runs=detail.runs,
    )
    return EventView(
        detail=detail,
        lines=sentences(known),
        repository=tx.get(Repository, stored.repository),
    )


def _asked_about(tx: Tx, asked: Asked) -> ExplainView:
    query = asked.query
    # The API's names are taken as well.
    number = query.get("pull_request", "").strip()
    about = query.get("about") or query.get("sha") or (number and f"#{number}")
    return ExplainView(
        repository=query.get("repository", ""),
        about=about.strip(),
        repositories=tuple(one.name for one in list_repositories(tx)),
    )


async def _explained(parts: Parts, view: object) -> dict[str, object]:
    """The answer in words, once there is a question."""
    if not isinstance(view, ExplainView) or not (view.repository and view.about):
        return {"lines": (), "event": None}
    number, ask = view.pull_request, parts.requests
    try:
        found = await (
            ask.explain_pull_request(view.repository, number)
            if number
            else ask.explain_commit(view.repository, view.about)
        )
    except UserError as error:
        # Said beside the box, where it can be mended.
        return {"lines": (error.message,), "event": None}
    return {"lines": found.lines, "event": found.event}


def _runs(tx: Tx, asked: Asked) -> RunsView:
    rows = list_runs(
        tx,
        repository=asked.query.get("repository", ""),
        state=asked.query.get("state", ""),
        before=asked.before(),
        limit=LIST,
    )
    return RunsView(rows=rows, next=rows[-1].number if len(rows) == LIST else None)


def _run(tx: Tx, asked: Asked) -> RunView:
    stored = show_run(tx, asked.number())
    job = asked.query.get("job", "")
    if job not in stored.run.jobs:
        job = first_of_interest(stored.run)
    last = stored.run.jobs[job].attempt if job else 1
    wanted = asked.query.get("attempt", "")
    given = int(wanted) if wanted.isdecimal() and len(wanted) < 7 else last
    attempt = given if 0 < given <= last else last
    return RunView(
        stored=stored,
        job=job,
        attempt=attempt,
        repository=tx.get(Repository, stored.repository),
        deployments=list_deployments(tx, Filter(run=stored.number)),
    )


async def _log(parts: Parts, view: object) -> dict[str, object]:
    """The end of the log, for browsers without scripts and for the first paint."""
    if not isinstance(view, RunView) or not view.job:
        return {"log": None}
    if view.stored.run.jobs[view.job].started_at is None:
        return {"log": None}
    key = log_key(view.stored.number, view.job, view.attempt)
    return {"log": show_log(await read_tail(parts, key))}


def _approvals(tx: Tx, _asked: Asked) -> ApprovalsView:
    return ApprovalsView(
        deployments=tuple(
            Approval(
                deployment=each,
                place=tx.get(Place, each.place),
                repository=tx.get(Repository, each.repository),
            )
            for each in list_deployments(tx, Filter(state="approval"))
        ),
        held=list_runs(tx, state="held"),
    )


def _place(tx: Tx, asked: Asked) -> PlaceView:
    repository = asked.text("repository")
    name = place_name(repository, asked.text("environment"), asked.text("service"))
    return PlaceView(detail=show_place(tx, name), repository=tx.get(Repository, repository))


def _builds(tx: Tx, asked: Asked) -> tuple[Build, ...]:
    query = asked.query
    return list_builds(
        tx, repository=query.get("repository", ""), service=query.get("service", ""), limit=LIST
    )


def _build(tx: Tx, asked: Asked) -> BuildView:
    build = show_build(tx, asked.text("name"))
    return BuildView(
        build=build,
        repository=tx.get(Repository, build.repository),
        deployments=tuple(tx.find(Deployment, order="-number", limit=LIST, digest=build.digest)),
    )


def _repositories(tx: Tx, _asked: Asked) -> tuple[Repository, ...]:
    return list_repositories(tx)


async def _circuits(parts: Parts, _view: object) -> dict[str, object]:
    """The code hosts that are left alone just now; no row of the store knows them."""
    return {"circuits": parts.requests.circuits()}


def _listeners(tx: Tx, asked: Asked) -> ListenersSeen:
    return show_listeners(tx, asked.text("name"))


async def _listing(parts: Parts, view: object) -> dict[str, object]:
    """The listeners themselves, which are in Git and not in the store."""
    if not isinstance(view, ListenersSeen):  # pragma: no cover
        return {}
    listing = await parts.requests.listeners(view.repository.name)
    return {"listing": listing, "asked": None, "problem": None, "wrong": {}}


BOARD = Page(template="board.html", read=_board)
EVENTS = Page(template="events.html", read=_events)
EVENT = Page(template="event.html", read=_event)
EXPLAIN = Page(template="explain.html", read=_asked_about, more=_explained)
RUNS = Page(template="runs.html", read=_runs)
RUN = Page(template="run.html", read=_run, more=_log)
APPROVALS = Page(template="approvals.html", read=_approvals)
PLACE = Page(template="place.html", read=_place)
BUILDS = Page(template="builds.html", read=_builds)
BUILD = Page(template="build.html", read=_build)
REPOSITORIES = Page(template="repositories.html", read=_repositories, more=_circuits)
LISTENERS = Page(template="listeners.html", read=_listeners, more=_listing)
