"""
Lists of this family's APIs, which come in pages, or whole.

Some lists say how many there are, some where the next page is, some both; one that says
neither is whole. A server may give fewer at once than it was asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from windlass.core.errors import Permanent
from windlass.forges.http.api import PAGES, Api, Json, fields, items

# The most that Gitea gives at once, unless it was set up otherwise.
LIMIT = 50


async def every(
    api: Api, path: str, params: Mapping[str, str | int] | None = None
) -> AsyncIterator[Json]:
    """Every object of a list."""
    seen = 0
    for page in range(1, PAGES + 1):
        asked = {**(params or {}), "page": page, "limit": LIMIT}
        answer = await api.send("GET", path, params=asked)
        found = items(answer.json())
        for one in found:
            yield fields(one)
        seen += len(found)
        total = answer.headers.get("x-total-count", "")
        more = seen < int(total) if total.isdecimal() else bool(answer.next)
        if not found or not more:
            return
    raise Permanent(f"{api.base}{path} has more than {PAGES} pages")
