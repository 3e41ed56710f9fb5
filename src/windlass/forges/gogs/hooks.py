"""
The webhook on Gogs's side. It can be asked for a test on its pages only.
"""

from __future__ import annotations

from typing import ClassVar

from windlass.forges.gogs_api.hooks import OwnHooks, Wanted
from windlass.forges.gogs_api.place import Place
from windlass.forges.http.api import Api
from windlass.ports.forge import Hook

EVENTS = ("push", "create", "delete", "pull_request", "issue_comment", "release")


class GogsWebhooks(OwnHooks):
    """`Webhooks` of Gogs."""

    forge = "Gogs"
    rights = "your account on Gogs (Your Settings, Applications)"
    wanted: ClassVar[Wanted] = Wanted(
        events=EVENTS,
        needed=tuple((frozenset({name}),) for name in EVENTS),
        kinds=frozenset({"gogs"}),
        extra={},
    )

    async def ping(self, _url: str, _hook: Hook) -> bool:
        """The API has no such question."""
        return False

    async def _kind(self, _at: Place, _api: Api) -> str:
        return "gogs"
