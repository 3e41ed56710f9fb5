"""
What the buttons of the pages do: ask the engine, and go back to the page.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from windlass.core.errors import UserError
from windlass.engine.requests.listeners import ByHand
from windlass.engine.requests.replay import Replay
from windlass.ports.records import StoredEvent, StoredVerdict
from windlass.ports.store import Tx
from windlass.web.errors import describe
from windlass.web.guard import safe_next
from windlass.web.pages.forms import Form, read_form
from windlass.web.pages.page import render
from windlass.web.parts import Parts, parts_of
from windlass.web.views.listeners import show_listeners

# Before the names of inputs in a form.
INPUT = "input."
# How long somebody who has a listener run is kept, to be shown the run: tries, seconds between.
TRIES, PAUSE = 20, 0.1


def _number(request: Request) -> int:
    return int(request.path_params["number"])


def _place(request: Request) -> tuple[str, str, str]:
    path = request.path_params
    return path["repository"], path["service"], path["environment"]


def _back(form: Form, otherwise: str) -> Response:
    """To the page the form stood on; its answer is that page as it is now."""
    return RedirectResponse(safe_next(form.text("back") or otherwise), status_code=303)


async def cancel(request: Request) -> Response:
    """End a run."""
    form, number = await read_form(request), _number(request)
    await parts_of(request).requests.cancel(number, by=form.by, reason=form.text("reason"))
    return _back(form, f"/runs/{number}")


async def rerun(request: Request) -> Response:
    """Run it again, and go to the new run."""
    form = await read_form(request)
    stored = await parts_of(request).requests.rerun(_number(request), by=form.by)
    return RedirectResponse(f"/runs/{stored.number}", status_code=303)


async def replay(request: Request) -> Response:
    """Have an event, or a delivery that never became one, once more."""
    form, path = await read_form(request), request.path_params
    wanted = Replay(
        token=form.text("token"),
        events=(path["number"],) if "number" in path else (),
        deliveries=(path["identity"],) if "identity" in path else (),
        deploys=bool(form.text("deploy")),
    )
    await parts_of(request).requests.replay(wanted, by=form.by)
    return _back(form, f"/events/{path['number']}" if "number" in path else "/events")


async def run_listener(request: Request) -> Response:
    """Have a manual listener run, and go to what came of it."""
    form, path = await read_form(request), request.path_params
    parts = parts_of(request)
    wanted = ByHand(
        repository=path["repository"],
        listener=path["listener"],
        branch=form.text("branch"),
        ref=form.text("ref"),
        inputs={
            name.removeprefix(INPUT): text
            for name, text in form.values.items()
            if name.startswith(INPUT)
        },
        key=form.text("token"),
    )
    try:
        stored = await parts.requests.run_listener(wanted, by=form.by)
    except UserError as error:
        return await _again(request, wanted, error)
    where = await _came_of(parts, stored.id)
    return RedirectResponse(
        where or quote(f"/repositories/{wanted.repository}/listeners"), status_code=303
    )


async def _again(request: Request, wanted: ByHand, error: UserError) -> Response:
    """The form once more, with what was given and what is wrong with it; else the error."""
    parts, problem = parts_of(request), describe(error)
    view = await parts.store.read(lambda tx: show_listeners(tx, wanted.repository))
    listing = await parts.requests.listeners(wanted.repository)
    if not any(one.manual and one.name == wanted.listener for one in listing.listeners):
        raise error
    values = {
        "view": view,
        "listing": listing,
        "asked": wanted,
        "problem": problem,
        "wrong": {one.name: one for one in problem.inputs},
    }
    return render(request, "listeners.html", values, status=problem.status)


async def _came_of(parts: Parts, delivery: str) -> str:
    """The page of the run, else of the event, that a delivery became; empty if it takes long."""

    def work(tx: Tx) -> str:
        for event in tx.find(StoredEvent, delivery=delivery, limit=1):
            runs = [one.run for one in tx.find(StoredVerdict, event=event.number) if one.run]
            return f"/runs/{runs[0]}" if len(runs) == 1 else f"/events/{event.number}"
        return ""

    for _ in range(TRIES):
        if where := await parts.store.read(work):
            return where
        await parts.clock.sleep(PAUSE)
    return ""


async def release(request: Request) -> Response:
    """Let a held run go."""
    form, number = await read_form(request), _number(request)
    await parts_of(request).requests.release(number, by=form.by)
    return _back(form, f"/runs/{number}")


async def approve(request: Request) -> Response:
    """Consent to a deployment."""
    form = await read_form(request)
    await parts_of(request).requests.approve(_number(request), by=form.by)
    return _back(form, "/approvals")


async def reject(request: Request) -> Response:
    """Refuse a deployment."""
    form = await read_form(request)
    await parts_of(request).requests.reject(_number(request), by=form.by, why=form.text("why"))
    return _back(form, "/approvals")


async def rollback(request: Request) -> Response:
    """Go back to a stored build, and show the run that does it."""
    form = await read_form(request)
    repository, service, environment = _place(request)
    stored = await parts_of(request).requests.rollback(
        repository,
        service,
        environment,
        digest=form.text("digest"),
        by=form.by,
        why=form.text("why"),
    )
    return RedirectResponse(f"/runs/{stored.number}", status_code=303)


async def unpin(request: Request) -> Response:
    """Let a pinned place follow its listeners again."""
    form = await read_form(request)
    repository, service, environment = _place(request)
    await parts_of(request).requests.unpin(repository, service, environment, by=form.by)
    place = f"/places/{repository}/at/{environment}/of/{service}"
    return _back(form, quote(place))
