"""
Our webhook on Bitbucket Cloud: `Webhooks`.

Bitbucket Cloud keeps a log of requests only for people, sends nothing again and has no
ping. What got lost is found by comparing heads.
"""

from __future__ import annotations

from urllib.parse import quote

from windlass.core.errors import NotFound
from windlass.forges.bitbucket_cloud.place import BitbucketCloud, Place, Right
from windlass.forges.bitbucket_words import NAME, unsent
from windlass.forges.http.api import Json, items, text
from windlass.forges.own_hooks import ours
from windlass.ports.forge import Hook, HookState, Request

EVENTS = (
    "repo:push",
    "pullrequest:created",
    "pullrequest:updated",
    "pullrequest:fulfilled",
    "pullrequest:rejected",
    "pullrequest:approved",
    "pullrequest:unapproved",
    "pullrequest:changes_request_created",
    "pullrequest:comment_created",
)
MAY = Right(
    "Webhooks: Read and write",
    "read:webhook:bitbucket, write:webhook:bitbucket and delete:webhook:bitbucket"
    " of an administrator of the repository",
)


class CloudWebhooks(BitbucketCloud):
    """`Webhooks` of Bitbucket Cloud."""

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or repair it; its secret cannot be read, so it is set again."""
        place = self._at(url)
        wanted = {
            "description": NAME,
            "url": hook.url,
            "active": True,
            "secret": hook.secret.decode("utf-8", "replace"),
            "skip_cert_verification": False,
            "events": list(EVENTS),
        }
        with place.needs(MAY):
            found = await _found(place, hook)
            for spare in found[1:]:
                await _delete(place, spare)
            if found:
                await place.send("PUT", f"/hooks/{_id(found[0])}", wanted)
            else:
                await place.send("POST", "/hooks", wanted)
        return await self.check(url, hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us; whether it arrives Bitbucket does not tell."""
        place = self._at(url)
        with place.needs(MAY):
            found = await _found(place, hook)
        again = f"run: windlass repo add {place.url}"
        if not found:
            return HookState(present=False, problem=f"{place.url} has no webhook of ours; {again}")
        wrong = _wrong(found[0], hook)
        if len(found) > 1:
            wrong.append(f"there are {len(found)} webhooks of ours")
        return HookState(
            present=True,
            problem=f"{'; '.join(wrong)}; {again}" if wrong else "",
            active=found[0].get("active") is True,
            unsent=unsent(_lacking(found[0])),
        )

    async def remove(self, url: str, hook: Hook) -> None:
        """Take our hook away, and nothing else; twice is once."""
        place = self._at(url)
        with place.needs(MAY):
            for one in await _found(place, hook):
                await _delete(place, one)

    async def ping(self, _url: str, _hook: Hook) -> bool:
        """Bitbucket Cloud cannot be asked to send something."""
        return False

    async def missed(self, _url: str, _hook: Hook, _since: float) -> tuple[Request, ...]:
        """Bitbucket Cloud cannot be asked for what it sent, nor to send it again."""
        return ()


async def _found(place: Place, hook: Hook) -> list[Json]:
    """Our hooks, the one with this very address first."""
    every = place.every("/hooks", {"pagelen": 100})
    found = [one async for one in every if ours(text(one, "url"), hook)]
    return sorted(found, key=lambda one: text(one, "url") != hook.url)


def _wrong(one: Json, hook: Hook) -> list[str]:
    """What is not as it should be, each in a few words."""
    wrong = []
    if text(one, "url") != hook.url:
        wrong.append(f"the webhook sends to {text(one, 'url')}")
    if one.get("active") is not True:
        wrong.append("the webhook is inactive")
    if one.get("secret_set") is False:
        wrong.append("the webhook has no secret")
    if one.get("skip_cert_verification") is True:
        wrong.append("the webhook does not verify our certificate")
    if lacking := _lacking(one):
        wrong.append(f"the webhook leaves out {', '.join(lacking)}")
    return wrong


def _lacking(one: Json) -> list[str]:
    events = items(one.get("events", []))
    return [name for name in EVENTS if name not in events]


async def _delete(place: Place, one: Json) -> None:
    try:
        await place.send("DELETE", f"/hooks/{_id(one)}")
    except NotFound:
        return


def _id(one: Json) -> str:
    return quote(text(one, "uuid"), safe="")
