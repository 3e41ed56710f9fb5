"""
The webhook of a project: `Webhooks` of GitLab.

Ours is the one that sends to `/hooks/...` at our origin; nobody else's is touched. GitLab
shows a webhook's secret to nobody, so installing sets it again every time.

GitLab switches off a webhook that failed four times in a row, for a minute and then for
longer, and for good after forty times. A test that arrives switches it on again.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from windlass.core.errors import NotFound, Permanent, Transient, UserError
from windlass.core.event import Kind
from windlass.forges.gitlab import deliveries
from windlass.forges.gitlab.projects import Project, Projects
from windlass.forges.http.api import Json, text
from windlass.forges.own_hooks import ours
from windlass.ports.forge import Hook, HookState, Request

ROLE = "Maintainer"
# What GitLab calls the kinds of events that we take.
EVENTS: Mapping[str, tuple[Kind, ...]] = {
    "push_events": (Kind.PUSH, Kind.BRANCH),
    "tag_push_events": (Kind.TAG,),
    "merge_requests_events": (Kind.PULL_REQUEST, Kind.REVIEW),
    "note_events": (Kind.COMMENT,),
    "releases_events": (Kind.RELEASE,),
}
# Tests of a webhook, the first that GitLab has is sent. A made-up token that is about to expire
# is there in every project and starts nothing; a push would be the newest one once more.
TESTS = ("resource_access_token_events", "push_events")
LOG = "the log of the webhook says more"
ON = "executable"
# What GitLab says of a test that it does not know.
NO_SUCH = "does not have a valid value"


class GitLabWebhooks:
    """`Webhooks` of GitLab."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the webhook in place, or repair it, or switch it on; twice is once."""
        async with self._projects.open(url, ROLE) as project:
            there = await _ours(project, hook)
            if not there:
                await _write(project, "POST", f"{project.path}/hooks", _wanted(hook, {}))
            for extra in there[1:]:
                await project.api.send("DELETE", _path(project, extra))
            if there:
                path = _path(project, there[0])
                await _write(project, "PUT", path, _wanted(hook, there[0]))
                await _revive(project, await project.api.get(path))
        return await self.check(url, hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there, sends what we need to where we are, and arrives."""
        async with self._projects.open(url, ROLE) as project:
            there = await _ours(project, hook)
            if not there:
                return HookState(present=False, problem="GitLab has no webhook of ours")
            wrong = _problem(there, hook)
            failed = "" if wrong else await deliveries.trouble(project, there[0])
            return HookState(
                present=True,
                problem=wrong or (f"{failed}; {LOG}" if failed else ""),
                active=(text(there[0], "alert_status") or ON) == ON,
                unsent=frozenset(kind for name in _lacking(there[0]) for kind in EVENTS[name]),
                failed=failed,
            )

    async def remove(self, url: str, hook: Hook) -> None:
        """Take ours away, and nothing else; twice is once."""
        async with self._projects.open(url, ROLE) as project:
            for one in await _ours(project, hook):
                await _delete(project, one)

    async def ping(self, url: str, hook: Hook) -> bool:
        """
        Have GitLab send a test, of an event that Windlass ignores.

        False without a webhook of ours, and before GitLab 16.11. A test that did not arrive is
        a `UserError` that says what GitLab saw.
        """
        async with self._projects.open(url, ROLE) as project:
            there = await _ours(project, hook)
            if not there:
                return False
            try:
                await _test(project, there[0])
            except NotFound:
                return False
            except Permanent as error:
                raise UserError(
                    f"{url}: a test of the webhook failed: {error}",
                    hint="GitLab must reach public_url, and may have to be allowed to ask it",
                ) from error
        return True

    async def missed(self, url: str, hook: Hook, since: float) -> tuple[Request, ...]:
        """Nothing: what failed since then is sent again by GitLab, a few at a time."""
        async with self._projects.open(url, ROLE) as project:
            for one in await _ours(project, hook):
                await deliveries.again(project, one, since)
        return ()


async def _ours(project: Project, hook: Hook) -> list[Json]:
    """Webhooks that send to us, the one with the wanted address first."""
    path = f"{project.path}/hooks"
    every = project.api.every(path, {"per_page": 100})
    found = [one async for one in every if ours(text(one, "url"), hook)]
    return sorted(found, key=lambda one: text(one, "url") != hook.url)


def _path(project: Project, hook: Json) -> str:
    return deliveries.path_of(project, hook)


def _wanted(hook: Hook, there: Json) -> Json:
    """The webhook as it should be; what older ones do not know is only set where it stands."""
    return {
        "url": hook.url,
        "token": _secret(hook),
        "enable_ssl_verification": True,
        **dict.fromkeys(EVENTS, True),
        **({"push_events_branch_filter": ""} if there.get("push_events_branch_filter") else {}),
        **({"custom_webhook_template": ""} if there.get("custom_webhook_template") else {}),
    }


def _secret(hook: Hook) -> str:
    """The secret as GitLab takes it, which is a text of one line."""
    try:
        line = hook.secret.decode()
    except UnicodeDecodeError:
        line = ""
    if not line or "\n" in line:
        raise UserError("the webhook secret must be a line of text, for GitLab to send it")
    return line


def _problem(there: list[Json], hook: Hook) -> str:
    """The first thing that is not as it should be, and its remedy; empty when nothing is."""
    first, more = there[0], there[1:]
    lacking = ", ".join(_lacking(first))
    state = text(first, "alert_status") or ON
    until = text(first, "disabled_until")
    if more:
        return f"GitLab has {len(there)} webhooks of ours"
    if text(first, "url") != hook.url:
        return f"the webhook sends to {text(first, 'url')}"
    if lacking:
        return f"the webhook does not send {lacking}"
    if first.get("push_events_branch_filter"):
        return "the webhook sends the pushes of some branches only"
    if first.get("custom_webhook_template"):
        return "the webhook sends a text of its own making"
    if first.get("enable_ssl_verification") is not True:
        return "the webhook does not verify our certificate"
    if state != ON:
        for_now = f" until {until}" if until else ""
        return (
            f"GitLab has switched the webhook off{for_now}, because its deliveries failed;"
            f" when GitLab can reach {urlsplit(hook.url).hostname}, it can be switched on"
        )
    return ""


def _lacking(one: Json) -> list[str]:
    return [name for name in EVENTS if one.get(name) is not True]


async def _write(project: Project, method: str, path: str, wanted: Json) -> None:
    try:
        await project.api.send(method, path, wanted)
    except Permanent as error:
        raise UserError(
            f"GitLab does not take the webhook to {wanted['url']}: {error}",
            hint="is public_url right? An administrator of GitLab may have to allow it:"
            " Admin, Settings, Network, Outbound requests",
        ) from error


async def _revive(project: Project, hook: Json) -> None:
    """Switch on what GitLab switched off, by a test; what comes of it `check` tells."""
    if text(hook, "alert_status") in {"", ON}:
        return
    try:
        await _test(project, hook)
    except (NotFound, Permanent, Transient):
        # Older ones have no tests, a test may fail again, and there are five a minute.
        return


async def _test(project: Project, hook: Json) -> None:
    for trigger in TESTS:
        try:
            await project.api.post(f"{_path(project, hook)}/test/{trigger}")
        except Permanent as error:
            if trigger == TESTS[-1] or NO_SUCH not in str(error):
                raise
        else:
            return


async def _delete(project: Project, hook: Json) -> None:
    try:
        await project.api.send("DELETE", _path(project, hook))
    except NotFound:
        # Somebody was faster.
        return
