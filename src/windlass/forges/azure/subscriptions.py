"""The subscriptions that are our webhook: one for each event type, as it should be, and how not."""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.event import Kind
from windlass.forges.azure.api import Known
from windlass.forges.basic_auth import USER
from windlass.forges.http.api import Json, text
from windlass.ports.forge import Hook

PATH = "/_apis/hooks/subscriptions"
PUBLISHER, CONSUMER, ACTION = "tfs", "webHooks", "httpRequest"
# Event type -> the version of its body that our dialect reads.
EVENTS: Mapping[str, str] = {
    "git.push": "1.0",
    "git.pullrequest.created": "1.0",
    "git.pullrequest.updated": "1.0",
    "git.pullrequest.merged": "1.0",
    "ms.vss-code.git-pullrequest-comment-event": "2.0",
}
# What each is read as.
KINDS: Mapping[str, Kind] = {
    "git.push": Kind.PUSH,
    "git.pullrequest.created": Kind.PULL_REQUEST,
    "git.pullrequest.updated": Kind.PULL_REQUEST,
    "git.pullrequest.merged": Kind.PULL_REQUEST,
    "ms.vss-code.git-pullrequest-comment-event": Kind.COMMENT,
}
# What a subscription that does not simply send is said to be.
STATUSES: Mapping[str, str] = {
    "onProbation": "is on probation, because deliveries failed",
    "disabledBySystem": "was switched off by Azure DevOps, because deliveries failed",
    "disabledByUser": "was switched off by a person",
    "disabledByInactiveIdentity": "was switched off, because who made it is not active any more",
}
# Inputs of the publisher that say where, and narrow nothing.
_WHERE = frozenset({"projectId", "repository", "tfsSubscriptionId", "subscriberId"})
_DELIVERED = (
    ("basicAuthUsername", {USER}, f"does not sign in as {USER}"),
    ("acceptUntrustedCerts", {"", "false"}, "does not check our certificate"),
    ("resourceDetailsToSend", {"", "all"}, "does not send the whole body"),
    ("messagesToSend", {"", "all", "text"}, "does not send what was done to a pull request"),
)


def wanted(event: str, known: Known, hook: Hook) -> dict[str, object]:
    """The subscription of this event type as it should be."""
    return {
        "publisherId": PUBLISHER,
        "eventType": event,
        "resourceVersion": EVENTS[event],
        "consumerId": CONSUMER,
        "consumerActionId": ACTION,
        "status": "enabled",
        "publisherInputs": {"projectId": known.project, "repository": known.id},
        "consumerInputs": {
            "url": hook.url,
            "basicAuthUsername": USER,
            "basicAuthPassword": hook.secret.decode("latin-1"),
            "acceptUntrustedCerts": "false",
            "resourceDetailsToSend": "all",
            "messagesToSend": "all",
            "detailedMessagesToSend": "none",
        },
    }


def differs(found: Json, hook: Hook) -> list[str]:
    """
    What a subscription of ours does otherwise than it should, in words.

    Azure DevOps shows no password, so a wrong one is seen only by what it fails to deliver.
    """
    said = []
    if text(found, "consumerInputs", "url") != hook.url:
        said.append("sends to another address")
    for name, usable, words in _DELIVERED:
        if text(found, "consumerInputs", name).lower() not in usable:
            said.append(words)
    inputs = found.get("publisherInputs")
    for name, value in (inputs if isinstance(inputs, dict) else {}).items():
        if value and name not in _WHERE:
            said.append(f"is narrowed by {name}")
    status = text(found, "status")
    if status != "enabled":
        said.append(STATUSES.get(status, f"is {status[:40]}"))
    return said


def about(found: Json, known: Known) -> bool:
    """Whether a subscription sends what happens in this repository to somebody's webhook."""
    kind = (text(found, "publisherId"), text(found, "consumerId"))
    repository = text(found, "publisherInputs", "repository")
    return kind == (PUBLISHER, CONSUMER) and repository.lower() == known.id.lower()
