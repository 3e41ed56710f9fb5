"""
The API as one FastAPI application, to be mounted under /api/v1.

Its OpenAPI document is at /api/v1/openapi.json; operation ids are a promise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

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

# How a kind of value that an input may have is named to people, in this order.
KINDS = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}
ORDER = list(KINDS.values())


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
    return answer(Problem(status=400, code="bad-request", message="; ".join(_faults(error))))


def _faults(error: RequestValidationError) -> Iterator[str]:
    """What is wrong, each with its place; a value that may be of several kinds is one fault."""
    kinds: dict[str, list[str]] = {}
    for each in error.errors():
        *where, last = (str(part) for part in each["loc"])
        place = ".".join((*where, last)).removeprefix("body.")
        word = KINDS.get(last)
        if word is None or len(where) < 2:
            yield f"{place}: {each['msg']}"
            continue
        words = kinds.setdefault(place.rpartition(".")[0], [])
        if word not in words:
            words.append(word)
    for place, words in kinds.items():
        yield f"{place}: {', '.join(sorted(words, key=ORDER.index))}"


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
