"""
Forms of the pages: read once, and only when they were made for this session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from windlass.core.errors import NotAllowed, UserError
from windlass.web.auth import Session
from windlass.web.errors import SignInNeeded
from windlass.web.guard import session_of
from windlass.web.parts import parts_of

MOST = 50
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a signed-in person sent."""

    by: str
    session: Session
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        """One field, without space around it; empty when it is missing."""
        return self.values.get(name, "").strip()


async def fields(request: Request) -> Mapping[str, str]:
    """The fields of a form, of which each comes once."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        raise NotAllowed("This address takes a form of a page.")
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST))
    except ValueError:
        raise UserError(f"This form has more than {MOST} fields.") from None


async def read_form(request: Request) -> Form:
    """The form, from the person whose page it stands on; `NotAllowed` when it is from elsewhere."""
    session = session_of(request.scope)
    if session is None:
        raise SignInNeeded("Sign in first.")
    values = await fields(request)
    if not session.by_token and not parts_of(request).keys.csrf_fits(
        session, values.get("csrf", "")
    ):
        raise NotAllowed(
            "This form is from an older page.", hint="reload the page and send it again"
        )
    return Form(by=session.name, session=session, values=values)
