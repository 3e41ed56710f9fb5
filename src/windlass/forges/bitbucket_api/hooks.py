"""
Our webhook on either Bitbucket: made, looked at, put right and taken away.

Neither sends anything again: what got lost is found by comparing heads.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from windlass.core.errors import NotFound
from windlass.forges.bitbucket_api.place import Bitbucket, Params, Place, Right
from windlass.forges.bitbucket_words import unsent
from windlass.forges.http.api import Json, items, text
from windlass.forges.own_hooks import ours
from windlass.ports.forge import Hook, HookState, Request


class OwnHooks(Bitbucket):
    """
    `Webhooks`, except for the ping.

    `hooks` is their path below the repository, `key` the field that names one, `asked` what
    their list is asked with, `events` what the dialect reads.
    """

    hooks: ClassVar[str]
    key: ClassVar[str]
    asked: ClassVar[Params] = {}
    events: ClassVar[tuple[str, ...]]
    right: ClassVar[Right]

    def _wanted(self, hook: Hook) -> Json:
        """How a hook of ours looks."""
        raise NotImplementedError

    def _faults(self, one: Json, hook: Hook) -> list[str]:
        """What else is not as it should be, each in a few words."""
        raise NotImplementedError

    def _changeable(self, one: Json) -> bool:
        """Whether it belongs to this repository alone."""
        return bool(one)

    async def _lost(self, place: Place, one: Json, hook: Hook) -> str:
        """How the last delivery failed; empty when it did not, or that is not told."""
        return ""

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or repair it; twice is once."""
        place = self._at(url)
        with place.needs(self.right):
            found = await self._found(place, hook)
            for spare in found[1:]:
                await self._delete(place, spare)
            if found:
                await place.send("PUT", self._path(found[0]), self._wanted(hook))
            else:
                await place.send("POST", self.hooks, self._wanted(hook))
        return await self.check(url, hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us, and, where that is told, whether it arrives."""
        place = self._at(url)
        with place.needs(self.right):
            found = await self._found(place, hook)
            if not found:
                absent = f"{place.url} has no webhook of ours"
                return HookState(present=False, problem=absent)
            wrong = self._wrong(found[0], hook)
            if len(found) > 1:
                wrong.append(f"there are {len(found)} webhooks of ours")
            if wrong:
                return HookState(
                    present=True,
                    problem="; ".join(wrong),
                    active=found[0].get("active") is True,
                    unsent=unsent(self._lacking(found[0])),
                )
            lost = await self._lost(place, found[0], hook)
        # To set it up again would change nothing: what is in the way stands between us.
        return HookState(present=True, problem=lost, by_hand=bool(lost), failed=lost)

    async def remove(self, url: str, hook: Hook) -> None:
        """Take our hook away, and nothing else; twice is once."""
        place = self._at(url)
        with place.needs(self.right):
            for one in await self._found(place, hook):
                await self._delete(place, one)

    async def missed(self, _url: str, _hook: Hook, _since: float) -> tuple[Request, ...]:
        """Nothing: no Bitbucket can be asked to send something again."""
        return ()

    async def _found(self, place: Place, hook: Hook) -> list[Json]:
        """Our hooks, the one with this very address first."""
        found = [
            one
            async for one in place.every(self.hooks, self.asked)
            if self._changeable(one) and ours(text(one, "url"), hook)
        ]
        return sorted(found, key=lambda one: text(one, "url") != hook.url)

    def _path(self, one: Json) -> str:
        return f"{self.hooks}/{quote(text(one, self.key), safe='')}"

    def _wrong(self, one: Json, hook: Hook) -> list[str]:
        wrong = []
        if text(one, "url") != hook.url:
            wrong.append(f"the webhook sends to {text(one, 'url')}")
        if one.get("active") is not True:
            wrong.append("the webhook is inactive")
        wrong += self._faults(one, hook)
        if lacking := self._lacking(one):
            wrong.append(f"the webhook leaves out {', '.join(lacking)}")
        return wrong

    def _lacking(self, one: Json) -> list[str]:
        events = items(one.get("events", []))
        return [name for name in self.events if name not in events]

    async def _delete(self, place: Place, one: Json) -> None:
        try:
            await place.send("DELETE", self._path(one))
        except NotFound:
            return
