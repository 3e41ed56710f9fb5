"""
Results as check runs, which only an App may make: with lines marked in the diff.

A run of ours with the same name is changed in place. But GitHub never takes a run back
from `completed`, and never takes a mark away from it; where either would be needed, as
when something is run again, a new one is made, and GitHub shows the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from windlass.forges.github.access import Asked
from windlass.forges.github.words import cut
from windlass.forges.http.api import Json, fields, items, text
from windlass.ports.forge import Annotation, Status, StatusState

# Marks in one call, and on one run.
BATCH, MOST = 50, 500
# Characters; GitHub takes 64 KiB of a message.
TITLE, MESSAGE = 255, 10_000

CONCLUSIONS: Mapping[StatusState, str] = {
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "cancelled",
    StatusState.NEUTRAL: "neutral",
}
TITLES: Mapping[StatusState, str] = {
    StatusState.PENDING: "In progress",
    StatusState.SUCCESS: "Succeeded",
    StatusState.FAILURE: "Failed",
    StatusState.ERROR: "Did not end by itself",
    StatusState.NEUTRAL: "Neutral",
}
LEVELS: Mapping[StatusState, str] = {
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "failure",
    StatusState.SUCCESS: "notice",
    StatusState.NEUTRAL: "notice",
    StatusState.PENDING: "notice",
}


async def put(asked: Asked, status: Status) -> None:
    """Make the check run of (commit, context) say this, unless it does already."""
    wanted, marks = _wanted(status), _marks(status)
    run = await _newest(asked, status)
    done = 0 if run is None else await _continued(asked, run, wanted, marks)
    if run is not None and done is not None:
        if done == len(marks) and _same(run, wanted):
            return
        await _change(asked, run, wanted, marks[done:])
        return
    first = {"name": status.context, "head_sha": status.sha, **_with(wanted, marks[:BATCH])}
    made = await asked.api.post(f"{asked.path}/check-runs", first)
    if marks[BATCH:]:
        await _change(asked, made, wanted, marks[BATCH:])


async def _newest(asked: Asked, status: Status) -> Json | None:
    """The newest run of our App with this name."""
    number = asked.app.id if asked.app else 0
    found = await asked.api.get(
        f"{asked.path}/commits/{status.sha}/check-runs",
        {"check_name": status.context, "app_id": number, "filter": "latest", "per_page": 100},
    )
    runs = [
        one
        for one in map(fields, items(found.get("check_runs")))
        if text(one, "name") == status.context and text(one, "app", "id") in {"", str(number)}
    ]
    return max(runs, key=lambda one: int(text(one, "id") or 0), default=None)


async def _continued(asked: Asked, run: Json, wanted: Json, marks: Sequence[Json]) -> int | None:
    """How many of the marks stand on the run; None when it cannot become what is wanted."""
    if text(run, "status") == "completed" != wanted["status"]:
        return None
    count = int(text(run, "output", "annotations_count") or 0)
    if count == 0:
        return 0
    if count > len(marks):
        return None
    path = f"{asked.path}/check-runs/{text(run, 'id')}/annotations"
    there = [one async for one in asked.api.every(path, {"per_page": 100})]
    return len(there) if list(map(_told, there)) == list(map(_told, marks[: len(there)])) else None


async def _change(asked: Asked, run: Json, wanted: Json, marks: Sequence[Json]) -> None:
    path = f"{asked.path}/check-runs/{text(run, 'id')}"
    for at in range(0, max(len(marks), 1), BATCH):
        await asked.api.send("PATCH", path, _with(wanted, marks[at : at + BATCH]))


def _wanted(status: Status) -> dict[str, object]:
    """What shall be told, apart from the marks."""
    ended = status.state in CONCLUSIONS
    return {
        "external_id": status.context,
        "status": "completed" if ended else "in_progress",
        **({"conclusion": CONCLUSIONS[status.state]} if ended else {}),
        **({"details_url": status.url} if status.url else {}),
        "output": {
            "title": cut(status.description, TITLE) or TITLES[status.state],
            "summary": _summary(status),
        },
    }


def _summary(status: Status) -> str:
    """Markdown, so nothing of a repository's or a log's own words is in it."""
    left = len(status.annotations) - MOST
    more = f"\n\n{left} more lines are marked there." if left > 0 else ""
    return (f"[Steps and log]({status.url})" if status.url else TITLES[status.state]) + more


def _marks(status: Status) -> list[dict[str, object]]:
    return [_mark(one, LEVELS[status.state]) for one in status.annotations[:MOST]]


def _mark(one: Annotation, level: str) -> dict[str, object]:
    return {
        "path": one.path,
        "start_line": one.line,
        "end_line": one.line,
        "annotation_level": level,
        "message": cut(one.message, MESSAGE),
    }


def _with(wanted: Json, marks: Sequence[Json]) -> dict[str, object]:
    """The body of a call; without marks the word is left out."""
    output = dict(fields(wanted["output"]))
    return {**wanted, "output": {**output, "annotations": list(marks)} if marks else output}


def _told(one: Json) -> tuple[str, ...]:
    return tuple(text(one, name) for name in ("path", "start_line", "message"))


def _same(run: Json, wanted: Json) -> bool:
    names = (("status",), ("conclusion",), ("details_url",), ("output", "title"))
    return all(text(run, *name) == text(wanted, *name) for name in names) and text(
        run, "output", "summary"
    ) == text(wanted, "output", "summary")
