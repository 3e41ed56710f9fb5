"""
What can be asked of a repository on Gitea or Forgejo.

A webhook names people by number, and the API asks for rights by name. So the name of a number
is looked up, and the answer counts only where it is about that number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from windlass.core.errors import BadDelivery, Permanent
from windlass.forges.gitea.dialect import is_draft, no_branch
from windlass.forges.gogs_api.asking import Asking
from windlass.forges.gogs_api.pages import every
from windlass.forges.gogs_api.place import Place
from windlass.forges.http.api import Api, Json, fields, items, text
from windlass.forges.times import moment
from windlass.ports.forge import Approval, Login, Permission, PullRequest, PullState

RIGHTS: Mapping[str, Permission] = {
    "owner": Permission.ADMIN,
    "admin": Permission.ADMIN,
    "write": Permission.WRITE,
    "read": Permission.READ,
}
PERSON = re.compile(r"[1-9][0-9]{0,17}")
# States of a review that take the place of the reviewer's word before; the oldest comes first.
VERDICTS = frozenset({"APPROVED", "REQUEST_CHANGES"})
# The name does not matter: it is the token that says who it is.
GIT_NAME = "windlass"


class GiteaSource(Asking):
    """`Source` of Gitea and Forgejo."""

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests."""
        found: dict[str, str] = {}
        with self._reading(url) as (at, api):
            async for one in every(api, f"{at.path}/branches"):
                found[f"refs/heads/{text(one, 'name')}"] = text(one, "commit", "id")
            async for one in every(api, f"{at.path}/tags"):
                found[f"refs/tags/{text(one, 'name')}"] = text(one, "commit", "sha")
            # The oldest first, so that one that is opened meanwhile moves none to a page before.
            asked = {"state": "open", "sort": "oldest"}
            async for one in every(api, f"{at.path}/pulls", asked):
                found[f"refs/pull/{text(one, 'number')}/head"] = text(one, "head", "sha")
        return {ref: sha for ref, sha in found.items() if sha}

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now; `NotFound` when there is none."""
        with self._reading(url) as (at, api):
            said = await api.get(f"{at.path}/pulls/{number}")
            reviews = [one async for one in every(api, f"{at.path}/pulls/{number}/reviews")]
        pull, approvals = _pull(said, number), _approvals(reviews)
        names = tuple(one.name for one in approvals if one.sha == pull.head_sha)
        return replace(pull, approved_by=names, approvals=approvals)

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What the person with this number may do there; nobody by any other name."""
        if not PERSON.fullmatch(sender_id):
            return Permission.NONE
        with self._asking(url, "the role of an administrator") as (at, api):
            login = await _login(api, sender_id)
            return await _permission(at, api, login, sender_id) if login else Permission.NONE

    async def default_branch(self, url: str) -> str:
        """The branch whose configuration counts."""
        return await self._default_branch(url)

    async def credential(self, url: str) -> Login | None:
        """The token as a password; None without one."""
        token = self._tokens(self._place(url).url)
        return Login(GIT_NAME, token) if token else None


async def _login(api: Api, number: str) -> str:
    """The name of the person with this number; empty when the forge shows none."""
    found = await api.get("/users/search", {"uid": number, "limit": 1})
    people = map(fields, items(found.get("data") or []))
    return next((text(one, "login") for one in people if text(one, "id") == number), "")


async def _permission(at: Place, api: Api, login: str, number: str) -> Permission:
    said = await api.get(f"{at.path}/collaborators/{login}/permission")
    # A name may have gone to somebody else since it was looked up.
    if text(said, "user", "id") != number:
        return Permission.NONE
    return RIGHTS.get(text(said, "permission"), Permission.NONE)


def _pull(one: Json, number: int) -> PullRequest:
    if text(one, "number") != str(number) or not text(one, "head", "sha"):
        raise Permanent(f"the forge did not answer with pull request {number} and its commit")
    title, head = text(one, "title"), text(one, "head", "ref")
    merged = one.get("merged") is True
    state = PullState.OPEN if text(one, "state") == "open" else PullState.CLOSED
    theirs, ours = text(one, "head", "repo", "id"), text(one, "base", "repo", "id")
    labels = one.get("labels")
    return PullRequest(
        number=number,
        title=title,
        author=text(one, "user", "login"),
        author_id=text(one, "user", "id"),
        base=text(one, "base", "ref"),
        head=head,
        head_sha=text(one, "head", "sha"),
        state=PullState.MERGED if merged else state,
        merge_sha=text(one, "merge_commit_sha") if merged else "",
        fork=not theirs or theirs != ours or no_branch(head),
        fork_owner=""
        if not theirs or theirs == ours or no_branch(head)
        else text(one, "head", "repo", "owner", "login"),
        draft=bool(one["draft"]) if "draft" in one else is_draft(title),
        labels=tuple(text(fields(each), "name") for each in items(labels or [])),
        web_url=text(one, "html_url"),
        created_at=_time(one, "created_at"),
        updated_at=_time(one, "updated_at"),
    )


def _approvals(reviews: list[Json]) -> tuple[Approval, ...]:
    """Whose last word on it is that a commit is good; what is only a comment is no such word."""
    last = {text(one, "user", "id"): one for one in reviews if text(one, "state") in VERDICTS}
    return tuple(
        Approval(who, text(one, "commit_id"), text(one, "user", "login"))
        for who, one in last.items()
        if who and text(one, "state") == "APPROVED" and one.get("dismissed") is not True
    )


def _time(one: Json, name: str) -> float:
    """UTC seconds; 0 when it is not told."""
    try:
        return moment(text(one, name) or None) or 0.0
    except BadDelivery:
        return 0.0
