"""
What the routes of the API have in common: the parts, the person, the limits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from windlass.core.errors import UserError
from windlass.engine.requests.asked import unknown
from windlass.ports.records import Repository
from windlass.ports.store import Tx
from windlass.web.api.models.shape import ErrorEnvelope
from windlass.web.errors import SignInNeeded
from windlass.web.guard import session_of
from windlass.web.parts import Parts, parts_of

# Every route may answer with these; said once for the schema.
FAULTS: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorEnvelope, "description": text}
    for status, text in (
        (400, "It could not be understood, or the configuration has faults."),
        (401, "It needs a token."),
        (403, "This person may not do this."),
        (404, "There is no such thing."),
        (409, "It cannot be done now."),
        (503, "Another try may succeed, not before Retry-After."),
    )
}


def _parts(request: Request) -> Parts:
    return parts_of(request)


def _actor(request: Request) -> str:
    """The name of the person; the guard has refused requests that need one and have none."""
    session = session_of(request.scope)
    if session is None:
        raise SignInNeeded("This needs a token.", hint="send `Authorization: Bearer TOKEN`")
    return session.name


def fits(tx: Tx, repository: str, state: str = "", states: Collection[str] = ()) -> None:
    """Refuse a filter that names a repository, or a state, that there is not."""
    for one in state.split(",") if state else ():
        if one not in states:
            said = f"there is no state {one!r}; there are {', '.join(states)}"
            raise UserError(said, code="bad-request")
    if repository and tx.get(Repository, repository) is None:
        raise unknown(repository)


With = Annotated[Parts, Depends(_parts)]
Actor = Annotated[str, Depends(_actor)]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Before = Annotated[
    int | None, Query(ge=0, le=2**62, description="Only numbers below this: the next part.")
]
Of = Annotated[str, Query(description="Only of this repository.")]
OneOf = Annotated[str, Query(min_length=1, description="The repository.")]
