"""
Our webhook on Bitbucket Cloud: `Webhooks`.

Bitbucket Cloud keeps a log of requests only for people, sends nothing again and has no
ping. What got lost is found by comparing heads.
"""

from __future__ import annotations

from typing import ClassVar

from windlass.forges.bitbucket_api.hooks import OwnHooks
from windlass.forges.bitbucket_api.place import Params, Right
from windlass.forges.bitbucket_cloud.place import BitbucketCloud
from windlass.forges.bitbucket_words import NAME
from windlass.forges.http.api import Json
from windlass.ports.forge import Hook

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


class CloudWebhooks(OwnHooks, BitbucketCloud):
    """`Webhooks` of Bitbucket Cloud."""

    hooks = "/hooks"
    key = "uuid"
    asked: ClassVar[Params] = {"pagelen": 100}
    events = EVENTS
    right = MAY

    async def ping(self, _url: str, _hook: Hook) -> bool:
        """Bitbucket Cloud cannot be asked to send something."""
        return False

    def _wanted(self, hook: Hook) -> Json:
        # A secret that is there cannot be read, so it is always set again.
        return {
            "description": NAME,
            "url": hook.url,
            "active": True,
            "secret": hook.secret.decode("utf-8", "replace"),
            "skip_cert_verification": False,
            "events": list(EVENTS),
        }

    def _faults(self, one: Json, _hook: Hook) -> list[str]:
        wrong = []
        if one.get("secret_set") is False:
            wrong.append("the webhook has no secret")
        if one.get("skip_cert_verification") is True:
            wrong.append("the webhook does not verify our certificate")
        return wrong
