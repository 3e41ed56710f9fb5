"""
The webhook on Gitea's or Forgejo's side.

`pull_request` asks for every event of a pull request, under the names that each version has
for them; what does not concern us is ignored when it comes. What is looked for has been named
so since Gitea 1.12, apart from reviews, which are one event or three.
"""

from __future__ import annotations

from typing import ClassVar

from windlass.core.errors import NotFound
from windlass.forges.gogs_api.hooks import OwnHooks, Wanted
from windlass.forges.gogs_api.place import Place
from windlass.forges.http.api import Api, text
from windlass.ports.forge import Hook

REVIEWS = (
    "pull_request_review_approved",
    "pull_request_review_rejected",
    "pull_request_review_comment",
)
SINGLE = (
    "push",
    "create",
    "delete",
    "pull_request",
    "pull_request_sync",
    "pull_request_label",
    "pull_request_comment",
    "issue_comment",
    "release",
)


class GiteaWebhooks(OwnHooks):
    """`Webhooks` of Gitea and Forgejo."""

    forge = "Gitea or Forgejo"
    rights = "the scopes write:repository, write:issue and read:user"
    wanted: ClassVar[Wanted] = Wanted(
        events=(*SINGLE, *REVIEWS),
        needed=(
            *((frozenset({name}),) for name in SINGLE),
            (frozenset({"pull_request_review"}), frozenset(REVIEWS)),
        ),
        kinds=frozenset({"gitea", "forgejo"}),
        extra={"branch_filter": "*"},
    )

    async def ping(self, url: str, hook: Hook) -> bool:
        """Have it send a test, which is a push from the newest commit to itself."""
        with self._asking(url, self.right) as (at, api):
            for one in await self._hooks(at, api):
                if text(one, "config", "url") == hook.url:
                    await api.send("POST", f"{at.path}/hooks/{text(one, 'id')}/tests")
                    return True
        return False

    async def _kind(self, at: Place, api: Api) -> str:
        """Forgejo has a version of its own."""
        address = f"{at.root}/api/forgejo/v1/version"
        try:
            await api.http.send("GET", address, api.credential)
        except NotFound:
            return "gitea"
        return "forgejo"
