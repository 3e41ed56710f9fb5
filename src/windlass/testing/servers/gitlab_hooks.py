"""Webhooks of the GitLab of the tests: their rows, their log, tests of them, and sending."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping

from windlass.testing.servers import gitlab_bodies as bodies
from windlass.testing.servers.gitlab_asked import Asked
from windlass.testing.servers.gitlab_state import MAINTAINER, Project, Row, stamp
from windlass.testing.servers.serving import Call, Delivered, Refused, Reply, paged, route

TRIGGERS = ("push_events", "tag_push_events", "merge_requests_events", "note_events")
FLAGS = (*TRIGGERS, "releases_events", "issues_events", "enable_ssl_verification")
KNOWN = (*FLAGS, "url", "token", "push_events_branch_filter", "custom_webhook_template")
NAMES = {
    "push_events": "Push Hook",
    "tag_push_events": "Tag Push Hook",
    "merge_requests_events": "Merge Request Hook",
    "note_events": "Note Hook",
    "resource_access_token_events": "Resource Access Token Hook",
}
# After so many failures in a row GitLab stops to send, for a while and for good.
SHORTLY, FOR_GOOD = 3, 39
PAGE = 20


class Hooks(Asked):
    """The routes of `/projects/:id/hooks`, and the sending of webhooks."""

    # Tests and repeated deliveries that are still let through; GitLab lets five in a minute.
    patience = 5
    # Samples that it has.
    tests: tuple[str, ...] = ("resource_access_token_events", "push_events")

    @route("GET", "/api/v4/projects/{id}/hooks")
    def list_hooks(self, call: Call) -> Reply:
        """All webhooks."""
        project = self.opened(call, MAINTAINER)
        return paged(call, [self._shown(project, one) for one in project.hooks], self.home)

    @route("GET", "/api/v4/projects/{id}/hooks/{hook}")
    def show_hook(self, call: Call) -> Reply:
        """One of them."""
        project, number = self._hook(call)
        return Reply(200, self._shown(project, number))

    @route("POST", "/api/v4/projects/{id}/hooks")
    def add_hook(self, call: Call) -> Reply:
        """A new one; only pushes are on where nothing is said."""
        project = self.opened(call, MAINTAINER)
        number = max(project.hooks, default=100) + 1
        row = {name: name in {"push_events", "enable_ssl_verification"} for name in FLAGS}
        project.hooks[number] = {
            "id": number,
            **row,
            "push_events_branch_filter": "",
            "custom_webhook_template": None,
        }
        try:
            self._fill(project, number, call)
        except Refused:
            del project.hooks[number]
            raise
        return Reply(201, self._shown(project, number))

    @route("PUT", "/api/v4/projects/{id}/hooks/{hook}")
    def change_hook(self, call: Call) -> Reply:
        """Change one; with another address its secret is forgotten unless it is given."""
        project, number = self._hook(call)
        if call.body.get("url", "") != project.hooks[number].get("url"):
            project.secrets.pop(number, None)
        self._fill(project, number, call)
        return Reply(200, self._shown(project, number))

    @route("DELETE", "/api/v4/projects/{id}/hooks/{hook}")
    def remove_hook(self, call: Call) -> Reply:
        """Take one away."""
        project, number = self._hook(call)
        del project.hooks[number]
        return Reply(204)

    @route("GET", "/api/v4/projects/{id}/hooks/{hook}/events")
    def log_of_hook(self, call: Call) -> Reply:
        """What was sent, newest first."""
        project, number = self._hook(call)
        if int(call.query.get("per_page", "20")) > PAGE:
            raise Refused(400, "per_page does not have a valid value")
        wanted = call.query.get("status", "")
        ranges = {"successful": "2", "client_failure": "4", "server_failure": "5i"}
        if wanted and wanted not in ranges and not wanted.isdecimal():
            raise Refused(400, "status does not have a valid value")
        found = [
            {name: value for name, value in one.items() if name != "hook"}
            for one in reversed(project.log)
            if one["hook"] == number
            and (not wanted or str(one["response_status"])[0] in ranges.get(wanted, "-"))
        ]
        return paged(call, found, self.home, largest=PAGE)

    @route("POST", "/api/v4/projects/{id}/hooks/{hook}/events/{event}/resend")
    def resend(self, call: Call) -> Reply:
        """Send one of the log again, under its old key."""
        project, number = self._hook(call)
        self._patient()
        for one in project.log:
            if str(one["id"]) == call.names["event"] and one["hook"] == number:
                break
        else:
            raise Refused(404, "404 Not found")
        if one["url"] != project.hooks[number]["url"]:
            raise Refused(422, "The hook URL has changed, and this log entry cannot be retried")
        if self._shown(project, number)["alert_status"] != "executable":
            raise Refused(422, "Hook disabled")
        key = one["request_headers"]["Idempotency-Key"]
        done = self._send(project, number, one["trigger"], one["request_data"], key)
        return Reply(201, {"response_status": done.status or "internal error"})

    @route("POST", "/api/v4/projects/{id}/hooks/{hook}/test/{trigger}")
    def test_hook(self, call: Call) -> Reply:
        """Send a sample, even when the webhook is switched off."""
        project, number = self._hook(call)
        trigger = call.names["trigger"]
        if trigger not in self.tests:
            raise Refused(400, "trigger does not have a valid value")
        self._patient()
        if trigger == "push_events" and not project.default:
            raise Refused(422, "Ensure the project has at least one commit.")
        body = bodies.sample(project, self.home, self.user_of(call), trigger)
        done = self._send(project, number, trigger, body, str(uuid.uuid4()))
        if not 200 <= done.status < 300:
            raise Refused(422, f"Hook executed but returned HTTP {done.status}")
        return Reply(201, {"message": "201 Created"})

    def fire(self, project: Project, trigger: str, body: Row) -> None:
        """Something happened: tell every webhook that wants to know and is switched on."""
        for number, hook in project.hooks.items():
            on = self._shown(project, number)["alert_status"] == "executable"
            if hook[trigger] and on:
                self._send(project, number, trigger, body, str(uuid.uuid4()))

    def _send(self, project: Project, number: int, trigger: str, body: Row, key: str) -> Delivered:
        hook = project.hooks[number]
        headers = {
            "User-Agent": "GitLab/18.0.0",
            "Idempotency-Key": key,
            "X-Gitlab-Event": NAMES[trigger],
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
            "X-Gitlab-Event-UUID": str(uuid.uuid4()),
            "X-Gitlab-Instance": self.home,
        }
        if secret := project.secrets.get(number):
            headers["X-Gitlab-Token"] = secret
        done = self.deliver(hook["url"], headers, json.dumps(body).encode())
        failed = not 200 <= done.status < 400
        project.failures[number] = project.failures.get(number, 0) + 1 if failed else 0
        project.log.append(
            {
                "id": len(project.log) + 1,
                "hook": number,
                "url": hook["url"],
                "trigger": trigger,
                "request_headers": {**headers, "X-Gitlab-Token": "[REDACTED]"},
                "request_data": body,
                "response_status": str(done.status or "internal error"),
                "created_at": stamp(time.time()),
            }
        )
        return done

    def _hook(self, call: Call) -> tuple[Project, int]:
        project = self.opened(call, MAINTAINER)
        number = int(call.names["hook"])
        if number not in project.hooks:
            raise Refused(404, "404 Not found")
        return project, number

    def _fill(self, project: Project, number: int, call: Call) -> None:
        call.only(*KNOWN)
        given = dict(call.body)
        if not str(given.get("url", "")).startswith(("http://", "https://")):
            raise Refused(422, "Invalid url given")
        _typed(given)
        if (secret := given.pop("token", None)) is not None:
            if "\n" in str(secret):
                raise Refused(422, "token is invalid")
            project.secrets[number] = str(secret)
        project.hooks[number].update(given)

    def _shown(self, project: Project, number: int) -> Row:
        failures = project.failures.get(number, 0)
        state, until = "executable", None
        if failures > FOR_GOOD:
            state = "disabled"
        elif failures > SHORTLY:
            state, until = "temporarily_disabled", stamp(time.time() + 60)
        more = {"project_id": project.id, "alert_status": state, "disabled_until": until}
        return {**project.hooks[number], **more}

    def _patient(self) -> None:
        if self.patience <= 0:
            raise Refused(429, "This endpoint has been requested too many times. Try again later.")
        self.patience -= 1


def _typed(given: Mapping[str, object]) -> None:
    for name in FLAGS:
        if name in given and not isinstance(given[name], bool):
            raise Refused(400, f"{name} is invalid")
