"""
Who votes for a pull request, and for which of its commits.

Azure DevOps keeps one vote for each reviewer and not the commit that was looked at; a branch
policy says whether a push takes votes back. So a vote counts for the head where there was
no other head, or where it was given after the head had come.
"""

from __future__ import annotations

from windlass.core.errors import BadDelivery
from windlass.forges.azure.api import Azure, values
from windlass.forges.http.api import Json, fields, items, text
from windlass.forges.http.client import Denied
from windlass.forges.times import moment
from windlass.ports.forge import Approval

# A vote of so much approves: 10 plainly, 5 with suggestions.
APPROVES = 5
# As whom Azure DevOps writes its own notes, everywhere.
ITSELF = "00000002-0000-8888-8000-000000000000"


def voters(said: Json) -> list[Json]:
    """The reviewers who vote for it; a group votes only as its members do."""
    people = [one for one in items(said.get("reviewers") or []) if isinstance(one, dict)]
    return [
        one
        for one in people
        if isinstance(vote := one.get("vote"), int) and vote >= APPROVES
        if one.get("isContainer") is not True
    ]


async def approvals(
    azure: Azure, number: int, head: str, people: list[Json]
) -> tuple[Approval, ...]:
    """The votes of these people, with the head where they can only be for that."""
    path = f"{azure.place.api}/pullrequests/{number}"
    sure = await _sure(azure, path, head, {text(one, "id") for one in people})
    return tuple(
        Approval(who, head if who in sure else "", text(one, "displayName"))
        for one in people
        if (who := text(one, "id"))
    )


async def _sure(azure: Azure, path: str, head: str, people: set[str]) -> set[str]:
    """Whose votes can only be for the head."""
    pushes = values(await azure.send("GET", f"{path}/iterations")) if people else []
    newest = max(pushes, key=lambda one: int(text(one, "id") or 0), default={})
    since = _at(newest, "createdDate")
    if text(newest, "sourceRefCommit", "commitId") != head:
        return set()
    if all(text(one, "sourceRefCommit", "commitId") == head for one in pushes):
        return people
    given = await _votes(azure, path)
    return {who for who in people if since and given.get(who, 0.0) > since}


async def _votes(azure: Azure, path: str) -> dict[str, float]:
    """Who -> when they voted last, as the notes say that Azure DevOps writes of it."""
    try:
        threads = values(await azure.send("GET", f"{path}/threads"))
    except Denied:
        return {}  # a token that may not read what people said
    last: dict[str, float] = {}
    for one in threads:
        vote = _property(one, "CodeReviewThreadType") == "VoteUpdate" and _by_itself(one)
        if vote and (who := _voter(one)):
            last[who] = max(last.get(who, 0.0), _at(one, "publishedDate"))
    return last


def _by_itself(thread: Json) -> bool:
    """Whether Azure DevOps wrote it: people may put the same properties on what they say."""
    said = [one for one in items(thread.get("comments") or []) if isinstance(one, dict)]
    return bool(said) and all(
        text(one, "commentType") == "system" and text(one, "author", "id") == ITSELF for one in said
    )


def _voter(thread: Json) -> str:
    """The identity behind a vote, which its properties number."""
    people = fields(thread.get("identities") or {})
    return text(people, _property(thread, "CodeReviewVotedByIdentity"), "id")


def _property(thread: Json, name: str) -> str:
    return text(thread, "properties", name, "$value")


def _at(said: Json, name: str) -> float:
    """UTC seconds; 0 when it is not told."""
    try:
        return moment(text(said, name) or None) or 0.0
    except BadDelivery:
        return 0.0
