"""
Every route, on one page.

`make_app` is all that `wiring` needs. A route that shows something has a twin
under /live that tells when it changes; a route that changes something is a POST.
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from windlass.core.errors import WindlassError
from windlass.web import health
from windlass.web.api.app import answer, make_api
from windlass.web.errors import Problem, describe
from windlass.web.guard import API, SAFE, Guard, login_url
from windlass.web.pages import asking, connect, every, login
from windlass.web.pages.page import Page, live, problem_page, raw, show
from windlass.web.parts import Parts
from windlass.web.stream import Changes

LISTENER = "/repositories/{repository:path}/listeners/{listener}"
PLACE = "{repository:path}/at/{environment:path}/of/{service}"

PAGES: tuple[tuple[str, Page], ...] = (
    ("/", every.BOARD),
    ("/events", every.EVENTS),
    ("/events/{number:int}", every.EVENT),
    ("/explain", every.EXPLAIN),
    ("/runs", every.RUNS),
    ("/runs/{number:int}", every.RUN),
    ("/approvals", every.APPROVALS),
    (f"/places/{PLACE}", every.PLACE),
    ("/builds", every.BUILDS),
    ("/builds/{name:path}", every.BUILD),
    ("/repositories", every.REPOSITORIES),
    ("/repositories/{name:path}/listeners", every.LISTENERS),
)


def make_app(parts: Parts) -> Starlette:
    """The whole web of a running program."""
    routes: list[BaseRoute] = [
        *parts.hooks,
        Mount("/api/v1", make_api(parts)),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
        Route("/login", login.show, methods=["GET"]),
        Route("/login", login.sign_in, methods=["POST"]),
        Route("/logout", login.sign_out, methods=["POST"]),
        Route("/connect/github", connect.begin),
        Route("/connect/github/done", connect.done),
        Route("/connect/github/ready", connect.ready),
        Route("/runs/{number:int}/log", raw),
        *(Route(path, show(page)) for path, page in PAGES),
        *(Route(f"/live{path}", live(page)) for path, page in PAGES),
        Route("/events/{number:int}/replay", asking.replay, methods=["POST"]),
        Route("/deliveries/{identity}/replay", asking.replay, methods=["POST"]),
        Route("/runs/{number:int}/cancel", asking.cancel, methods=["POST"]),
        Route("/runs/{number:int}/rerun", asking.rerun, methods=["POST"]),
        Route("/runs/{number:int}/release", asking.release, methods=["POST"]),
        Route("/deployments/{number:int}/approve", asking.approve, methods=["POST"]),
        Route("/deployments/{number:int}/reject", asking.reject, methods=["POST"]),
        Route(f"{LISTENER}/run", asking.run_listener, methods=["POST"]),
        Route(f"/places/{PLACE}/rollback", asking.rollback, methods=["POST"]),
        Route(f"/places/{PLACE}/unpin", asking.unpin, methods=["POST"]),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, parts=parts, refuse=_refuse)],
        exception_handlers={WindlassError: _failed, HTTPException: _failed, Exception: _failed},
    )
    app.state.parts = parts
    app.state.changes = Changes(parts.store)
    return app


async def _failed(request: Request, error: Exception) -> Response:
    return _word(request, describe(error))


def _word(request: Request, problem: Problem) -> Response:
    """A problem, worded for a program or for a person."""
    if request.url.path.startswith(API):
        return answer(problem)
    return problem_page(request, problem)


def _refuse(scope: Scope, problem: Problem) -> ASGIApp:
    request = Request(scope)
    page = not request.url.path.startswith((API, "/live", "/metrics"))
    if problem.status == 401 and page and request.method in SAFE:
        return RedirectResponse(login_url(scope), status_code=303)
    return _word(request, problem)
