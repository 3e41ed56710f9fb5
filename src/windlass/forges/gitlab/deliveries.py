"""
GitLab's log of a webhook: what failed last, and what is to be sent again.

The log holds seven days, in GitLab 17.3 and newer, and 17.4 sends again on demand, five
times a minute. A delivery keeps its `Idempotency-Key` however often it is sent, so it is
known by that whether one of its tries arrived, and ours counts it once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from windlass.core.errors import NotFound, Permanent, Transient
from windlass.forges.gitlab.projects import Project
from windlass.forges.gitlab.words import instant
from windlass.forges.http.api import Json, text

# Entries of a page; GitLab takes no more here.
PAGE = 20
# Entries that are looked through for each outcome.
MOST = 200
# Deliveries that are sent again in one go: GitLab's limit for a minute.
AT_ONCE = 5
# What failed so often is left alone, so that it does not get the webhook switched off.
TRIES = 4


def path_of(project: Project, hook: Json) -> str:
    """Where a webhook is in the API."""
    return f"{project.path}/hooks/{text(hook, 'id')}"


async def trouble(project: Project, hook: Json) -> str:
    """How the last delivery failed; empty when it did not, or is not known."""
    path = f"{path_of(project, hook)}/events"
    try:
        async for last in project.api.every(path, {"per_page": 1}):
            status = text(last, "response_status")
            if _arrived(status):
                return ""
            how = f"was answered {status}" if status.isdecimal() else f"failed ({status})"
            return f"GitLab's last delivery {how}"
    except NotFound:
        return ""
    return ""


async def again(project: Project, hook: Json, since: float) -> None:
    """
    Ask for what failed since then (UTC seconds) and never arrived, each once.

    What was tried least and is oldest comes first; what is left comes with the next call.
    """
    tries: dict[str, list[int]] = {}
    for outcome in ("client_failure", "server_failure"):
        async for one in _log(project, hook, outcome, since):
            tries.setdefault(_key(one), []).append(int(text(one, "id") or 0))
    if not tries:
        return
    async for one in _log(project, hook, "successful", since):
        tries.pop(_key(one), None)
    waiting = sorted((len(ids), min(ids), max(ids)) for ids in tries.values() if len(ids) < TRIES)
    for _, _, newest in waiting[:AT_ONCE]:
        try:
            await project.api.post(f"{path_of(project, hook)}/events/{newest}/resend")
        except Transient:
            # A limit, or no GitLab at all; what is left is asked for the next time.
            return
        except (NotFound, Permanent):
            # Too old a GitLab, or sent to another address; heads are compared anyway.
            continue


async def _log(project: Project, hook: Json, outcome: str, since: float) -> AsyncIterator[Json]:
    """Entries of an outcome since then, newest first; nothing where there is no log."""
    path = f"{path_of(project, hook)}/events"
    count = 0
    try:
        async for one in project.api.every(path, {"status": outcome, "per_page": PAGE}):
            at = instant(text(one, "created_at"))
            count += 1
            # Older ones do not say when it was; then all of the seven days count.
            if count > MOST or 0 < at < since:
                return
            yield one
    except NotFound:
        return


def _key(entry: Json) -> str:
    return text(entry, "request_headers", "Idempotency-Key") or text(entry, "id")


def _arrived(status: str) -> bool:
    """Whether GitLab counts it as arrived, which it does with redirections too."""
    return status[:1] in {"2", "3"}
