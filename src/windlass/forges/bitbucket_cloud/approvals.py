"""
Who approves a pull request on Bitbucket Cloud, and for which of its commits.

A participant approves the pull request and not a commit, and an approval outlives a push
unless a setting says otherwise. The log of its activity tells what came after which. Of a
commit it tells twelve digits, and two commits can be made that begin alike: so any change
since, if only of the title, leaves open what was approved.
"""

from __future__ import annotations

from windlass.forges.bitbucket_api.place import Place
from windlass.forges.http.api import Json, fields, items, text
from windlass.ports.forge import Approval


def called(person: object) -> str:
    """What the dialect calls a person."""
    known = person if isinstance(person, dict) else {}
    names = (text(known, key) for key in ("nickname", "username", "display_name"))
    return next(filter(None, names), "")


def approving(pull: Json) -> list[Json]:
    """The participants who approve it."""
    found = map(fields, items(pull.get("participants") or []))
    return [one for one in found if one.get("approved") is True]


async def approvals(place: Place, pull: Json, head: str) -> tuple[Approval, ...]:
    """Who approves; of this head is what was given after the last change."""
    people = approving(pull)
    if not people:
        return ()
    since: set[str] = set()
    # The newest stands first; a merge is told as an update, too, and changes no head.
    async for one in place.every(f"/pullrequests/{text(pull, 'id')}/activity", {"pagelen": 50}):
        if text(one, "update", "state") == "OPEN":
            break
        since.add(text(one, "approval", "user", "uuid"))
    return tuple(
        Approval(who, head if who in since else "", called(one.get("user")))
        for one in people
        if (who := text(one, "user", "uuid"))
    )
