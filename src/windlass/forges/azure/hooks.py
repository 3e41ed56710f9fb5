"""
`Webhooks` of Azure DevOps: five subscriptions of one repository that send to us.

They belong to the organisation, and are found by the address they send to. Azure DevOps
keeps every event with its delivery and sends nothing again when asked, so what failed is
taken from there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson

from windlass.core.errors import BadDelivery, NotAllowed, Permanent, UserError
from windlass.forges.azure import subscriptions
from windlass.forges.azure.api import DRAFT, Access, Azure, Known, values
from windlass.forges.azure.subscriptions import EVENTS, PATH
from windlass.forges.basic_auth import authorization
from windlass.forges.http.api import Json, fields, items, text
from windlass.forges.http.client import Denied
from windlass.forges.own_hooks import ours
from windlass.forges.times import moment
from windlass.ports.forge import Hook, HookState, Request

# Failed deliveries that one question brings, and the newest that tell how one fares.
MOST, NEWEST = 200, 3
RIGHT = (
    "in the project's settings, give the token's owner the permissions View subscriptions"
    " and Edit subscriptions (Project Administrators have them); the token needs the scope"
    " Code (Read)"
)


class AzureWebhooks(Access):
    """`Webhooks` of Azure DevOps."""

    async def install(self, url: str, hook: Hook) -> HookState:
        """Make what is missing, put right what is there; the password is set each time."""
        _check(hook)
        async with self._speaking(url) as (azure, known):
            found = await _ours(azure, known, hook)
            for event in EVENTS:
                body = subscriptions.wanted(event, known, hook)
                same = [one for one in found if text(one, "eventType") == event]
                try:
                    await _put(azure, body, same)
                except Permanent as error:
                    raise _refused(error, hook) from error
        return await self.check(url, hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether all are there and as they should be, and how the last deliveries went."""
        async with self._speaking(url) as (azure, known):
            found = await _ours(azure, known, hook)
            if not found:
                return HookState(present=False, problem="the webhook is not there")
            problems = _problems(found, hook)
            if problems:
                sent = [text(one, "eventType") for one in found if text(one, "status") == "enabled"]
                return HookState(
                    present=True,
                    problem="; ".join(problems),
                    active=bool(sent),
                    unsent=frozenset(subscriptions.KINDS[one] for one in EVENTS if one not in sent),
                )
            failures = await _failures(azure, found)
        # Nothing that we could put right here: whoever reads this has to.
        failed = "; ".join(failures)
        return HookState(present=True, problem=failed, by_hand=bool(failures), failed=failed)

    async def remove(self, url: str, hook: Hook) -> None:
        """Delete what sends this repository's events to us."""
        async with self._speaking(url) as (azure, known):
            for one in await _ours(azure, known, hook):
                await azure.send("DELETE", f"{PATH}/{text(one, 'id')}")

    async def ping(self, url: str, hook: Hook) -> bool:
        """Have Azure DevOps send us its example of a push."""
        async with self._speaking(url) as (azure, known):
            details = subscriptions.wanted("git.push", known, hook)
            details.pop("status")
            params, path = {"useRealData": "false"}, "/_apis/hooks/testnotifications"
            await azure.send("POST", path, {"details": details}, params=params, version=DRAFT)
        return True

    async def missed(self, url: str, hook: Hook, since: float) -> tuple[Request, ...]:
        """What Azure DevOps gave up to deliver since then, as it would have come."""
        async with self._speaking(url) as (azure, known):
            found = await _ours(azure, known, hook)
            query: dict[str, object] = {"resultType": "failed", "maxResults": MOST}
            if since > 0:
                query["minCreatedDate"] = datetime.fromtimestamp(since, UTC).isoformat()
            kept = await _notifications(azure, found, query) if found else []
        requests = [one for each in kept if (one := _request(each, hook))]
        return tuple(sorted(requests, key=lambda one: one.at))

    @asynccontextmanager
    async def _speaking(self, url: str) -> AsyncIterator[tuple[Azure, Known]]:
        """About a repository that the token may read: what is refused then lacks another right."""
        azure = self.signed_in(url)
        known = await azure.known()
        try:
            yield azure, known
        except Denied as error:
            raise NotAllowed(
                f"{azure.place.url}: Azure DevOps does not let this token see and change"
                f" service hooks ({error.message})",
                hint=RIGHT,
            ) from error


async def _ours(azure: Azure, known: Known, hook: Hook) -> list[Json]:
    """Our subscriptions of this repository; nobody else's are looked at again."""
    params = {"publisherId": subscriptions.PUBLISHER, "consumerId": subscriptions.CONSUMER}
    every = values(await azure.send("GET", PATH, params=params))
    about = [one for one in every if subscriptions.about(one, known)]
    return [one for one in about if ours(text(one, "consumerInputs", "url"), hook)]


async def _put(azure: Azure, body: dict[str, object], same: list[Json]) -> None:
    """One subscription with this body in place of those that there are."""
    if not same:
        await azure.send("POST", PATH, body)
        return
    first, *more = same
    identity = text(first, "id")
    await azure.send("PUT", f"{PATH}/{identity}", {**body, "id": identity})
    for one in more:
        await azure.send("DELETE", f"{PATH}/{text(one, 'id')}")


def _problems(found: list[Json], hook: Hook) -> list[str]:
    """What is missing, there twice, or not as it should be, by event type."""
    said = []
    for event in EVENTS:
        same = [one for one in found if text(one, "eventType") == event]
        if len(same) > 1:
            said.append(f"the subscription to {event} is there {len(same)} times")
        if not same:
            said.append(f"the subscription to {event} is missing")
        said += [
            f"the subscription to {event} {words}"
            for one in same
            for words in subscriptions.differs(one, hook)
        ]
    return said


async def _failures(azure: Azure, found: list[Json]) -> list[str]:
    """Event types whose newest delivery failed, and how."""
    said, types = [], {text(one, "id"): text(one, "eventType") for one in found}
    newest: dict[str, Json] = {}
    for one in await _notifications(azure, found, {"maxResultsPerSubscription": NEWEST}):
        if text(one, "status") == "completed":
            before = newest.get(text(one, "subscriptionId"), {})
            newest[text(one, "subscriptionId")] = max(before, one, key=_number)
    for identity, one in newest.items():
        if text(one, "result") == "failed":
            why = text(one, "details", "errorMessage")[:200] or "no reason is given"
            said.append(f"the last delivery of {types.get(identity, 'an event')} failed: {why}")
    return said


async def _notifications(azure: Azure, found: list[Json], query: dict[str, object]) -> list[Json]:
    """Deliveries of these subscriptions, with the events and what came of them."""
    ids = [text(one, "id") for one in found]
    body = {"subscriptionIds": ids, "includeDetails": True, **query}
    answer = await azure.send("POST", "/_apis/hooks/notificationsquery", body)
    return [fields(one) for one in items(fields(answer.json()).get("results") or [])]


def _request(kept: Json, hook: Hook) -> Request | None:
    """A kept delivery as it was sent; None where the forge keeps its event no more."""
    details = kept.get("details")
    event = details.get("event") if isinstance(details, dict) else None
    try:
        at = moment(text(kept, "createdDate"))
    except BadDelivery:
        at = None
    if not isinstance(event, dict) or at is None:
        return None
    ids = {"subscriptionId": text(kept, "subscriptionId"), "notificationId": kept.get("id")}
    headers = {
        "authorization": authorization(hook.secret),
        "content-type": "application/json; charset=utf-8",
    }
    return Request(headers=headers, body=orjson.dumps({**ids, **event}), at=at)


def _number(kept: Json) -> int:
    number = kept.get("id")
    return number if isinstance(number, int) else 0


def _check(hook: Hook) -> None:
    if not hook.secret:
        raise UserError("a webhook needs a secret")


def _refused(error: Permanent, hook: Hook) -> UserError | Permanent:
    """A subscription that was not taken: a password over plain HTTP is the known cause."""
    if hook.url.startswith("https://"):
        return error
    return UserError(
        f"Azure DevOps does not take the webhook {hook.url}: {error}",
        hint="it sends its password to https:// alone; set public_url to such an address",
    )
