"""
The API as one FastAPI application, to be mounted under /api/v1.

Its OpenAPI document is at /api/v1/openapi.json; operation ids are a promise.
"""

from __future__ import annotations

import json

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from windlass.core.errors import WindlassError
from windlass.web.api.asking import FAULTS
from windlass.web.api.models.shape import ErrorEnvelope
from windlass.web.api.routes import (
    deployments,
    events,
    listeners,
    pull_requests,
    repositories,
    runs,
    shadow,
    status,
)
from windlass.web.errors import Problem, describe
from windlass.web.parts import Parts

DESCRIPTION = "Everything that `windlass` and the pages can do. Times are ISO 8601, UTC."


class _Ascii(JSONResponse):
    """What repeats the words of a request, halves of characters among them, which UTF-8 lacks."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def answer(problem: Problem) -> JSONResponse:
    """A problem, in the words of the API."""
    return _Ascii(
        ErrorEnvelope.of(problem).model_dump(),
        status_code=problem.status,
        headers=problem.headers,
    )


async def _failed(_request: Request, error: Exception) -> Response:
    return answer(describe(error))


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):  # pragma: no cover
        raise error
    said = "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()
    )
    return answer(Problem(status=400, code="bad-request", message=said))


def make_api(parts: Parts) -> FastAPI:
    """The API of a running program."""
    api = FastAPI(
        title="Windlass",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses=FAULTS,
        separate_input_output_schemas=False,
    )
    api.state.parts = parts
    routes = (
        repositories,
        listeners,
        shadow,
        events,
        runs,
        deployments,
        pull_requests,
        status,
    )
    for part in routes:
        api.include_router(part.router)
    for kind in (WindlassError, HTTPException, Exception):
        api.add_exception_handler(kind, _failed)
    api.add_exception_handler(RequestValidationError, _invalid)
    return api
