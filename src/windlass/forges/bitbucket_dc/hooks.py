"""
Our webhook on Bitbucket Data Center: `Webhooks`.

It tells how the last delivery went, and leaves a receiver alone for a while that fails
again and again. It sends nothing again: what got lost is found by comparing heads.
"""

from __future__ import annotations

from windlass.core.errors import NotFound
from windlass.forges.bitbucket_api.hooks import OwnHooks
from windlass.forges.bitbucket_api.place import Place, Right
from windlass.forges.bitbucket_dc.place import BitbucketDataCenter
from windlass.forges.bitbucket_words import NAME
from windlass.forges.http.api import Json, text
from windlass.forges.signatures import same
from windlass.ports.forge import Hook

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


class DataCenterWebhooks(OwnHooks, BitbucketDataCenter):
    """`Webhooks` of Bitbucket Data Center."""

    hooks = "/webhooks"
    key = "id"
    events = EVENTS
    right = Right("Repository admin")

    async def ping(self, url: str, hook: Hook) -> bool:
        """Have the forge send `diagnostics:ping` with the hook's own secret."""
        place = self._at(url)
        with place.needs(self.right):
            found = await self._found(place, hook)
            if not found:
                return False
            query = {"webhookId": text(found[0], "id"), "url": hook.url}
            await place.send("POST", "/webhooks/test", {}, query)
        return True

    def _wanted(self, hook: Hook) -> Json:
        return {
            "name": NAME,
            "url": hook.url,
            "active": True,
            "configuration": {"secret": hook.secret.decode("utf-8", "replace")},
            "sslVerificationRequired": True,
            "events": list(EVENTS),
        }

    def _changeable(self, one: Json) -> bool:
        return text(one, "scopeType") in {"", "repository"}  # else it is the whole project's

    def _faults(self, one: Json, hook: Hook) -> list[str]:
        wrong = []
        secret = text(one, "configuration", "secret")
        # Some versions tell it to administrators, some tell stars, some nothing.
        if secret.strip("*") and not same(secret.encode(), hook.secret):
            wrong.append("the webhook signs with another secret")
        if one.get("sslVerificationRequired") is False:
            wrong.append("the webhook does not verify our certificate")
        return wrong

    async def _lost(self, place: Place, one: Json, hook: Hook) -> str:
        try:
            last = await place.get(f"{self._path(one)}/latest")
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
