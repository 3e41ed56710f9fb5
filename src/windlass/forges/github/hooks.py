"""
Our webhook on GitHub: made, looked at, put right and taken away.

A hook is ours when it leads to `/hooks/` of our own address. GitHub never shows a
secret, so installing always sets it again; that is how a new one gets there.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.errors import NotAllowed, NotFound, Permanent, UserError
from windlass.core.event import Kind
from windlass.forges.github.access import HOOKS, Access, Asked
from windlass.forges.http.api import Json, fields, items, text
from windlass.forges.own_hooks import ours
from windlass.ports.forge import Hook, HookState

# What the dialect reads, and as what. `create` and `delete` tell what a push has told.
EVENTS: Mapping[str, tuple[Kind, ...]] = {
    "push": (Kind.PUSH, Kind.TAG, Kind.BRANCH),
    "pull_request": (Kind.PULL_REQUEST,),
    "pull_request_review": (Kind.REVIEW,),
    "pull_request_review_comment": (Kind.COMMENT,),
    "issue_comment": (Kind.COMMENT,),
    "release": (Kind.RELEASE,),
    "merge_group": (Kind.MERGE_GROUP,),
}
_LOG = "GitHub's page of the webhook shows it under Recent Deliveries"


class GitHubHooks:
    """`install`, `check`, `remove` and `ping` of `Webhooks`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or repair it; twice is once."""
        async with self._access.ask(url, HOOKS) as asked:
            there = await self.found(asked, hook)
            wanted = {
                "active": True,
                "events": list(EVENTS),
                "config": {
                    "url": hook.url,
                    "content_type": "json",
                    "secret": _text(hook.secret),
                    "insecure_ssl": "0",
                },
            }
            for surplus in there[1:]:
                await _delete(asked, surplus)
            try:
                if there:
                    path = f"{asked.path}/hooks/{text(there[0], 'id')}"
                    made = fields((await asked.api.send("PATCH", path, wanted)).json())
                else:
                    made = await asked.api.post(f"{asked.path}/hooks", {"name": "web", **wanted})
            except Permanent as error:
                hint = f"GitHub must be able to reach {hook.url}: see the setting public_url"
                raise UserError(f"{url}: {error}", hint=hint) from error
            except NotFound as error:
                raise await _unseen(asked, error) from error
            return _state([made], hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us."""
        async with self._access.ask(url, HOOKS) as asked:
            there = await self.found(asked, hook)
            if not there:
                problem = f"there is no webhook to {hook.url}"
                return HookState(present=False, problem=problem)
            return _state(there, hook)

    async def remove(self, url: str, hook: Hook) -> None:
        """Take our hook away, and nothing else; twice is once."""
        async with self._access.ask(url, HOOKS) as asked:
            for one in await self.found(asked, hook):
                await _delete(asked, one)

    async def ping(self, url: str, hook: Hook) -> bool:
        """Have GitHub send a ping now; False where there is no hook of ours."""
        async with self._access.ask(url, HOOKS) as asked:
            there = await self.found(asked, hook)
            for one in there[:1]:
                await asked.api.post(f"{asked.path}/hooks/{text(one, 'id')}/pings")
            return bool(there)

    async def found(self, asked: Asked, hook: Hook) -> list[Json]:
        """Our hooks, the one that leads to this very address first."""
        there = [one for one in await _every(asked) if ours(_address(one), hook)]
        return sorted(there, key=lambda one: _address(one) != hook.url)


def _state(there: list[Json], hook: Hook) -> HookState:
    """What there is of ours, the first the one that counts."""
    failed = _failure(there[0])
    wrong = _wrong(there, hook)
    return HookState(
        present=True,
        problem="; ".join(wrong) if wrong else f"{failed}; {_LOG}" if failed else "",
        active=there[0].get("active") is True,
        unsent=frozenset(kind for name in _lacking(there[0]) for kind in EVENTS[name]),
        failed=failed,
    )


def _lacking(one: Json) -> list[str]:
    events = {str(name) for name in items(one.get("events") or [])}
    return [] if "*" in events else [name for name in EVENTS if name not in events]


def _wrong(there: list[Json], hook: Hook) -> list[str]:
    """What is not as it should be, each in a few words."""
    one = there[0]
    config = fields(one.get("config") or {})
    lacking = _lacking(one)
    return [
        said
        for is_so, said in (
            (len(there) > 1, f"there are {len(there)} webhooks to us"),
            (_address(one) != hook.url, f"the webhook leads to {_address(one)}"),
            (one.get("active") is not True, "the webhook is switched off"),
            (text(config, "content_type") != "json", "the webhook does not send JSON"),
            (text(config, "insecure_ssl") not in {"", "0"}, "the webhook does not verify TLS"),
            (bool(lacking), f"the webhook does not send {', '.join(lacking)}"),
        )
        if is_so
    ]


def _failure(one: Json) -> str:
    """What was wrong with the last delivery; empty when it came through, or there was none."""
    code, said = text(one, "last_response", "code"), text(one, "last_response", "message")
    status = text(one, "last_response", "status")
    if code.startswith("2") or (not code and status in {"", "unused", "active"}):
        return ""
    why = said or status
    return f"the last delivery failed: {why}{f' ({code})' if code and code not in why else ''}"


async def _every(asked: Asked) -> list[Json]:
    try:
        return [one async for one in asked.api.every(f"{asked.path}/hooks", {"per_page": 100})]
    except NotFound as error:
        raise await _unseen(asked, error) from error


async def _unseen(asked: Asked, error: NotFound) -> UserError:
    """GitHub hides webhooks from whoever may not see them; a repository that is there tells."""
    try:
        await asked.api.get(asked.path)
    except NotFound:
        return error
    hint = f"it takes the right {HOOKS}"
    return NotAllowed(f"{asked.place.url}: its webhooks may not be seen or made", hint=hint)


async def _delete(asked: Asked, one: Json) -> None:
    try:
        await asked.api.send("DELETE", f"{asked.path}/hooks/{text(one, 'id')}")
    except NotFound:
        return


def _text(secret: bytes) -> str:
    """The secret as GitHub takes it: it signs with its UTF-8."""
    try:
        return secret.decode()
    except UnicodeDecodeError:
        raise UserError("the webhook's secret is no UTF-8 text", hint="store another") from None


def _address(one: Json) -> str:
    return text(one, "config", "url")
