"""
What Windlass tells Bitbucket Cloud of commits and pull requests: `Reports`.

A comment is ours when it has our mark and was written by us. An access token may not ask
who it is (that takes the scope `account`, which it cannot have). Then Bitbucket itself is
the judge: it lets nobody change the comment of another, and its first answer tells who we
are. Deployments belong to Bitbucket's own pipelines, so there is none to tell.
"""

from __future__ import annotations

from collections import OrderedDict

from windlass.core.errors import NotFound, Permanent, UserError
from windlass.forges.bitbucket_api.place import Place, Right
from windlass.forges.bitbucket_cloud.place import BitbucketCloud
from windlass.forges.bitbucket_words import MARK, NAMED, STATES, comment, cut, description, key
from windlass.forges.http.api import Json, report, text
from windlass.forges.http.client import Denied, Http, Tokens
from windlass.git.refs import is_sha
from windlass.ports.forge import Status

# Characters of a status's key.
KEYED = 40
# Comments whose id is remembered, and marked ones of others that are tried at most.
KEPT, TRIED = 1000, 50

STATUS = Right("Repositories: Read", "read:repository:bitbucket")
COMMENT = Right(
    "Pull requests: Write", "read:pullrequest:bitbucket and write:pullrequest:bitbucket"
)


class CloudReports(BitbucketCloud):
    """`Reports` of Bitbucket Cloud."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        # Authorization -> the account's uuid; (repository, number) -> the comment's id.
        self._who: dict[str, str] = {}
        self._comments: OrderedDict[tuple[str, int], str] = OrderedDict()

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context); one with the same key is replaced."""
        if not is_sha(status.sha):
            raise Permanent(f"{status.sha[:80]!r} is no commit")
        try:
            place = self._at(url)
            body = {
                "key": key(status.context, KEYED),
                "name": cut(status.context, NAMED),
                "state": STATES[status.state],
                "description": description(status),
                "url": status.url or f"{place.url}/commits/{status.sha}",
            }
            with place.needs(STATUS):
                await place.send("POST", f"/commit/{status.sha}/statuses/build", body)
        except UserError as error:
            raise report(error) from None

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body`."""
        try:
            place = self._at(url)
            with place.needs(COMMENT):
                await self._comment(place, f"/pullrequests/{number}/comments", number, body)
        except UserError as error:
            raise report(error) from None

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Only Bitbucket's own pipelines deploy there: nothing."""

    async def _comment(self, place: Place, path: str, number: int, body: str) -> None:
        wanted = comment(body)
        known = self._comments.get((place.url, number))
        if known and await self._edited(place, f"{path}/{known}", wanted):
            return
        for one in await self._ours(place, path):
            if text(one, "content", "raw") == wanted and self._me(place):
                self._keep(place, number, one)
                return
            try:
                changed = await place.send("PUT", f"{path}/{text(one, 'id')}", _content(wanted))
            except NotFound:
                continue
            except Denied as error:
                if error.status == 401:
                    raise
                # It carries our mark, and somebody else wrote it.
                continue
            self._keep(place, number, changed)
            return
        self._keep(place, number, await place.send("POST", path, _content(wanted)))

    async def _edited(self, place: Place, path: str, wanted: str) -> bool:
        """Whether the comment that is remembered says it now; it may have been deleted."""
        try:
            one = await place.get(path)
            if one.get("deleted") is True:
                return False
            if text(one, "content", "raw") != wanted:
                await place.send("PUT", path, _content(wanted))
        except NotFound:
            return False
        except Denied as error:
            if error.status == 401:
                raise
            # It was written with another token than we have now.
            return False
        return True

    async def _ours(self, place: Place, path: str) -> list[Json]:
        """Comments that are ours, or may be while we do not know who we are; oldest first."""
        await self._ask(place)
        me = self._me(place)
        found = []
        async for one in place.every(path, {"pagelen": 100}):
            if one.get("deleted") is True or one.get("inline"):
                continue
            writer = text(one, "user", "uuid")
            if text(one, "content", "raw").startswith(MARK) and (not me or writer == me):
                found.append(one)
        return found[:TRIED]

    async def _ask(self, place: Place) -> None:
        """Ask once who we are."""
        if self._me(place):
            return
        try:
            self._learn(place, await place.api.get("/user"))
        except Denied:
            # An access token, or one without that scope. The first comment will tell.
            return

    def _me(self, place: Place) -> str:
        return self._who.get(place.api.credential.headers.get("authorization", ""), "")

    def _learn(self, place: Place, account: object) -> None:
        uuid = text(account, "uuid") if isinstance(account, dict) else ""
        if uuid:
            self._who[place.api.credential.headers.get("authorization", "")] = uuid

    def _keep(self, place: Place, number: int, one: Json) -> None:
        self._learn(place, one.get("user"))
        self._comments[place.url, number] = text(one, "id")
        if len(self._comments) > KEPT:
            self._comments.popitem(last=False)


def _content(raw: str) -> dict[str, dict[str, str]]:
    return {"content": {"raw": raw}}
