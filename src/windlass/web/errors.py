"""
From an error's class to an answer, in one place.

The class decides, never the text: what a person can mend is 4xx, what may
succeed later is 503 with `Retry-After`, and the rest is 500 without a word of
what is inside. The API and the pages both answer from `Problem`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from starlette.exceptions import HTTPException

from windlass.core.errors import (
    ConfigError,
    Conflict,
    Fault,
    InputError,
    NotAllowed,
    NotFound,
    Permanent,
    Transient,
    UserError,
    WrongInput,
)

STATUS: tuple[tuple[type[UserError], int], ...] = (
    (ConfigError, 400),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (UserError, 400),
)

# Codes and texts for what the framework itself refuses.
PLAIN = {
    400: ("bad-request", "The request could not be understood."),
    401: ("not-signed-in", "This needs a token."),
    403: ("not-allowed", "This is not allowed."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method", "This address does not take that method."),
    408: ("slow", "The request did not arrive in time."),
    413: ("too-large", "The request is larger than this address takes."),
    414: ("too-long", "The address is longer than any of this server's."),
    415: ("media-type", "This address takes another kind of content."),
    421: ("host", "This server does not answer to that host name."),
    429: ("too-many", "Too many tries; wait a minute."),
}

RETRY_AFTER = 5.0


class SignInNeeded(UserError):
    """Nobody is signed in, and this needs a person (401)."""

    code = "not-signed-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is told of an error; `retry_after` in seconds."""

    status: int
    code: str
    message: str
    hint: str = ""
    faults: tuple[Fault, ...] = ()
    inputs: tuple[WrongInput, ...] = ()
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to it."""
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        if self.status == 408:
            return {"Connection": "close"}
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def describe(error: Exception) -> Problem:
    """What to tell of this error, and with which status."""
    match error:
        case SignInNeeded():
            return Problem(status=401, code=error.code, message=error.message, hint=error.hint)
        case UserError():
            status = next(status for kind, status in STATUS if isinstance(error, kind))
            faults = error.faults if isinstance(error, ConfigError) else ()
            inputs = error.inputs if isinstance(error, InputError) else ()
            return Problem(
                status=status,
                code=error.code,
                message=error.message,
                hint=error.hint,
                faults=faults,
                inputs=inputs,
            )
        case Transient():
            wait = RETRY_AFTER if error.retry_after is None else error.retry_after
            return Problem(
                status=503, code="later", message=str(error), retry_after=math.ceil(max(wait, 1.0))
            )
        case Permanent():
            return Problem(status=502, code="outside", message=str(error))
        case HTTPException():
            code, message = PLAIN.get(error.status_code, ("http", str(error.detail)))
            return Problem(status=error.status_code, code=code, message=message)
        case _:
            return Problem(
                status=500,
                code="bug",
                message="Something in Windlass is wrong; the server's log says what.",
            )


def plain(status: int, *, hint: str = "") -> Problem:
    """What is told when we refuse before anyone has looked at the request."""
    code, message = PLAIN[status]
    return Problem(status=status, code=code, message=message, hint=hint)
