"""
Registering a GitHub App without typing: to GitHub with a manifest, and back with a code.

The state that travels along is signed, bound to the session and to the host, and old after
a quarter of an hour, so a code that somebody else has begun is not taken.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from windlass.core.errors import NotAllowed, UserError
from windlass.web.auth import Session
from windlass.web.errors import SignInNeeded
from windlass.web.guard import SECURITY_HEADERS, session_of
from windlass.web.pages.page import render
from windlass.web.parts import parts_of

GITHUB = "https://github.com"
_POLICY = "Content-Security-Policy"


async def begin(request: Request) -> Response:
    """The page with one button: what the App may do, and on to GitHub."""
    session, parts = _signed_in(request), parts_of(request)
    host = _host(request.query_params.get("host", "") or GITHUB)
    owner = request.query_params.get("owner", "").strip()
    owned = f"/organizations/{quote(owner, safe='')}" if owner else ""
    wanted = parts.requests.github_manifest()
    values = {
        "action": f"{host}{owned}/settings/apps/new?state={parts.keys.state(session, host)}",
        "manifest": json.dumps(wanted),
        "rights": wanted["default_permissions"],
        "host": host,
        "owner": owner,
    }
    page = render(request, "connect_github.html", values)
    # The one form of ours that leads elsewhere.
    policy = SECURITY_HEADERS[_POLICY].replace("form-action 'self'", f"form-action 'self' {host}")
    page.headers[_POLICY] = policy
    return page


async def done(request: Request) -> Response:
    """Back from GitHub: the code becomes the App, and its key is sealed."""
    session, parts = _signed_in(request), parts_of(request)
    host = parts.keys.stated(session, request.query_params.get("state", ""))
    if not host:
        raise NotAllowed(
            "This did not begin on a page of yours, or too long ago.",
            hint="begin again: /connect/github",
        )
    code = request.query_params.get("code", "")
    slug = await parts.requests.register_app(host, code, by=session.name)
    return RedirectResponse(
        f"/connect/github/ready?host={quote(host, safe='')}&app={quote(slug, safe='')}",
        status_code=303,
    )


async def ready(request: Request) -> Response:
    """What remains to do: choose the repositories of the App on GitHub, and add them here."""
    _signed_in(request)
    host = _host(request.query_params.get("host", "") or GITHUB)
    app = request.query_params.get("app", "")
    place = "apps" if host == GITHUB else "github-apps"
    install = f"{host}/{place}/{quote(app, safe='')}/installations/new"
    return render(request, "connected_github.html", {"install": install, "app": app, "host": host})


def _signed_in(request: Request) -> Session:
    session = session_of(request.scope)
    if session is None:
        raise SignInNeeded("Sign in first.")
    return session


def _host(text: str) -> str:
    """An origin, such as https://github.com; nothing else can be put into a policy."""
    parts = urlsplit(text)
    safe = (parts.hostname or "").replace("-", "").replace(".", "").isalnum()
    if parts.scheme not in {"https", "http"} or not safe or parts.username is not None:
        raise UserError("that is no address of a GitHub", hint="for example https://github.com")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise UserError("that is no address of a GitHub") from None
    return f"{parts.scheme}://{parts.hostname}{port}"
