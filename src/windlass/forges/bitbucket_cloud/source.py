"""
What can be asked of a repository on Bitbucket Cloud: `Source`.

A pull request tells twelve digits of its commits, and two commits can be made that begin
alike. So its head is taken from the list of its own commits, and never guessed.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from windlass.core.errors import NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.bitbucket_api.place import Place, Right
from windlass.forges.bitbucket_cloud.approvals import approvals, approving, called
from windlass.forges.bitbucket_cloud.place import BitbucketCloud, pages
from windlass.forges.http.api import Json, fields, items, text
from windlass.forges.http.client import Denied, Http, Tokens
from windlass.git.refs import is_sha
from windlass.ports.forge import Login, Permission, PullRequest, PullState

READ = Right(
    "Repositories: Read and Pull requests: Read",
    "read:repository:bitbucket and read:pullrequest:bitbucket",
)
ADMIN = Right(
    "Repositories: Admin",
    "read:workspace:bitbucket, read:user:bitbucket and admin:repository:bitbucket of an"
    " administrator of the repository",
)
STATES = {"OPEN": PullState.OPEN, "MERGED": PullState.MERGED}
# Heads of pull requests that are remembered.
KEPT = 4096

_PERSON = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}")


class CloudSource(BitbucketCloud):
    """`Source` of Bitbucket Cloud."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        # (repository, number, beginning) -> the whole commit.
        self._whole: OrderedDict[tuple[str, int, str], str] = OrderedDict()

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests."""
        place = self._at(url, anonymous=True)
        found = {}
        with place.needs(READ):
            for kind, prefix in (("branches", "refs/heads/"), ("tags", "refs/tags/")):
                async for ref in place.every(f"/refs/{kind}", {"pagelen": 100}):
                    found[prefix + text(ref, "name")] = text(ref, "target", "hash")
            pulls = [
                one async for one in place.every("/pullrequests", {"state": "OPEN", "pagelen": 50})
            ]
            for pull in pulls:
                branch = f"refs/heads/{text(pull, 'source', 'branch', 'name')}"
                near = "" if _foreign(pull) else found.get(branch, "")
                sha = await self._head(place, pull, near)
                found[f"refs/pull/{text(pull, 'id')}/head"] = sha
        return {ref: sha for ref, sha in found.items() if is_sha(sha)}

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now; `NotFound` when there is none."""
        place = self._at(url, anonymous=True)
        with place.needs(READ):
            pull = await place.get(f"/pullrequests/{number}")
            head = await _tip(place, number, text(pull, "source", "commit", "hash"))
            state = STATES.get(text(pull, "state"), PullState.CLOSED)
            made = text(pull, "merge_commit", "hash") if state is PullState.MERGED else ""
            merged = await _commit(place, made) if made else ""
            approved = await approvals(place, pull, head)
        return PullRequest(
            number=number,
            title=text(pull, "title"),
            author=called(pull.get("author")),
            author_id=text(pull, "author", "uuid"),
            base=text(pull, "destination", "branch", "name"),
            head=text(pull, "source", "branch", "name"),
            head_sha=head,
            state=state,
            merge_sha=merged,
            fork=_foreign(pull),
            fork_owner=text(pull, "source", "repository", "full_name").rpartition("/")[0]
            if _foreign(pull)
            else "",
            draft=pull.get("draft") is True,
            web_url=text(pull, "links", "html", "href"),
            approved_by=tuple(called(one.get("user")) for one in approving(pull)),
            approvals=approved,
            created_at=_moment(text(pull, "created_on")),
            updated_at=_moment(text(pull, "updated_on")),
        )

    async def permission(self, url: str, sender_id: str) -> Permission:
        """
        What this person may do there, `sender_id` being the account's uuid in braces.

        With an API token that counts every way in which it was given. With an access token
        Bitbucket tells only what was given to the person by name.
        """
        if not _PERSON.fullmatch(sender_id):
            return Permission.NONE
        place = self._at(url)
        with place.needs(ADMIN):
            try:
                return await _effective(place, sender_id)
            except Denied:
                return await _explicit(place, sender_id)

    async def default_branch(self, url: str) -> str:
        """The main branch."""
        place = self._at(url, anonymous=True)
        with place.needs(READ):
            name = text(await place.get(""), "mainbranch", "name")
        if not name:
            raise UserError(
                f"{place.url} has no main branch",
                hint="push a first commit, or choose one in the repository's settings",
            )
        return name

    async def credential(self, url: str) -> Login | None:
        """The token, under the name that Bitbucket wants beside its kind."""
        place, token = self._at(url, anonymous=True), self._tokens(url)
        if not token:
            return None
        who, colon, secret = token.rpartition(":")
        if not colon:
            return Login("x-token-auth", token)
        if not secret:
            raise NotAllowed(
                f"the token for {place.url} ends with a colon",
                hint=f"it is EMAIL:API-TOKEN; store it again: windlass repo token {place.url}",
            )
        return Login("x-bitbucket-api-token-auth" if "@" in who else who, secret)

    async def _head(self, place: Place, pull: Json, near: str) -> str:
        """The whole commit at a pull request's head; `near` is that of its branch here."""
        short = text(pull, "source", "commit", "hash")
        if short and near.startswith(short):
            return near
        number = int(text(pull, "id") or 0)
        known = (place.url, number, short)
        if known not in self._whole:
            try:
                self._whole[known] = await _tip(place, number, short)
            except Permanent:
                # Nobody can tell; the other heads are no worse for it.
                return ""
            if len(self._whole) > KEPT:
                self._whole.popitem(last=False)
        return self._whole[known]


async def _tip(place: Place, number: int, short: str) -> str:
    """The whole commit that a pull request's head begins to tell."""
    try:
        page = await place.get(f"/pullrequests/{number}/commits", {"pagelen": 1})
    except NotFound:
        page = {}
    newest = next((text(fields(one), "hash") for one in items(page.get("values") or [])), "")
    if not newest:
        # The list goes with the branch or the fork; the commit itself may be here.
        return await _commit(place, short)
    if not is_sha(newest) or not newest.startswith(short):
        raise Transient(f"{place.url}: pull request {number} moved while it was looked at")
    return newest


async def _commit(place: Place, short: str) -> str:
    """The whole id of a commit of this repository."""
    try:
        whole = text(await place.get(f"/commit/{quote(short, safe='')}"), "hash") if short else ""
    except NotFound:
        whole = ""
    if not is_sha(whole) or not whole.startswith(short):
        raise Permanent(f"{place.url}: Bitbucket does not tell the whole commit {short[:40]!r}")
    return whole


async def _effective(place: Place, who: str) -> Permission:
    """What the person may do by name, by group, by project and as an owner together."""
    path = f"/workspaces/{quote(place.at.owner)}/permissions/repositories/"
    query: dict[str, str | int] = {"q": f'user.uuid="{who}"', "pagelen": 100}
    async for one in pages(place.api, path + quote(place.at.name), query):
        # Were the question not understood, the answer would be about everybody.
        if text(one, "user", "uuid") == who:
            return _level(text(one, "permission"))
    return Permission.NONE


async def _explicit(place: Place, who: str) -> Permission:
    """What was given to the person by name."""
    try:
        one = await place.get(f"/permissions-config/users/{quote(who, safe='')}")
    except NotFound:
        return Permission.NONE
    return _level(text(one, "permission")) if text(one, "user", "uuid") == who else Permission.NONE


def _level(word: str) -> Permission:
    return Permission(word) if word in set(Permission) else Permission.NONE


def _foreign(pull: Json) -> bool:
    """Whether the head is in another repository, or in one that is gone."""
    home = text(pull, "destination", "repository", "uuid")
    return not home or text(pull, "source", "repository", "uuid") != home


def _moment(written: str) -> float:
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0
