"""
Webhooks of the GitHub of the tests: who may see them, what is sent, and the log of it.

See https://docs.github.com/en/rest/repos/webhooks and
https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from functools import partial

from windlass.testing.servers.github_ground import REPO, Ground, Person, Repository, Said, iso
from windlass.testing.servers.serving import Call, Refused, Reply, paged, route

EVENTS = frozenset(
    {
        "*",
        "create",
        "delete",
        "issue_comment",
        "merge_group",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "push",
        "release",
    }
)
DEFAULTS = {"content_type": "form", "insecure_ssl": "0"}
UNUSED = {"code": None, "status": "unused", "message": None}
# Seconds that a delivery is kept.
KEPT = 3 * 86_400


class Hooks(Ground):
    """`/hooks` and what they send."""

    @route("GET", REPO + "/hooks")
    def hooks(self, call: Call) -> Reply:
        """All of them, with their secrets hidden."""
        found = self.let(call, "hooks")
        return paged(call, [_shown(one) for one in found.hooks.values()], self.url)

    @route("POST", REPO + "/hooks")
    def make_hook(self, call: Call) -> Reply:
        """A new one, which is greeted with a ping; never two to the same address."""
        found = self.let(call, "hooks", write=True)
        call.only("name", "active", "events", "config")
        if call.body.get("name", "web") != "web":
            raise Refused(422, "Validation Failed: name must be web")
        made = {
            "type": "Repository",
            "id": self.new(),
            "name": "web",
            "active": call.body.get("active", True),
            "events": _events(call.body.get("events", ["push"])),
            "config": _config(call.body.get("config")),
            "last_response": dict(UNUSED),
        }
        if any(one["config"]["url"] == made["config"]["url"] for one in found.hooks.values()):
            raise Refused(422, "Hook already exists on this repository")
        found.hooks[made["id"]] = made
        self._ping(found, made)
        return Reply(201, _shown(made))

    @route("PATCH", REPO + "/hooks/{id}")
    def change_hook(self, call: Call) -> Reply:
        """Change it; a configuration replaces the whole of the one before."""
        found = self.let(call, "hooks", write=True)
        call.only("active", "events", "config", "add_events", "remove_events")
        one = _one(found, call)
        if "events" in call.body:
            one["events"] = _events(call.body["events"])
        if "config" in call.body:
            one["config"] = _config(call.body["config"])
        one["active"] = call.body.get("active", one["active"])
        return Reply(200, _shown(one))

    @route("DELETE", REPO + "/hooks/{id}")
    def drop_hook(self, call: Call) -> Reply:
        """Take it away."""
        found = self.let(call, "hooks", write=True)
        del found.hooks[_one(found, call)["id"]]
        return Reply(204)

    @route("POST", REPO + "/hooks/{id}/pings")
    def ping_hook(self, call: Call) -> Reply:
        """Send a ping."""
        found = self.let(call, "hooks", write=True)
        self._ping(found, _one(found, call))
        return Reply(204)

    @route("GET", REPO + "/hooks/{id}/deliveries")
    def log(self, call: Call) -> Reply:
        """What was sent, newest first, by cursors."""
        found = self.let(call, "hooks")
        hook, per = _one(found, call)["id"], int(call.query.get("per_page", "30"))
        if not 1 <= per <= 100 or "page" in call.query:
            raise Refused(422, "Validation failed")
        kept = [
            {name: value for name, value in one.items() if not name.startswith("_")}
            for one in reversed(found.deliveries)
            if one["_hook"] == hook and one["_at"] > self.now() - KEPT
        ]
        begin = int(call.query.get("cursor", "v1_0").removeprefix("v1_"))
        rest = {}
        if begin + per < len(kept):
            cursor = f"per_page={per}&cursor=v1_{begin + per}"
            rest["link"] = f'<{self.url}{call.path}?{cursor}>; rel="next"'
        return Reply(200, kept[begin : begin + per], rest)

    @route("POST", REPO + "/hooks/{id}/deliveries/{delivery}/attempts")
    def again(self, call: Call) -> Reply:
        """Send it again, with the id that it had."""
        found = self.let(call, "hooks", write=True)
        hook = _one(found, call)
        for one in found.deliveries:
            if str(one["id"]) == call.names["delivery"] and one["_hook"] == hook["id"]:
                if one["_at"] <= self.now() - KEPT:
                    break
                self.queue.append(partial(self._attempt, found, hook, one, again=True))
                return Reply(202, {})
        raise Refused(404, "Not Found")

    def _ping(self, found: Repository, hook: Said) -> None:
        said = {"zen": "Design for failure.", "hook_id": hook["id"], "hook": _shown(hook)}
        body = {**said, **self.about(found, None)}
        self.queue.append(partial(self._attempt, found, hook, _delivery("ping", body)))

    def tell(self, found: Repository, event: str, body: Said, by: Person) -> None:
        """Queue an event for each hook that wants it."""
        whole = {**body, **self.about(found, by)}
        for hook in found.hooks.values():
            if hook["active"] and not {event, "*"}.isdisjoint(hook["events"]):
                delivery = _delivery(event, whole)
                self.queue.append(partial(self._attempt, found, hook, delivery))

    def send(self) -> None:
        """Deliver what waits."""
        while self.queue:
            self.queue.pop(0)()

    def about(self, found: Repository, by: Person | None) -> Said:
        """The repository and the sender, as every body has them."""
        owner = found.path.partition("/")[0]
        repository = {
            "id": found.id,
            "name": found.path.partition("/")[2],
            "full_name": found.path,
            "private": found.private,
            "owner": {"login": owner},
            "html_url": f"{self.url}/{found.path}",
            "clone_url": f"{self.url}/{found.path}.git",
            "default_branch": found.default,
        }
        return {"repository": repository, **({"sender": by.said()} if by else {})}

    def _attempt(
        self, found: Repository, hook: Said, one: Mapping[str, object], *, again: bool = False
    ) -> None:
        body = json.dumps(one["_body"]).encode()
        config, guid, event = hook["config"], str(one["guid"]), str(one["event"])
        headers = {
            "user-agent": "GitHub-Hookshot/0000000",
            "x-github-event": event,
            "x-github-delivery": guid,
            "x-github-hook-id": str(hook["id"]),
        }
        if config.get("secret"):
            mac = hmac.new(config["secret"].encode(), body, hashlib.sha256).hexdigest()
            headers["x-hub-signature-256"] = f"sha256={mac}"
        if config["content_type"] == "form":
            headers["content-type"] = "application/x-www-form-urlencoded"
        code = self.deliver(config["url"], headers, body).status
        fine = 200 <= code < 300
        why = f"Invalid HTTP Response: {code}" if code else "failed to connect to host"
        hook["last_response"] = {
            "code": code,
            "status": "active" if fine else "misconfigured",
            "message": "OK" if fine else why,
        }
        found.deliveries.append(
            {
                **one,
                "id": self.new(),
                "delivered_at": iso(self.now()),
                "redelivery": again,
                "status": "OK" if fine else why,
                "status_code": code,
                "_at": self.now(),
                "_hook": hook["id"],
            }
        )


def _delivery(event: str, body: Said) -> Said:
    action = body.get("action")
    return {"guid": str(uuid.uuid4()), "event": event, "action": action, "_body": body}


def _one(found: Repository, call: Call) -> Said:
    hook = found.hooks.get(int(call.names["id"]) if call.names["id"].isdecimal() else 0)
    if hook is None:
        raise Refused(404, "Not Found")
    return hook


def _shown(hook: Said) -> Said:
    config = hook["config"]
    hidden = {"secret": "********"} if config.get("secret") else {}
    return {**hook, "config": {**config, **hidden}}


def _events(names: object) -> list[str]:
    if not isinstance(names, list) or not names or not EVENTS.issuperset(names):
        raise Refused(422, "Validation Failed: these events are not known")
    return list(names)


def _config(said: object) -> Said:
    if not isinstance(said, dict) or not str(said.get("url", "")).startswith("http"):
        raise Refused(422, "Validation Failed: url is missing a scheme")
    if unknown := set(said) - {"url", "content_type", "secret", "insecure_ssl"}:
        raise Refused(422, f"Validation Failed: {sorted(unknown)}")
    return {**DEFAULTS, **said}
