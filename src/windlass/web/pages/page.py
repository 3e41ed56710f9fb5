"""
What a page is: a view read from the store, and a template that shows it.

From the one description come both the page itself and the stream that tells
when it would look different, so the two cannot disagree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from windlass.ports.store import Tx
from windlass.web.errors import Problem
from windlass.web.guard import session_of
from windlass.web.pages.render import TEMPLATES
from windlass.web.parts import Parts, parts_of
from windlass.web.stream import Changes, find_log, raw_log, stamp

Endpoint = Callable[[Request], Awaitable[Response]]
More = Callable[[Parts, object], Awaitable[Mapping[str, object]]]
THEMES = frozenset({"light", "dark"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for: parts of the path, and the query."""

    path: Mapping[str, str | int]
    query: Mapping[str, str]

    def number(self, name: str = "number") -> int:
        """A number in the path."""
        return int(self.path[name])

    def text(self, name: str) -> str:
        """A text in the path."""
        return str(self.path[name])

    def before(self) -> int | None:
        """Where the part of a list begins, when the query says so."""
        text = self.query.get("before", "")
        return int(text) if text.isdecimal() and len(text) < 19 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its template, how its view is read, and what it shows beside the store's truth."""

    template: str
    read: Callable[[Tx, Asked], object]
    more: More | None = None


def show(page: Page) -> Endpoint:
    """The page itself."""

    async def endpoint(request: Request) -> Response:
        asked = _asked(request)
        view = await parts_of(request).store.read(lambda tx: page.read(tx, asked))
        more = {} if page.more is None else await page.more(parts_of(request), view)
        url = _live_url(request, stamp(view))
        return render(request, page.template, {"view": view, "live": url, **more})

    return endpoint


def live(page: Page) -> Endpoint:
    """The stream of a page: an event each time it would look different."""

    async def endpoint(request: Request) -> Response:
        asked, parts = _asked(request), parts_of(request)
        await parts.store.read(lambda tx: page.read(tx, asked))
        changes: Changes = request.app.state.changes
        seen = request.headers.get("last-event-id") or request.query_params.get("stamp", "")
        name = f"{request.url.path}?{sorted(asked.query.items())}"
        return changes.watch(name, lambda: parts.store.read(lambda tx: page.read(tx, asked)), seen)

    return endpoint


async def raw(request: Request) -> Response:
    """The whole log of a job (`?job=`), as text."""
    query, number = request.query_params, int(request.path_params["number"])
    wanted = query.get("attempt", "")
    attempt = int(wanted) if wanted.isdecimal() and len(wanted) < 7 else None
    name = await find_log(parts_of(request), number, query.get("job", ""), attempt)
    return raw_log(parts_of(request), name)


def render(
    request: Request, template: str, values: Mapping[str, object], *, status: int = 200
) -> HTMLResponse:
    """A template with what every page needs: who is signed in, which theme, the time."""
    parts = parts_of(request)
    session = session_of(request.scope)
    theme = request.cookies.get("theme", "")
    text = TEMPLATES.get_template(template).render(
        **{"view": None, "live": "", **values},
        path=request.url.path,
        query=defaultdict(str, request.query_params),
        here=_here(request),
        name=session.name if session else "",
        csrf_token=session.csrf if session else "",
        theme=theme if theme in THEMES else "",
        now=parts.clock.now(),
        version=parts.version,
        notice=request.query_params.get("done", ""),
    )
    return HTMLResponse(text, status_code=status)


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem, as a page for people."""
    page = render(request, "problem.html", {"problem": problem}, status=problem.status)
    page.headers.update(problem.headers)
    return page


def _asked(request: Request) -> Asked:
    query = {name: value for name, value in request.query_params.items() if name != "stamp"}
    return Asked(path=request.path_params, query=query)


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _live_url(request: Request, seen: str) -> str:
    query = "&".join(
        f"{quote(name)}={quote(value)}" for name, value in request.query_params.items()
    )
    return f"/live{quote(request.url.path)}?{query}{'&' if query else ''}stamp={seen}"
