"""
The one comment of ours on a pull request.

It is found by what it begins with and by who wrote it, so that nobody else's words are ever
taken for ours; then it is remembered. Gone, it is made again.
"""

from __future__ import annotations

from windlass.core.errors import NotFound
from windlass.forges.http.api import Api, text
from windlass.ports.forge import MARKER

# Bytes: where the forge keeps its texts in MySQL, the column holds no more.
LARGEST = 65_000
CUT = "\n\n… cut, see the run's page"
# So many comments are remembered.
KNOWN = 1000


class OneComment:
    """Where our comments are; kept in memory only, for they can be found again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], str] = {}

    def knows(self, api: Api, issue: str, me: str) -> bool:
        """Whether we have one there, so that `issue` exists."""
        return (api.base, issue, me) in self._known

    async def put(self, api: Api, issue: str, me: str, body: str) -> None:
        """Make ours on `issue` (`/repos/O/N/issues/7`) say this; `me` is the id of its author."""
        repository = issue.rpartition("/issues/")[0]
        key = (api.base, issue, me)
        said = cut(body if body.startswith(MARKER) else f"{MARKER}\n{body}")
        known = self._known.pop(key, "")
        if not known:
            known, stands = await _find(api, issue, me)
            if known and stands == said:
                self._keep(key, known)
                return
        if known:
            try:
                await api.send("PATCH", f"{repository}/issues/comments/{known}", {"body": said})
            except NotFound:
                known = ""
        if not known:
            known = text(await api.post(f"{issue}/comments", {"body": said}), "id")
        self._keep(key, known)

    def _keep(self, key: tuple[str, str, str], known: str) -> None:
        self._known[key] = known
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]


def cut(body: str) -> str:
    """
    The text, no longer than the forge takes.

    >>> len(cut("ä" * 40_000).encode()) <= LARGEST
    True
    """
    whole = body.encode("utf-8", "replace")
    if len(whole) <= LARGEST:
        return whole.decode()
    return whole[: LARGEST - len(CUT.encode())].decode("utf-8", "ignore") + CUT


async def _find(api: Api, issue: str, me: str) -> tuple[str, str]:
    """Id and text of our comment; empty when there is none."""
    async for one in api.every(f"{issue}/comments"):
        body = text(one, "body")
        if body.startswith(MARKER) and text(one, "user", "id") == me:
            return text(one, "id"), body
    return "", ""
