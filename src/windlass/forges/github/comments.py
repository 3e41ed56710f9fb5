"""
The one comment of ours on a pull request.

It is known by a mark in its text and by its author: the mark alone anybody could write.
"""

from __future__ import annotations

from collections import OrderedDict

from windlass.core.errors import NotFound
from windlass.forges.github.access import Asked
from windlass.forges.github.words import COMMENT, cut
from windlass.forges.http.api import text
from windlass.ports.forge import MARKER

# Comments whose ids are remembered; of others the pull request is asked.
REMEMBERED = 2_000


class Comments:
    """Writes them, and remembers which they are."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], str] = OrderedDict()

    async def put(self, asked: Asked, number: int, body: str) -> None:
        """Make it say this; one that was deleted is made again."""
        said = cut(body if MARKER in body else f"{MARKER}\n{body}", COMMENT)
        key = (asked.place.api, number)
        known = self._known.get(key)
        if known and await _changed(asked, known, said):
            return
        path = f"{asked.path}/issues/{number}/comments"
        async for one in asked.api.every(path, {"per_page": 100}):
            if MARKER in text(one, "body") and await asked.ours(one, "user"):
                self._remember(key, text(one, "id"))
                same = text(one, "body") == said
                if same or await _changed(asked, text(one, "id"), said):
                    return
        made = await asked.api.post(path, {"body": said})
        self._remember(key, text(made, "id"))

    def _remember(self, key: tuple[str, int], comment: str) -> None:
        self._known[key] = comment
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


async def _changed(asked: Asked, comment: str, said: str) -> bool:
    """Whether it is still there, and now says this."""
    try:
        await asked.api.send("PATCH", f"{asked.path}/issues/comments/{comment}", {"body": said})
    except NotFound:
        return False
    return True
