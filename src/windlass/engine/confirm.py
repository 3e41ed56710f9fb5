"""
Asking again what nobody signed.

A forge that sends a password in place of a signature says who speaks, and nothing of
what is said. Then an event is only a hint: what decides is what the forge answers when it
is asked, and Git, which fetches its refs and commits from it anyway.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.errors import NotFound
from windlass.core.event import Event, Kind, is_zero
from windlass.ports.forge import PullRequest, PullState, Source
from windlass.ports.records import Repository

_MOVED = frozenset({Kind.PUSH, Kind.BRANCH, Kind.TAG})
_STATES = {PullState.MERGED: "merged", PullState.CLOSED: "closed"}


async def confirmed(source: Source, repository: Repository, event: Event) -> Event:
    """The event as the forge tells it now; `NotFound` when there is no such thing."""
    if event.kind is Kind.REVIEW and event.recovered:
        return event  # it is the forge's answer, and of the commit that was reviewed then
    if event.kind in {Kind.PULL_REQUEST, Kind.REVIEW, Kind.COMMENT} and event.number:
        pull = await source.pull(repository.url, event.number)
        return _pull_request(event, pull)
    if event.kind in _MOVED and event.sha and not is_zero(event.sha) and event.action != "deleted":
        ref = f"refs/tags/{event.tag}" if event.tag else f"refs/heads/{event.branch}"
        found = (await source.heads(repository.url)).get(ref)
        if found is None:
            raise NotFound(f"{ref} is not there, as the forge says itself")
        return replace(event, sha=found)
    return event


def _pull_request(event: Event, pull: PullRequest) -> Event:
    told = replace(
        event,
        base=pull.base,
        head=pull.head,
        head_sha=pull.head_sha,
        author=pull.author,
        author_id=pull.author_id,
        fork=pull.fork,
        fork_owner=pull.fork_owner,
        title=pull.title,
    )
    if event.kind is not Kind.PULL_REQUEST:
        return told
    if event.action in {"merged", "closed"}:
        if pull.state is PullState.OPEN:
            raise NotFound(f"pull request {pull.number} is open, as the forge says itself")
        merged = pull.state is PullState.MERGED
        return replace(
            told, action=_STATES[pull.state], sha=pull.merge_sha if merged else pull.head_sha
        )
    return replace(told, sha=pull.head_sha)
