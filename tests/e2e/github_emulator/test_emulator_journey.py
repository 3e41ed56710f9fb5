"""
From `windlass repo add` to production, through a GitHub that others wrote.

The emulator's own: the repository, people, branches, the webhook with its ping and its
signature, pull requests, reviews, comments, merges with their commits, the App with its
tokens, and check runs. Ours, because it has nothing of the kind: Git over HTTP, for which
each commit is made a second time (`git` and the emulator agree on every id); commit statuses;
the code that an App's key is exchanged for. Each webhook came, in every run; but the emulator
sends it once and cannot be asked to send it again, and it has none for a push to a pull
request's branch (`synchronize`), nor for what a merge pushes. It has no deployments, so what
was deployed is looked for in the place itself.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from up import Up, delivering

from windlass.ports.forge import MARKER

TOKEN, BOBS, CODE = "ghp_" + "a" * 36, "ghp_" + "b" * 36, "made"


class Browser:
    """A person's browser: keeps the cookie, and goes where it is sent."""

    def __init__(self, up):
        self.host = f"127.0.0.1:{up.port}"
        self.cookie = ""

    def ask(self, method, path, **form):
        """The text of a page."""
        headers = {"cookie": self.cookie, "origin": f"http://{self.host}"}
        headers |= {"content-type": "application/x-www-form-urlencoded"} if form else {}
        with closing(http.client.HTTPConnection(self.host, timeout=20)) as connection:
            connection.request(method, path, urlencode(form) if form else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        assert answer.status < 400, text
        if said := answer.headers["set-cookie"]:
            self.cookie = said.partition(";")[0]
        return text


def by_app(front, up):
    """Nothing is pasted: a link is followed, two buttons are pressed, GitHub makes the App."""
    browser = Browser(up)
    browser.ask("POST", "/login", code=re.search(r"/login\?code=(\S+)", up.said)[1])
    page = browser.ask("GET", f"/connect/github?{urlencode({'host': front.url})}")
    action = html.unescape(re.search(r'<form method="post" action="(http[^"]*)"', page)[1])
    (state,) = parse_qs(urlsplit(action).query)["state"]
    browser.ask("GET", f"/connect/github/done?{urlencode({'code': CODE, 'state': state})}")
    return up.windlass("repo", "add", f"{front.url}/acme/shop", "--no-input")


def by_token(front, up):
    """One value is pasted."""
    return up.windlass("repo", "add", f"{front.url}/acme/shop", "--token-file", "-", said=TOKEN)


def check_run(ada, sha):
    """What the check run of our pipeline says, in the emulator."""
    runs = ada.api("GET", f"/commits/{sha}/check-runs")["check_runs"]
    return [one["conclusion"] for one in runs if one["name"] == "windlass/pipeline/ci"]


def commit_status(ada, sha):
    """What the commit status of our pipeline says, in what stands before the emulator."""
    told = [
        one
        for one in ada.front.statuses
        if (one["sha"], one["context"]) == (sha, "windlass/pipeline/ci")
    ]
    return [one["state"] for one in told[-1:]]


@dataclass(frozen=True)
class Way:
    """How a team connects: what it does and pastes, where results stand, who comments."""

    name: str
    connect: Callable
    pasted: int
    result: Callable
    author: str


WAYS = (
    Way("an App", by_app, 0, check_run, "windlass-acme[bot]"),
    Way("a token", by_token, 1, commit_status, "ada"),
)


@pytest.fixture
def up(tmp_path, front):
    server = Up(tmp_path, front.host)
    server.start()
    yield server
    server.end()


@pytest.fixture
def place(tmp_path, ada):
    """Where production is, once `main` says so."""
    files = {
        ".windlass.yaml": delivering(tmp_path / "production", "reviewed: true, "),
        "app.txt": "one\n",
    }
    ada.know(ada.commit("main", files), "main", new=False)
    return tmp_path / "production"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_pull_request_goes_from_its_opening_to_production(ada, up, place, way, capsys):
    """
    At most one value is pasted; the result and one comment stand there, and it is deployed.

    What is deployed is the build that was tested, once Bob has approved and merged. The time
    from the first command to the first green is printed.
    """
    began = time.monotonic()
    said = way.connect(ada.front, up)
    assert "ping arrived" in said
    assert TOKEN not in said
    (hook,) = ada.api("GET", "/hooks")
    assert hook["config"]["url"].startswith(f"http://127.0.0.1:{up.port}/hooks/")

    number, sha = ada.propose("topic", {"app.txt": "two\n"})
    up.until(lambda: way.result(ada, sha) == ["success"])
    took = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\n{way.name}, {way.pasted} pasted: green after {took:.1f} s\n")
    assert took < 60

    comments = partial(ada.api, "GET", f"/issues/{number}/comments")
    up.until(comments)
    (tested,) = up.until(partial(digests, up))
    ada.api("POST", f"/pulls/{number}/reviews", token=BOBS, event="APPROVE")
    merged = ada.merge(number)
    up.until((place / "current" / "out" / "app.txt").exists)
    assert (place / "current" / "out" / "app.txt").read_text() == "two\n"
    assert digests(up) == {tested}
    (event,) = (one for one in listed(up, "events") if one["label"] == "pull_request merged")
    assert event["sha"] == merged
    (comment,) = comments()
    assert comment["body"].startswith(MARKER)
    assert comment["user"]["login"] == way.author


def listed(up, what):
    """A list of the API; whoever is on the machine may read."""
    return json.loads(Browser(up).ask("GET", f"/api/v1/{what}"))["items"]


def digests(up):
    """Every build that was made."""
    return {one["digest"] for one in listed(up, "builds")}
