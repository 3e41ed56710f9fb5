"""
The reasons why there is no event, each with what to do about it.

A table, so that who looks for reasons words none of them. `{name}`, `{url}`, `{default}` are
of the repository, `{detail}` and `{event}` are what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from windlass.ports.records import Repository


class Reason(StrEnum):
    """Why no event tells of a commit or a pull request; stable, for programs."""

    NOT_CONNECTED = "not-connected"
    INACTIVE = "inactive"
    WAITING = "delivery-waiting"
    UNHANDLED = "delivery-unhandled"
    IGNORED = "delivery-ignored"
    UNREACHABLE = "forge-unreachable"
    NO_PULL_REQUEST = "no-pull-request"
    ENDED = "pull-request-ended"
    UNKNOWN = "commit-unknown"
    HOOK_MISSING = "hook-missing"
    HOOK_DISABLED = "hook-disabled"
    NOT_SUBSCRIBED = "event-not-subscribed"
    HOOK_WRONG = "hook-wrong"
    REFUSED = "delivery-refused"
    FAILED = "delivery-failed"
    NO_CONFIGURATION = "no-configuration"
    OTHER_BRANCH = "configuration-on-other-branch"
    SKIPPED = "skip-marker"
    PENDING = "recovery-pending"
    PART = "part-of-a-push"
    NEVER_A_HEAD = "never-a-head"
    BEFORE_CONNECTED = "before-connected"


_FINDS = "windlass repo check {name} puts it right and finds what was missed."

# What is said, and what to do; nothing where there is nothing to do.
WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.NOT_CONNECTED: (
        "{name} is not connected to this server.",
        "windlass repo add URL connects it; windlass repo list shows what is connected.",
    ),
    Reason.INACTIVE: (
        "{name} is not active: it was disconnected, so nothing that it sends is taken.",
        "windlass repo add {url} connects it again.",
    ),
    Reason.WAITING: (
        "Delivery {detail} tells of it, and its turn has not come yet.",
        "wait, and ask again; windlass events deliveries shows where it is.",
    ),
    Reason.UNHANDLED: (
        "A delivery tells of it, and could not be handled: {detail}.",
        "mend that; then windlass events replay has it anew.",
    ),
    Reason.IGNORED: ("A delivery tells of it, and was ignored: {detail}.", ""),
    Reason.UNREACHABLE: (
        "The code host could not be asked: {detail}.",
        "windlass doctor looks for the reason.",
    ),
    Reason.NO_PULL_REQUEST: ("There is no such pull request on the code host.", ""),
    Reason.ENDED: (
        "It was {detail} before this server heard of it, and is not looked for any more.",
        "",
    ),
    Reason.UNKNOWN: (
        "It is not in the repository: it was never pushed, or it is on another one.",
        "git push, and its webhook comes by itself.",
    ),
    Reason.HOOK_MISSING: (
        "The code host has no webhook to this server, so it told nothing.",
        _FINDS,
    ),
    Reason.HOOK_DISABLED: ("Its webhook is disabled on the code host.", _FINDS),
    Reason.NOT_SUBSCRIBED: (
        "Its webhook is not subscribed to {detail} events, so the code host sends none.",
        _FINDS,
    ),
    Reason.HOOK_WRONG: ("Its webhook has a problem: {detail}.", _FINDS),
    Reason.REFUSED: (
        "The last request for {name} was refused ({detail}); it may have been this one.",
        "windlass repo check {name} sets address and secret anew; what was missed is then found.",
    ),
    Reason.FAILED: (
        "The code host did not reach this server: {detail}.",
        "windlass doctor looks for what is in its way; the server then finds what was missed.",
    ),
    Reason.NO_CONFIGURATION: (
        "There is no configuration, neither at this commit nor on the default branch, {default}.",
        "add `.windlass.yaml` to {default}.",
    ),
    Reason.OTHER_BRANCH: (
        "Its configuration is not on the default branch, {default}, whose listeners are asked.",
        "merge `.windlass.yaml` into {default}.",
    ),
    Reason.SKIPPED: (
        "It has the skip marker {detail}, so no listener may start anything.",
        "push a commit without it.",
    ),
    Reason.PENDING: (
        "It is the head of {detail}, and no webhook has told of it yet.",
        "the server finds it with its next look; windlass repo check {name} looks now.",
    ),
    Reason.PART: (
        "It came with {detail}: one push is one event, about its newest commit.",
        "windlass explain {event}",
    ),
    Reason.NEVER_A_HEAD: (
        "It is in the repository, but was never the head of a push that we heard of.",
        "explain the newest commit of the push that it came with.",
    ),
    Reason.BEFORE_CONNECTED: (
        "It was there before {name} was connected, and what was there starts nothing.",
        "push a commit, or start a listener that is `on: manual`: windlass listeners run",
    ),
}


@dataclass(frozen=True, slots=True)
class Absence:
    """The first true reason, and what was found: in words, and the event that was meant."""

    reason: Reason
    detail: str = ""
    event: int = 0

    def words(self, repository: Repository) -> tuple[str, str]:
        """What is said of a repository, and what to do, empty when there is nothing to do."""
        told = {
            "name": repository.name,
            "url": repository.url,
            "default": repository.default_branch,
            "detail": self.detail.removesuffix("."),
            "event": self.event,
        }
        said, fix = WORDS[self.reason]
        return said.format(**told), fix.format(**told)
