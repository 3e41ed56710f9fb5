"""
What GitHub could not deliver: asked of its log, and sent again by it.

GitHub tries once, keeps what happened for three days, and sends again what it is asked to,
under the same id. So nothing is returned here: it comes as webhooks do.
"""

from __future__ import annotations

from contextlib import suppress

from windlass.core.errors import BadDelivery, Conflict, NotFound, Permanent
from windlass.forges.github.access import HOOKS, Access, Asked
from windlass.forges.github.hooks import GitHubHooks
from windlass.forges.http.api import Json, text
from windlass.forges.times import moment
from windlass.ports.forge import Hook, Request
from windlass.ports.target import Clock

# Seconds that GitHub keeps a delivery.
KEPT = 3 * 86_400.0
# Deliveries looked at, and sent again, in one go.
LOOKED, AGAIN = 2_000, 100


class GitHubWebhooks(GitHubHooks):
    """`Webhooks` of GitHub."""

    def __init__(self, access: Access, clock: Clock) -> None:
        super().__init__(access)
        self._clock = clock

    async def missed(self, url: str, hook: Hook, since: float) -> tuple[Request, ...]:
        """Ask GitHub to send again what failed since then and never came through; returns ()."""
        async with self._access.ask(url, HOOKS) as asked:
            oldest = max(since, self._clock.now() - KEPT)
            for one in (await self.found(asked, hook))[:1]:
                path = f"{asked.path}/hooks/{text(one, 'id')}/deliveries"
                for delivery in (await _failed(asked, path, oldest))[:AGAIN]:
                    # One that GitHub does not keep any more does not hold up the others.
                    with suppress(NotFound, Conflict, Permanent):
                        await asked.api.post(f"{path}/{delivery}/attempts")
        return ()


async def _failed(asked: Asked, path: str, oldest: float) -> list[str]:
    """The last attempt of each delivery that never came through, oldest first."""
    last: dict[str, str] = {}
    arrived: set[str] = set()
    count = 0
    async for one in asked.api.every(path, {"per_page": 100}):
        count += 1
        if count > LOOKED or _at(one) < oldest:
            break
        if text(one, "event") == "ping":
            continue
        guid = text(one, "guid")
        last.setdefault(guid, text(one, "id"))
        if text(one, "status_code").startswith("2"):
            arrived.add(guid)
    return [last[guid] for guid in reversed(last) if guid not in arrived]


def _at(one: Json) -> float:
    try:
        return moment(text(one, "delivered_at") or None) or 0.0
    except BadDelivery:
        raise Permanent("GitHub's log of deliveries holds a time that cannot be read") from None
