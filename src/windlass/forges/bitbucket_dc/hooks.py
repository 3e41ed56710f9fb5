"""
Our webhook on Bitbucket Data Center: `Webhooks`.

It tells how the last delivery went, and leaves a receiver alone for a while that fails
again and again. It sends nothing again: what got lost is found by comparing heads.
"""

from __future__ import annotations

from windlass.core.errors import NotFound
from windlass.forges.bitbucket_dc.place import BitbucketDataCenter, Place
from windlass.forges.bitbucket_words import NAME, unsent
from windlass.forges.http.api import Json, items, text
from windlass.forges.own_hooks import ours
from windlass.forges.signatures import same
from windlass.ports.forge import Hook, HookState, Request

EVENTS = (
    "repo:refs_changed",
    "pr:opened",
    "pr:from_ref_updated",
    "pr:modified",
    "pr:merged",
    "pr:declined",
    "pr:deleted",
    "pr:comment:added",
    "pr:reviewer:approved",
    "pr:reviewer:unapproved",
    "pr:reviewer:needs_work",
)
MAY = "Repository admin"


class DataCenterWebhooks(BitbucketDataCenter):
    """`Webhooks` of Bitbucket Data Center."""

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or repair it; twice is once."""
        place = self._at(url)
        wanted = {
            "name": NAME,
            "url": hook.url,
            "active": True,
            "configuration": {"secret": hook.secret.decode("utf-8", "replace")},
            "sslVerificationRequired": True,
            "events": list(EVENTS),
        }
        with place.needs(MAY):
            found = await _found(place, hook)
            for spare in found[1:]:
                await _delete(place, spare)
            if found:
                await place.send("PUT", f"/webhooks/{text(found[0], 'id')}", wanted)
            else:
                await place.send("POST", "/webhooks", wanted)
        return await self.check(url, hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us, and whether the last delivery arrived."""
        place = self._at(url)
        again = f"run: windlass repo add {place.url}"
        with place.needs(MAY):
            found = await _found(place, hook)
            if not found:
                absent = f"{place.url} has no webhook of ours; {again}"
                return HookState(present=False, problem=absent)
            wrong = _wrong(found[0], hook)
            if len(found) > 1:
                wrong.append(f"there are {len(found)} webhooks of ours")
            if wrong:
                return HookState(
                    present=True,
                    problem=f"{'; '.join(wrong)}; {again}",
                    active=found[0].get("active") is True,
                    unsent=unsent(_lacking(found[0])),
                )
            lost = await _lost(place, found[0], hook)
        # To set it up again would change nothing: what is in the way stands between us.
        return HookState(present=True, problem=lost, by_hand=bool(lost), failed=lost)

    async def remove(self, url: str, hook: Hook) -> None:
        """Take our hook away, and nothing else; twice is once."""
        place = self._at(url)
        with place.needs(MAY):
            for one in await _found(place, hook):
                await _delete(place, one)

    async def ping(self, url: str, hook: Hook) -> bool:
        """Have the forge send `diagnostics:ping` with the hook's own secret."""
        place = self._at(url)
        with place.needs(MAY):
            found = await _found(place, hook)
            if not found:
                return False
            query = {"webhookId": text(found[0], "id"), "url": hook.url}
            await place.send("POST", "/webhooks/test", {}, query)
        return True

    async def missed(self, _url: str, _hook: Hook, _since: float) -> tuple[Request, ...]:
        """Bitbucket Data Center cannot be asked to send something again."""
        return ()


async def _found(place: Place, hook: Hook) -> list[Json]:
    """Our hooks, the one with this very address first."""
    found = [
        one
        async for one in place.every("/webhooks")
        # One of the whole project is not ours to change.
        if text(one, "scopeType") in {"", "repository"} and ours(text(one, "url"), hook)
    ]
    return sorted(found, key=lambda one: text(one, "url") != hook.url)


def _wrong(one: Json, hook: Hook) -> list[str]:
    """What is not as it should be, each in a few words."""
    wrong = []
    if text(one, "url") != hook.url:
        wrong.append(f"the webhook sends to {text(one, 'url')}")
    if one.get("active") is not True:
        wrong.append("the webhook is inactive")
    secret = text(one, "configuration", "secret")
    # Some versions tell it to administrators, some tell stars, some nothing.
    if secret.strip("*") and not same(secret.encode(), hook.secret):
        wrong.append("the webhook signs with another secret")
    if one.get("sslVerificationRequired") is False:
        wrong.append("the webhook does not verify our certificate")
    if lacking := _lacking(one):
        wrong.append(f"the webhook leaves out {', '.join(lacking)}")
    return wrong


def _lacking(one: Json) -> list[str]:
    events = items(one.get("events", []))
    return [name for name in EVENTS if name not in events]


async def _lost(place: Place, one: Json, hook: Hook) -> str:
    """How the last delivery failed, and what to look at; empty when it did not."""
    try:
        last = await place.get(f"/webhooks/{text(one, 'id')}/latest")
    except NotFound:
        return ""
    outcome = text(last, "result", "outcome")
    if text(last, "request", "url") != hook.url or outcome not in {"FAILURE", "ERROR"}:
        return ""
    said = text(last, "result", "description")[:200] or outcome.lower()
    return (
        f"the last delivery did not arrive ({said}); see that Bitbucket can reach {hook.url},"
        f" and test the connection in the repository's settings, Webhooks, {NAME}"
    )


async def _delete(place: Place, one: Json) -> None:
    try:
        await place.send("DELETE", f"/webhooks/{text(one, 'id')}")
    except NotFound:
        return
