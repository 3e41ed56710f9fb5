"""
What can be asked of a repository on GitHub: `Source`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from windlass.core.errors import BadDelivery, NotFound, Permanent
from windlass.forges.github.access import PEOPLE, READ, Access, Asked
from windlass.forges.http.api import Json, fields, items, text
from windlass.forges.times import moment
from windlass.ports.forge import Approval, Login, Permission, PullRequest, PullState

# GitHub takes any name with a token, and asks Apps for this one.
NAME = "x-access-token"
# Seconds for which what Git was given has to hold: a long fetch.
HOLDS = 600.0
# What `permission` may say; `maintain` and `triage` are told as write and read.
PERMISSIONS: Mapping[str, Permission] = {
    "admin": Permission.ADMIN,
    "write": Permission.WRITE,
    "read": Permission.READ,
}
# States of a review that take the place of the reviewer's word before; the oldest comes first.
VERDICTS = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
_ID = re.compile(r"[1-9][0-9]{0,18}")


class GitHubSource:
    """`Source` of GitHub."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests."""
        async with self._access.ask(url, READ, public=True) as asked:
            branches = await _listed(asked, "branches", {})
            tags = await _listed(asked, "tags", {})
            pulls = await _listed(asked, "pulls", {"state": "open"})
        # The list of tags tells the commit of each, also of one with a message.
        return {
            **{f"refs/heads/{text(one, 'name')}": text(one, "commit", "sha") for one in branches},
            **{f"refs/tags/{text(one, 'name')}": text(one, "commit", "sha") for one in tags},
            **{f"refs/pull/{text(one, 'number')}/head": text(one, "head", "sha") for one in pulls},
        }

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now."""
        async with self._access.ask(url, READ, public=True) as asked:
            said = await asked.api.get(f"{asked.path}/pulls/{number}")
            reviews = await _listed(asked, f"pulls/{number}/reviews", {})
        return _pull(said, reviews)

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What this person may do there; `sender_id` is GitHub's number of them."""
        if not _ID.fullmatch(sender_id):
            return Permission.NONE
        async with self._access.ask(url, PEOPLE) as asked:
            try:
                login = text(await asked.api.get(f"/user/{sender_id}"), "login")
                path = f"{asked.path}/collaborators/{quote(login, safe='')}/permission"
                found = await asked.api.get(path)
            except NotFound:
                return Permission.NONE
        # A login can be given up and taken by somebody else between two questions.
        if text(found, "user", "id") != sender_id:
            return Permission.NONE
        return PERMISSIONS.get(text(found, "permission"), Permission.NONE)

    async def default_branch(self, url: str) -> str:
        """The name of the branch whose configuration counts."""
        async with self._access.ask(url, READ, public=True) as asked:
            branch = text(await asked.api.get(asked.path), "default_branch")
        if not branch:
            raise Permanent(f"{url}: GitHub names no default branch")
        return branch

    async def credential(self, url: str) -> Login | None:
        """What Git needs to read it over HTTPS; of an App, it holds for ten minutes or more."""
        token = await self._access.token(url, HOLDS)
        return None if token is None else Login(NAME, token)


async def _listed(asked: Asked, what: str, query: Mapping[str, str | int]) -> list[Json]:
    path = f"{asked.path}/{what}"
    return [one async for one in asked.api.every(path, {**query, "per_page": 100})]


def _approvals(reviews: list[Json]) -> tuple[Approval, ...]:
    """Whose last word on it is that a commit is good; what is only a comment is no such word."""
    last = {text(one, "user", "id"): one for one in reviews if text(one, "state") in VERDICTS}
    return tuple(
        Approval(who, text(one, "commit_id"), text(one, "user", "login"))
        for who, one in last.items()
        if who and text(one, "state") == "APPROVED"
    )


def _pull(said: Json, reviews: list[Json]) -> PullRequest:
    merged, base = said.get("merged") is True, text(said, "base", "repo", "id")
    head, approvals = text(said, "head", "sha"), _approvals(reviews)
    state = PullState.OPEN if text(said, "state") == "open" else PullState.CLOSED
    return PullRequest(
        number=int(text(said, "number") or 0),
        title=text(said, "title"),
        author=text(said, "user", "login"),
        author_id=text(said, "user", "id"),
        base=text(said, "base", "ref"),
        head=text(said, "head", "ref"),
        head_sha=head,
        state=PullState.MERGED if merged else state,
        # Of an open one, GitHub tells a merge that it has only tried.
        merge_sha=text(said, "merge_commit_sha") if merged else "",
        # The head's repository may be gone; then it was another one.
        fork=text(said, "head", "repo", "id") != base,
        fork_owner=_fork_owner(said, base),
        draft=said.get("draft") is True,
        labels=tuple(text(fields(one), "name") for one in items(said.get("labels") or [])),
        web_url=text(said, "html_url"),
        approved_by=tuple(one.name for one in approvals if one.sha == head),
        approvals=approvals,
        created_at=_at(said, "created_at"),
        updated_at=_at(said, "updated_at"),
    )


def _fork_owner(said: Json, base: str) -> str:
    there = text(said, "head", "repo", "id")
    return text(said, "head", "repo", "owner", "login") if there and there != base else ""


def _at(said: Json, name: str) -> float:
    try:
        return moment(text(said, name) or None) or 0.0
    except BadDelivery:
        raise Permanent("GitHub told a time that cannot be read") from None
