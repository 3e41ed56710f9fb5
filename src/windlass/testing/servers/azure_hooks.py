"""
Service hooks of the Azure DevOps of the tests: subscriptions, what is sent, what failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from windlass.testing.servers.azure_state import NOW, Person, Pull, Repository
from windlass.testing.servers.serving import Call, Refused, Reply, Server, basic, first, route

SUBSCRIPTIONS = "/acme/_apis/hooks/subscriptions"
TYPES = frozenset(
    {
        "git.push",
        "git.pullrequest.created",
        "git.pullrequest.updated",
        "git.pullrequest.merged",
        "ms.vss-code.git-pullrequest-comment-event",
        "build.complete",
    }
)
INPUTS = frozenset(
    {
        "url",
        "basicAuthUsername",
        "basicAuthPassword",
        "acceptUntrustedCerts",
        "resourceDetailsToSend",
        "messagesToSend",
        "detailedMessagesToSend",
        "httpHeaders",
    }
)
FIELDS = ("publisherId", "eventType", "resourceVersion", "consumerId", "consumerActionId")
HIDDEN = "********"
# The repository of Microsoft's example, which the test button sends.
EXAMPLE = "278d5cd2-584d-4b63-824a-2ba458937249"


class Hooks(Server):
    """`plain_http` says whether a password may be sent without TLS, which only tests may."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.plain_http = True
        self.people: dict[str, Person] = {}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.pulls: list[Pull] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.notifications: list[dict[str, Any]] = []
        self.pings = 0

    def who(self, call: Call, scope: str) -> Person:
        """Who asks, if their token has this scope."""
        raise NotImplementedError

    # -- what happens

    def push(self, home: Repository, ref: str, sha: str, by: str = "ada") -> None:
        """Move a ref, and tell of it."""
        zero = "0" * 40
        before = home.refs().get(ref, (zero, ""))[0]
        home.point({ref: sha})
        author = {"name": by, "email": f"{by}@acme.example", "date": NOW}
        commits = [{"commitId": sha, "author": author, "committer": author, "comment": "Change"}]
        told = {
            "commits": commits if sha else [],
            "refUpdates": [{"name": ref, "oldObjectId": before, "newObjectId": sha or zero}],
            "repository": home.shown,
            "pushedBy": self.people[by].shown,
            "pushId": len(self.notifications) + 14,
            "date": NOW,
        }
        self.tell(home, "git.push", told, f"{by} pushed updates to {ref}.")

    def tell(self, home: Repository, name: str, resource: Mapping[str, Any], said: str) -> None:
        """Send an event to every subscription that wants it."""
        event = {
            "id": str(uuid4()),
            "eventType": name,
            "publisherId": "tfs",
            "message": {"text": said, "html": said, "markdown": said},
            "detailedMessage": None,
            "resource": resource,
            "resourceVersion": "1.0",
            "resourceContainers": {"project": {"id": home.project_id}},
            "createdDate": datetime.now(UTC).isoformat(),
        }
        for one in self.subscriptions:
            wanted = one["eventType"] == name and one["status"] in {"enabled", "onProbation"}
            if wanted and one["publisherInputs"].get("repository") == home.id:
                self._send(one, event)

    def _send(self, one: dict[str, Any], event: Mapping[str, Any]) -> None:
        """One delivery, kept with its event and what came of it."""
        number = len(self.notifications) + 1
        body = {"subscriptionId": one["id"], "notificationId": number, **event}
        status = self._post(one["consumerInputs"], body)
        good = 200 <= status < 300
        if not good:
            one["status"] = "onProbation"
        error = f"the server answered {status}" if status else "the connection was refused"
        kept = {
            "id": number,
            "subscriptionId": one["id"],
            "status": "completed",
            "result": "succeeded" if good else "failed",
            "createdDate": datetime.now(UTC).isoformat(),
            "details": {"event": dict(event), "errorMessage": None if good else error},
        }
        self.notifications.append(kept)

    def _post(self, inputs: Mapping[str, str], body: Mapping[str, Any]) -> int:
        user, password = inputs.get("basicAuthUsername"), inputs.get("basicAuthPassword")
        headers = {"content-type": "application/json; charset=utf-8"}
        if user:
            headers["authorization"] = basic(user, password or "")
        return self.deliver(inputs["url"], headers, json.dumps(body).encode()).status

    # -- subscriptions

    @route("GET", SUBSCRIPTIONS)
    def get_subscriptions(self, call: Call) -> Reply:
        """Those of the repositories whose hooks one may see; none otherwise, and that is all."""
        person = self.who(call, "code")
        seen = {one.id for one in self.repositories.values() if person.name in one.hookers}
        if not seen:
            raise Refused(403, f"Access denied. {person.name} needs View subscriptions permission.")
        found = [
            _shown(one)
            for one in self.subscriptions
            if one["publisherInputs"].get("repository") in seen
            and all(one[name] == call.query.get(name, one[name]) for name in FIELDS)
        ]
        return Reply(200, {"value": found, "count": len(found)})

    @route("POST", SUBSCRIPTIONS)
    def add_subscription(self, call: Call) -> Reply:
        """One more."""
        made = {**self._subscription(call), "id": str(uuid4())}
        self.subscriptions.append(made)
        return Reply(200, _shown(made))

    @route("PUT", f"{SUBSCRIPTIONS}/{{id}}")
    def put_subscription(self, call: Call) -> Reply:
        """In place of one; a hidden password stays what it was."""
        found, said = self._one(call), self._subscription(call)
        if said["consumerInputs"].get("basicAuthPassword") == HIDDEN:
            said["consumerInputs"]["basicAuthPassword"] = found["consumerInputs"][
                "basicAuthPassword"
            ]
        found.update(said)
        return Reply(200, _shown(found))

    @route("DELETE", f"{SUBSCRIPTIONS}/{{id}}")
    def delete_subscription(self, call: Call) -> Reply:
        """No more."""
        self.subscriptions.remove(self._one(call))
        return Reply(204)

    @route("POST", "/acme/_apis/hooks/testnotifications")
    def test(self, call: Call) -> Reply:
        """Send Microsoft's example, which is about nothing of ours; there is only a draft."""
        self.who(call, "code")
        if not call.query["api-version"].endswith("-preview"):
            raise Refused(400, "The -preview flag must be supplied in the api-version.")
        details = call.body["details"]
        body = {
            "subscriptionId": "00000000-0000-0000-0000-000000000000",
            "notificationId": 1,
            "id": "03c164c2-8912-4d5e-8009-3707d5f83734",
            "eventType": details["eventType"],
            "resource": {
                "refUpdates": [
                    {"name": "refs/heads/master", "oldObjectId": "a" * 40, "newObjectId": "3" * 40}
                ],
                "repository": {"id": EXAMPLE},
            },
            "createdDate": NOW,
        }
        self.pings += 1
        self._post(details["consumerInputs"], body)
        return Reply(200, {"id": 0, "status": "queued", "details": {}})

    @route("POST", "/acme/_apis/hooks/notificationsquery")
    def query(self, call: Call) -> Reply:
        """Deliveries of some subscriptions."""
        self.who(call, "code")
        asked = call.body
        call.only(
            "subscriptionIds",
            "includeDetails",
            "maxResults",
            "maxResultsPerSubscription",
            "resultType",
            "minCreatedDate",
        )
        found = []
        for identity in asked["subscriptionIds"]:
            kept = [
                one for one in reversed(self.notifications) if one["subscriptionId"] == identity
            ]
            kept = [one for one in kept if one["result"] == asked.get("resultType", one["result"])]
            kept = [one for one in kept if one["createdDate"] >= asked.get("minCreatedDate", "")]
            found += kept[: asked.get("maxResultsPerSubscription", 100)]
        shown = found[: asked.get("maxResults", 100)]
        if not asked.get("includeDetails"):
            shown = [{**one, "details": None} for one in shown]
        return Reply(200, {**asked, "results": shown})

    def _one(self, call: Call) -> dict[str, Any]:
        found = (one for one in self.subscriptions if one["id"] == call.names["id"])
        one: dict[str, Any] = first(found, "The subscription could not be found.")
        self._may(call, one)
        return one

    def _may(self, call: Call, said: Mapping[str, Any]) -> None:
        person = self.who(call, "code")
        inputs = said.get("publisherInputs") or {}
        homes = [one for one in self.repositories.values() if one.id == inputs.get("repository")]
        if not homes or homes[0].project_id != inputs.get("projectId"):
            raise Refused(400, "The publisher inputs name no repository of the project.")
        if person.name not in homes[0].hookers:
            raise Refused(403, f"Access denied. {person.name} needs Edit subscriptions permission.")

    def _subscription(self, call: Call) -> dict[str, Any]:
        """What a body says, if it is a subscription that could be."""
        call.only(*FIELDS, "id", "status", "publisherInputs", "consumerInputs")
        self._may(call, call.body)
        said = {name: call.body.get(name, "") for name in FIELDS}
        inputs = call.body.get("consumerInputs") or {}
        if said["eventType"] not in TYPES or said["publisherId"] != "tfs":
            raise Refused(400, f"There is no event {said['eventType']}.")
        if (said["consumerId"], said["consumerActionId"]) != ("webHooks", "httpRequest"):
            raise Refused(400, "There is no such consumer.")
        if unknown := set(inputs) - INPUTS:
            raise Refused(400, f"The consumer has no input {min(unknown)}.")
        secure = inputs.get("url", "").startswith("https://") or self.plain_http
        if inputs.get("basicAuthUsername") and not secure:
            raise Refused(400, "Basic authentication needs an https:// URL.")
        return {
            **said,
            "status": call.body.get("status", "enabled"),
            "publisherInputs": {**call.body["publisherInputs"], "tfsSubscriptionId": str(uuid4())},
            "consumerInputs": dict(inputs),
        }


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    """A subscription as it is told, its password hidden."""
    inputs = dict(one["consumerInputs"])
    if inputs.get("basicAuthPassword"):
        inputs["basicAuthPassword"] = HIDDEN
    return {**one, "consumerInputs": inputs}
