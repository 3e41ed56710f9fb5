"""
What an identity may do with a repository, from the access control lists of Azure DevOps.

A list belongs to a token: `repoV2/PROJECT/REPOSITORY` inherits from `repoV2/PROJECT`, and
that from `repoV2`. In each stand the bits that a person, or a group of theirs, is allowed
and denied. What is nearer wins for one of them; between them, a denial wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from windlass.forges.azure.api import Azure, Known, values
from windlass.forges.http.api import Json, items, text
from windlass.ports.forge import Permission

# The security namespace of Git repositories, and the bits that decide.
NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
READ, CONTRIBUTE, ADMINISTER = 2, 4, 8192
# Descriptors of one question: an address has an end.
CHUNK = 15

_IDENTITY = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Bits:
    """What somebody is allowed and denied."""

    allow: int = 0
    deny: int = 0

    def under(self, allow: int, deny: int) -> Bits:
        """With what a nearer list says."""
        return Bits(self.allow & ~deny | allow, self.deny & ~allow | deny)


def is_identity(text: str) -> bool:
    """Whether this is the id of an identity at all."""
    return bool(_IDENTITY.fullmatch(text))


async def permission(azure: Azure, known: Known, identity: str) -> Permission:
    """What they may do; `Denied` when our token may not look."""
    who = await _descriptors(azure, identity)
    bits = dict.fromkeys(who, Bits())
    tokens = ("repoV2", f"repoV2/{known.project}", f"repoV2/{known.project}/{known.id}")
    for token in tokens if who else ():
        for start in range(0, len(who), CHUNK):
            part = who[start : start + CHUNK]
            for listed in await _lists(azure, token, part):
                bits = _under(bits, listed, part)
    granted = _or(one.allow for one in bits.values()) & ~_or(one.deny for one in bits.values())
    for bit, what in (
        (ADMINISTER, Permission.ADMIN),
        (CONTRIBUTE, Permission.WRITE),
        (READ, Permission.READ),
    ):
        if granted & bit:
            return what
    return Permission.NONE


async def _descriptors(azure: Azure, identity: str) -> list[str]:
    """An active identity, and every group that it is in, directly or not."""
    params = {"identityIds": identity, "queryMembership": "expandedUp"}
    said = await azure.people("/_apis/identities", params)
    found: list[str] = []
    for one in items(said.get("value") or []):
        if isinstance(one, dict) and one.get("isActive") is not False:
            groups = items(one.get("memberOf") or [])
            found.append(text(one, "descriptor"))
            found += [name for name in groups if isinstance(name, str)]
    return [name for name in dict.fromkeys(found) if name]


async def _lists(azure: Azure, token: str, who: Sequence[str]) -> list[Json]:
    """The list of exactly this token, none when it has none of its own."""
    params = {"token": token, "descriptors": ",".join(who), "includeExtendedInfo": "true"}
    answer = await azure.send("GET", f"/_apis/accesscontrollists/{NAMESPACE}", params=params)
    return [one for one in values(answer) if text(one, "token").lower() == token.lower()]


def _under(bits: Mapping[str, Bits], listed: Json, who: Sequence[str]) -> dict[str, Bits]:
    """The bits with what one list says of these people."""
    after = dict(bits)
    entries = _object(listed, "acesDictionary")
    for name in who:
        if listed.get("inheritPermissions") is False:
            after[name] = Bits()
        if entry := _object(entries, name):
            more = _object(entry, "extendedInfo")
            allow = _bits(entry, "allow") | _bits(more, "effectiveAllow")
            deny = _bits(entry, "deny") | _bits(more, "effectiveDeny")
            after[name] = after[name].under(allow & ~deny, deny)
    return after


def _object(value: Json, name: str) -> Json:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _bits(entry: Json, name: str) -> int:
    value = entry.get(name)
    return value if isinstance(value, int) and value >= 0 else 0


def _or(values: Iterable[int]) -> int:
    total = 0
    for value in values:
        total |= value
    return total
