"""
What can be asked of a repository on Bitbucket Data Center: `Source`.

A person is known by the number of the account, as webhooks tell it. Bitbucket cannot be
asked about a number, so the accounts that hold a permission are looked through: by name, by
group, by project and by default alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from windlass.core.errors import NotFound, UserError
from windlass.forges.bitbucket_api.place import Place, Right
from windlass.forges.bitbucket_dc.place import BitbucketDataCenter, pages
from windlass.forges.http.api import Json, fields, items, text
from windlass.git.refs import is_sha
from windlass.ports.forge import Approval, Login, Permission, PullRequest, PullState

READ, MAY = Right("Repository read"), Right("Repository admin")
STATES = {"OPEN": PullState.OPEN, "MERGED": PullState.MERGED}
# The account behind a token of a project or a repository, which is nobody's.
SERVICE = "access-token-user/"

_PERSON = re.compile(r"[1-9][0-9]{0,18}")


class DataCenterSource(BitbucketDataCenter):
    """`Source` of Bitbucket Data Center."""

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests."""
        place = self._at(url, anonymous=True)
        found = {}
        with place.needs(READ):
            for kind in ("branches", "tags"):
                async for ref in place.every(f"/{kind}", {"limit": 1000}):
                    found[text(ref, "id")] = text(ref, "latestCommit")
            async for pull in place.every("/pull-requests", {"state": "OPEN"}):
                head = f"refs/pull/{text(pull, 'id')}/head"
                found[head] = text(pull, "fromRef", "latestCommit")
        return {ref: sha for ref, sha in found.items() if is_sha(sha)}

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now; `NotFound` when there is none."""
        place = self._at(url, anonymous=True)
        with place.needs(READ):
            pull = await place.get(f"/pull-requests/{number}")
        state = STATES.get(text(pull, "state"), PullState.CLOSED)
        return PullRequest(
            number=number,
            title=text(pull, "title"),
            author=text(pull, "author", "user", "name"),
            author_id=text(pull, "author", "user", "id"),
            base=text(pull, "toRef", "id").removeprefix("refs/heads/"),
            head=text(pull, "fromRef", "id").removeprefix("refs/heads/"),
            head_sha=text(pull, "fromRef", "latestCommit"),
            state=state,
            merge_sha=text(pull, "properties", "mergeCommit", "id"),
            fork=_foreign(pull),
            fork_owner=text(pull, "fromRef", "repository", "project", "key")
            if _foreign(pull)
            else "",
            draft=pull.get("draft") is True,
            web_url=_page(pull),
            approved_by=_approvers(pull),
            approvals=_approvals(pull),
            created_at=_seconds(pull.get("createdDate")),
            updated_at=_seconds(pull.get("updatedDate")),
        )

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What this person may do there, `sender_id` being the number of the account."""
        if not _PERSON.fullmatch(sender_id):
            return Permission.NONE
        place = self._at(url)
        with place.needs(MAY):
            if await _holds(place, "REPO_WRITE", sender_id):
                admin = await _holds(place, "REPO_ADMIN", sender_id)
                return Permission.ADMIN if admin else Permission.WRITE
            reads = await _holds(place, "REPO_READ", sender_id)
        return Permission.READ if reads else Permission.NONE

    async def default_branch(self, url: str) -> str:
        """The branch that the repository calls its default."""
        place = self._at(url, anonymous=True)
        with place.needs(READ):
            await place.get("")
            try:
                branch = text(await place.get("/default-branch"), "displayId")
            except NotFound:
                branch = ""
        if not branch:
            raise UserError(
                f"{place.url} has no default branch",
                hint="push a first commit, or choose one in the repository's settings",
            )
        return branch

    async def credential(self, url: str) -> Login | None:
        """The token, under the name of its account."""
        place, token = self._at(url, anonymous=True), self._tokens(url)
        if not token:
            return None
        with place.needs(READ):
            me = await self._me(place)
        named = me.name and not me.name.startswith(SERVICE)
        return Login(me.name if named else "x-token-auth", token)


async def _holds(place: Place, permission: str, who: str) -> bool:
    """Whether an account holds a permission, in whichever way it was given."""
    query: dict[str, str | int] = {
        "permission.1": permission,
        "permission.1.projectKey": place.at.owner,
        "permission.1.repositorySlug": place.at.name,
        "limit": 1000,
    }
    async for one in pages(place.api, "/users", query):
        if text(one, "id") == who:
            return one.get("active") is not False
    return False


def _foreign(pull: Json) -> bool:
    """Whether the head is in another repository, or in one that is gone."""
    home = text(pull, "toRef", "repository", "id")
    return not home or text(pull, "fromRef", "repository", "id") != home


def _page(pull: Json) -> str:
    links = pull.get("links")
    found = items(links.get("self") or []) if isinstance(links, dict) else []
    return text(fields(found[0]), "href") if found else ""


def _approvers(pull: Json) -> tuple[str, ...]:
    found = map(fields, items(pull.get("reviewers") or []))
    return tuple(text(one, "user", "name") for one in found if one.get("approved") is True)


def _approvals(pull: Json) -> tuple[Approval, ...]:
    """Who approves, each with the commit that was looked at last."""
    found = map(fields, items(pull.get("reviewers") or []))
    return tuple(
        Approval(
            text(one, "user", "id"), text(one, "lastReviewedCommit"), text(one, "user", "name")
        )
        for one in found
        if one.get("approved") is True and text(one, "user", "id")
    )


def _seconds(milliseconds: object) -> float:
    return milliseconds / 1000 if isinstance(milliseconds, int) else 0.0
