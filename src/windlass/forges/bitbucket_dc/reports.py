"""
What Windlass tells Bitbucket Data Center of commits and pull requests: `Reports`.

A comment is ours when it has our mark and was written by the account that our token speaks
for. Whoever changes one says which version of it was read. Bitbucket knows deployments, but
wants each numbered in its environment, which nobody here could do twice alike; so there is
none to tell.
"""

from __future__ import annotations

from collections import OrderedDict

from windlass.core.errors import Conflict, NotFound, Permanent, Transient, UserError
from windlass.forges.bitbucket_api.place import Place, Right
from windlass.forges.bitbucket_dc.place import BitbucketDataCenter
from windlass.forges.bitbucket_words import MARK, NAMED, STATES, comment, cut, description, key
from windlass.forges.http.api import Json, report, text
from windlass.forges.http.client import Http, Tokens
from windlass.git.refs import is_sha
from windlass.ports.forge import Status

# Characters of a status's key and of its address.
KEYED, LINKED = 255, 450
# Comments whose id is remembered.
KEPT = 1000
STATUS, COMMENT = Right("Repository read"), Right("Repository write")


class DataCenterReports(BitbucketDataCenter):
    """`Reports` of Bitbucket Data Center."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        self._comments: OrderedDict[tuple[str, int], str] = OrderedDict()

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context); one with the same key is replaced."""
        if not is_sha(status.sha):
            raise Permanent(f"{status.sha[:80]!r} is no commit")
        try:
            place = self._at(url)
            page = f"{place.url}/commits/{status.sha}"
            body = {
                "key": key(status.context, KEYED),
                "name": cut(status.context, NAMED),
                "state": STATES[status.state],
                "description": description(status),
                "url": status.url if 0 < len(status.url) <= LINKED else page,
            }
            with place.needs(STATUS):
                await place.send("POST", f"/commits/{status.sha}/builds", body)
        except UserError as error:
            raise report(error) from None

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body`."""
        wanted = comment(body)
        try:
            place = self._at(url)
            with place.needs(COMMENT):
                await self._comment(place, number, wanted)
        except Conflict:
            raise Transient(f"{url}: the comment is changed by others too") from None
        except UserError as error:
            raise report(error) from None

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Nothing can be told; see above."""

    async def _comment(self, place: Place, number: int, wanted: str) -> None:
        path = f"/pull-requests/{number}"
        known = self._comments.get((place.url, number))
        one = await _read(place, f"{path}/comments/{known}") if known else None
        if one is None or not (await self._me(place)).wrote(one.get("author")):
            one = await self._ours(place, path)
        if one is None:
            one = await place.send("POST", f"{path}/comments", {"text": wanted})
        elif text(one, "text") != wanted and not await _changed(place, path, one, wanted):
            # It went away while we looked at it.
            one = await place.send("POST", f"{path}/comments", {"text": wanted})
        self._comments[place.url, number] = text(one, "id")
        if len(self._comments) > KEPT:
            self._comments.popitem(last=False)

    async def _ours(self, place: Place, path: str) -> Json | None:
        """Our comment on a pull request; the oldest, should there be several."""
        me = await self._me(place)
        found = None
        async for activity in place.every(f"{path}/activities"):
            one = activity.get("comment")
            if text(activity, "action") != "COMMENTED" or not isinstance(one, dict):
                continue
            if activity.get("commentAnchor") or not text(one, "text").startswith(MARK):
                continue
            if me.wrote(one.get("author")):
                # The newest stand first.
                found = one
        return found


async def _read(place: Place, path: str) -> Json | None:
    try:
        return await place.get(path)
    except NotFound:
        return None


async def _changed(place: Place, path: str, one: Json, wanted: str) -> bool:
    """Whether a comment says it now; False when it is gone. A stale version is read again once."""
    where = f"{path}/comments/{text(one, 'id')}"
    try:
        try:
            await place.send("PUT", where, {"text": wanted, "version": one.get("version")})
        except Conflict:
            fresh = await place.get(where)
            await place.send("PUT", where, {"text": wanted, "version": fresh.get("version")})
    except NotFound:
        return False
    return True
