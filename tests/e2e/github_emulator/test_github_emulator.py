"""
Our GitHub adapter against a GitHub that others wrote.

The emulator comes from its registry, pinned by version and digest, into a folder of this
run; nothing of it is kept. It listens on loopback alone. A proxy gives it the face of an
Enterprise Server: the API below `/api/v3`, and Git, which it lacks, beside it. It has no
commit statuses and no deployments, and tells nothing of a person by number. The whole way
through a server that runs is in `test_emulator_journey.py`.
"""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path

from windlass.forges.github.dialect import GitHubDialect
from windlass.ports.forge import MARKER, Annotation, Hook, PullState, Status, StatusState
from windlass.testing.plain import Receiver

SECRET = b"correct horse battery staple"
ADA = "ada"


def runs(ada, sha):
    return ada.api("GET", f"/commits/{sha}/check-runs?filter=all")["check_runs"]


class Reading:
    """What comes from the emulator, each webhook verified and read by our dialect."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.count = 0

    def next(self, count=1):
        """The next so many, each as events or as ignored."""
        dialect, begin = GitHubDialect(), self.count
        self.count += count
        found = self.receiver.wait(self.count)[begin:]
        assert all(dialect.verify(one, (SECRET,)) for one in found)
        return [dialect.read(one, "acme/shop") for one in found]

    def event(self):
        """The next one, which is one event."""
        ((event,),) = self.next()
        return event


def test_a_pull_request_from_its_push_to_its_merge(front, ada, ask):
    """What we make is there, what the emulator sends is trusted and understood."""
    url = f"{front.url}/acme/shop"
    with Receiver() as receiver:
        reading, hook = Reading(receiver), Hook(url=receiver.url, secret=SECRET)
        ask(lambda forge: connected(forge, url, hook))
        (made,) = ada.api("GET", "/hooks")
        assert made["config"] == {"url": hook.url, "content_type": "json", "insecure_ssl": "0"}
        assert reading.event().kind == "ping"

        pushed = ada.commit("main", {"a.txt": "a"})
        ada.know(pushed, "main", new=False)
        event = reading.event()
        assert (event.kind, event.branch, event.sha, event.sender) == ("push", "main", pushed, ADA)

        sha = ada.commit("topic", {"b.txt": "b"})
        ada.know(sha, "topic", new=True)
        number = ada.api("POST", "/pulls", title="Add b", head="topic", base="main")["number"]
        event = reading.event()
        assert (event.action, event.number, event.sha) == ("opened", number, sha)

        pull = ask(lambda forge: forge.pull(url, number))
        assert (pull.state, pull.head_sha, pull.base) == (PullState.OPEN, sha, "main")
        assert pull.author_id == event.sender_id
        heads = ask(lambda forge: forge.heads(url))
        assert heads == {**ada.heads(), f"refs/pull/{number}/head": sha}

        for text in ("first", "second"):
            ask(lambda forge, text=text: forge.comment(url, number, text))
        comments = ada.api("GET", f"/issues/{number}/comments")
        assert [one["body"] for one in comments] == [f"{MARKER}\nsecond"]
        # The emulator does not say that the issue is a pull request; the edit is not read anyway.
        reasons = sorted(one.reason for one in reading.next(2))
        assert "edited" in reasons[0]
        assert "comment on an issue" in reasons[1]

        merged = ada.api("PUT", f"/pulls/{number}/merge")["sha"]
        event = reading.event()
        assert (event.action, event.sha) == ("merged", merged)
        pull = ask(lambda forge: forge.pull(url, number))
        assert (pull.state, pull.merge_sha) == (PullState.MERGED, merged)
        ask(lambda forge: left(forge, url, hook))
    assert ada.api("GET", "/hooks") == []


async def connected(forge, url, hook):
    """Install the hook, twice, and have a ping sent."""
    first = await forge.install(url, hook)
    assert (first.present, first.problem) == (True, "")
    assert await forge.install(url, hook) == await forge.check(url, hook) == first
    assert await forge.ping(url, hook)
    assert await forge.default_branch(url) == "main"


async def left(forge, url, hook):
    """Nothing was missed; take the hook away."""
    assert await forge.missed(url, hook, 0.0) == ()
    await forge.remove(url, hook)
    assert not (await forge.check(url, hook)).present


def test_an_app_makes_check_runs_and_changes_them(front, ada, ask, app):
    """Its proof and its token are taken; the run is one, and so is the bot's comment."""
    url = f"{front.url}/acme/shop"
    sha = ada.commit("topic", {"b.txt": "b"})
    ada.know(sha, "topic", new=True)
    number = ada.api("POST", "/pulls", title="Add b", head="topic", base="main")["number"]
    began = Status(sha=sha, context="windlass/ci", state=StatusState.PENDING, url=f"{url}/runs/1")
    marks = (Annotation("b.txt", 1, "it is wrong"),)
    ended = Status(
        sha=sha,
        context="windlass/ci",
        state=StatusState.FAILURE,
        description="it broke",
        url=f"{url}/runs/1",
        annotations=marks,
    )
    # Once with its mark: the emulator lists marks in a form that GitHub does not have.
    for status in (began, began, ended):
        ask(lambda forge, status=status: forge.status(url, status), as_app=True)
    (run,) = runs(ada, sha)
    told = (run["name"], run["status"], run["conclusion"], run["output"]["title"])
    assert told == ("windlass/ci", "completed", "failure", "it broke")
    assert (run["external_id"], run["details_url"]) == ("windlass/ci", f"{url}/runs/1")
    (mark,) = ada.api("GET", f"/check-runs/{run['id']}/annotations")["check_annotations"]
    assert (mark["path"], mark["start_line"], mark["message"]) == ("b.txt", 1, "it is wrong")

    ask(lambda forge: forge.status(url, began), as_app=True)
    assert [one["status"] for one in runs(ada, sha)] == ["in_progress", "completed"]

    for text in ("first", "second"):
        ask(lambda forge, text=text: forge.comment(url, number, text), as_app=True)
    (comment,) = ada.api("GET", f"/issues/{number}/comments")
    assert (comment["body"], comment["user"]["login"]) == (
        f"{MARKER}\nsecond",
        f"{app['slug']}[bot]",
    )
    (token, *_) = _tokens(front)
    assert (token["app"]["id"], token["repository_selection"]) == (app["id"], "selected")


def _tokens(front):
    connection = http.client.HTTPConnection("127.0.0.1", front.port_behind, timeout=20)
    connection.request("GET", "/_emulate/installation-tokens")
    said = json.loads(connection.getresponse().read())["installation_tokens"]
    connection.close()
    return said


def test_the_emulator_listens_on_loopback_alone(front):
    """Nothing of a test can be reached from another machine."""
    lines = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
    pattern = rf": (\w+):{front.port_behind:04X} \w+:\w+ 0A "
    assert re.findall(pattern, lines) == ["0100007F"]
