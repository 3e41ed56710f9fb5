"""
Signing in: a token pasted once, or a link that `windlass up` printed, becomes a cookie.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from windlass.web.auth import SESSION_SECONDS, SHARED, safe_name
from windlass.web.errors import plain
from windlass.web.guard import cookie_name, safe_next
from windlass.web.pages.forms import fields, read_form
from windlass.web.pages.page import problem_page, render
from windlass.web.parts import parts_of


async def show(request: Request) -> Response:
    """The form; a link with a code needs only a click, so that a preview of it uses nothing up."""
    query = request.query_params
    values = {"code": query.get("code", ""), "next": safe_next(query.get("next", "/"))}
    return render(request, "login.html", {**values, "wrong": False})


async def sign_in(request: Request) -> Response:
    """Trade a token or a code for a cookie, under a fresh session."""
    parts, form = parts_of(request), await fields(request)
    now = parts.clock.now()
    if parts.keys.tired(now):
        return problem_page(request, plain(429))
    claimed = safe_name(form.get("name", "").strip())
    if code := form.get("code", ""):
        name = parts.keys.redeem(code)
        name = claimed or name if name == SHARED else name
    else:
        session = parts.keys.who(form.get("token", "").strip(), claimed)
        name = "" if session is None else session.name
    target = safe_next(form.get("next", "/"))
    if not name:
        parts.keys.missed(now)
        values = {"code": "", "next": target, "wrong": True}
        return render(request, "login.html", values, status=401)
    response = RedirectResponse(target, status_code=303)
    response.set_cookie(
        cookie_name(parts),
        parts.keys.cookie(name),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=parts.url.startswith("https:"),
    )
    return response


async def sign_out(request: Request) -> Response:
    """End the session."""
    form, parts = await read_form(request), parts_of(request)
    parts.keys.end(form.session)
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(cookie_name(parts), path="/")
    return response
