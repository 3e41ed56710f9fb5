"""
What the buttons of the pages do: ask the engine, and go back to the page.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from windlass.engine.requests.replay import Replay
from windlass.web.guard import safe_next
from windlass.web.pages.forms import Form, read_form
from windlass.web.parts import parts_of


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
