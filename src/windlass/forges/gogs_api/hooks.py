"""
The webhook on the side of a forge of this family: one of ours in each repository.

None of these forges tells a hook's secret, and what most of them do with a new one for a hook
that exists is nothing. So a hook is not mended but replaced, the new one first: in between,
something may come twice, and nothing is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from windlass.core.errors import NotFound, UserError
from windlass.core.event import Kind
from windlass.forges.gogs_api.asking import Asking
from windlass.forges.gogs_api.pages import every
from windlass.forges.gogs_api.place import Place
from windlass.forges.http.api import Api, Json, text
from windlass.forges.http.client import Http, Tokens
from windlass.forges.own_hooks import ours
from windlass.ports.forge import Hook, HookState, Request

# What their names of events mean.
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "push": (Kind.PUSH,),
    "create": (Kind.TAG, Kind.BRANCH),
    "delete": (Kind.TAG, Kind.BRANCH),
    "pull_request": (Kind.PULL_REQUEST,),
    "pull_request_sync": (Kind.PULL_REQUEST,),
    "pull_request_comment": (Kind.COMMENT,),
    "pull_request_review": (Kind.REVIEW,),
    "issue_comment": (Kind.COMMENT,),
    "release": (Kind.RELEASE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    How a hook of ours looks: `events` are asked for, and `needed` looked for.

    Each part of `needed` is there when one of its ways to be said is there as a whole: a
    forge may have one word for an event in one version and three in the next. `kinds` are
    the payloads that our dialect reads.
    """

    events: tuple[str, ...]
    needed: tuple[tuple[frozenset[str], ...], ...]
    kinds: frozenset[str]
    extra: Json


class OwnHooks(Asking):
    """`Webhooks`, except for the ping."""

    wanted: ClassVar[Wanted]
    right: ClassVar[str] = "the role of an administrator"

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
        self._put: dict[str, tuple[str, str]] = {}

    async def _kind(self, at: Place, api: Api) -> str:
        """The type of hook to ask for."""
        raise NotImplementedError

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or replace it; twice is once."""
        digest = hashlib.sha256(hook.secret).hexdigest()
        with self._asking(url, self.right) as (at, api):
            old = await self._ours(at, api, hook)
            state = self._judged(old, hook)
            if not state.problem and self._put.get(url) == (text(old[0], "id"), digest):
                return state
            made = await api.post(f"{at.path}/hooks", await self._order(at, api, hook))
            self._put[url] = (text(made, "id"), digest)
            await self._delete(at, api, old)
        return self._judged([made], hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us; its secret is not told, and not checked."""
        with self._asking(url, self.right) as (at, api):
            found = await self._ours(at, api, hook)
        return self._judged(found, hook)

    async def remove(self, url: str, hook: Hook) -> None:
        """Take our hooks away, and nothing else; twice is once."""
        with self._asking(url, self.right) as (at, api):
            await self._delete(at, api, await self._ours(at, api, hook))
        self._put.pop(url, None)

    async def missed(self, _url: str, _hook: Hook, _since: float) -> tuple[Request, ...]:
        """Nothing: the log of deliveries is on the forge's pages, and not in its API."""
        return ()

    async def _order(self, at: Place, api: Api, hook: Hook) -> Json:
        """What is sent to make one."""
        return {
            "type": await self._kind(at, api),
            "config": {
                "url": hook.url,
                "content_type": "json",
                "secret": _words(hook.secret),
            },
            "events": list(self.wanted.events),
            "active": True,
            **self.wanted.extra,
        }

    async def _hooks(self, at: Place, api: Api) -> list[Json]:
        """Every hook of the repository."""
        return [one async for one in every(api, f"{at.path}/hooks")]

    async def _ours(self, at: Place, api: Api, hook: Hook) -> list[Json]:
        """Those that lead to this server."""
        found = await self._hooks(at, api)
        return [one for one in found if ours(text(one, "config", "url"), hook)]

    async def _delete(self, at: Place, api: Api, hooks: list[Json]) -> None:
        for one in hooks:
            try:
                await api.send("DELETE", f"{at.path}/hooks/{text(one, 'id')}")
            except NotFound:
                continue

    def _judged(self, there: list[Json], hook: Hook) -> HookState:
        """What is wrong with what there is of ours."""
        right = [one for one in there if text(one, "config", "url") == hook.url]
        if not there:
            return HookState(present=False, problem="there is no webhook to us")
        if len(there) > 1:
            faults = [f"there are {len(there)} webhooks to us"]
        elif not right:
            faults = [f"the webhook sends to {text(there[0], 'config', 'url')} in place of here"]
        else:
            faults = list(self._faults(right[0]))
        problem = "; ".join(faults)
        lacking = self._lacking((right or there)[0])
        return HookState(
            present=bool(right),
            problem=problem,
            active=(right or there)[0].get("active") is True,
            unsent=frozenset(kind for name in lacking for kind in KINDS.get(name, ())),
        )

    def _faults(self, one: Json) -> list[str]:
        found = []
        if one.get("active") is not True:
            found.append("the webhook is switched off")
        if (sent := text(one, "config", "content_type")) != "json":
            found.append(f"the webhook sends {sent or 'no type'} in place of json")
        if (kind := text(one, "type")) not in self.wanted.kinds:
            found.append(f"the webhook is of the type {kind}")
        if (only := text(one, "branch_filter")) not in {"", "*", "**"}:
            found.append(f"the webhook is only for the branches {only}")
        if lacking := self._lacking(one):
            found.append(f"the webhook does not send: {', '.join(lacking)}")
        return found

    def _lacking(self, one: Json) -> list[str]:
        """What of the events that are needed a hook does not send."""
        listed = one.get("events")
        sends = frozenset(map(str, listed if isinstance(listed, list) else ()))
        return [
            " ".join(sorted(ways[0]))
            for ways in self.wanted.needed
            if not any(w <= sends for w in ways)
        ]


def _words(secret: bytes) -> str:
    """The secret as the forge takes it, who signs with its UTF-8."""
    try:
        return secret.decode()
    except UnicodeDecodeError:
        raise UserError(
            "the webhook secret is not text, and this forge takes only text",
            hint="choose one of letters and digits",
        ) from None
