"""Each page shows what the store holds, without scripts too, and lets no text become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from windlass.core.errors import Conflict
from windlass.ports.records import ChatCommand, Repository, StoredVerdict
from windlass.testing.fakes.memory import MemoryStore
from windlass.testing.fakes.requests import FakeCircuit
from windlass.testing.sample.web import NOW

PAGES = (
    ("/", "What runs where", "drifted"),
    ("/events", "1 of 5", "203.0.113.9"),
    ("/events/3", "first false", ".windlass.yaml:4:15"),
    ("/runs", "Round prices before tax", "held"),
    ("/runs?state=failed", "Round prices before tax", "failed"),
    ("/runs/3", "ci/test 3.12", "AssertionError"),
    ("/runs/3?job=ci/lint", "ci/lint", "make install"),
    ("/runs/4", "needs approval", "cd/production"),
    ("/approvals", "1 of 2", "compare/a1a1"),
    ("/places/acme/shop/at/production/of/api", "changed by hand", "deploy 4"),
    ("/places/acme/shop/at/production/of/web", "Pinned", "prices were wrong"),
    ("/builds", "KiB", "tree"),
    ("/repositories", "acme/payments", "Mend it with"),
    ("/repositories/acme/shop/listeners", "rollout", ".windlass.yaml:19:3"),
    ("/login", "Token", "api-token"),
)


class Outline(HTMLParser):
    """Counts what a page has of what it must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "script":
            self.scripts.append(values)
        self.headings += tag == "h1"
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" else []
        if "id" in values:
            self.ids.append(values["id"])


@pytest.mark.parametrize(("path", "one", "other"), PAGES, ids=[page[0] for page in PAGES])
def test_a_page_shows_it_without_scripts(web, path, one, other):
    """Status, verdicts and the text of a log are in the page itself."""
    answer = web.client.get(path)
    assert answer.status_code == 200
    assert one in answer.text
    assert other in answer.text


def test_what_came_nearest_is_told_at_every_door(web):
    """The page and the API say it in the same words; the lines of explain are in golden files."""
    said = "`services/**` matches `services/api/cart.py`, and the later `!**/*.py` takes it back"
    page = re.sub("<[^>]+>", "", web.client.get("/events/7").text)
    assert f"nearest{said}" in page
    verdicts = web.client.get("/api/v1/events/7").json()["verdicts"]
    assert {each["listener"]: each["nearest"] for each in verdicts}["docs"] == said


def test_the_page_of_a_comment_shows_what_its_commands_did(web):
    """What was written, as text, and what came of it."""
    said = ChatCommand(
        event=3,
        position=0,
        repository="acme/shop",
        pull_request=1,
        by="ann",
        by_id="1",
        text="/deploy <b>",
        state="refused",
        outcome="there is no environment <b>",
        path="/runs/3",
        at=0.0,
    )
    web.sample.store.fill(lambda tx: tx.add(said))
    text = web.client.get("/events/3").text
    assert "/deploy &lt;b&gt;" in text
    assert "there is no environment &lt;b&gt;" in text
    (shown,) = web.client.get("/api/v1/events/3").json()["commands"]
    assert (shown["by"], shown["state"]) == ("ann", "refused")


@pytest.mark.parametrize("path", [page[0] for page in PAGES])
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_page_has_nothing_inline(web, path, signed_in):
    """One script file, no inline script, style or listener; ids are unique; one heading."""
    if signed_in:
        web.sign_in()
    outline = Outline()
    outline.feed(web.client.get(path).text)
    assert [script["src"].partition("?")[0] for script in outline.scripts] == ["/static/page.js"]
    assert outline.inline == []
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.headings == 1


def test_a_page_without_anything_says_what_to_do(web):
    """A fresh server's pages are not empty."""
    web.sample.store._tables.clear()
    assert "windlass repo add" in web.client.get("/").text
    for path in ("/events", "/runs", "/approvals", "/builds", "/repositories"):
        assert web.client.get(path).status_code == 200
    assert isinstance(web.sample.store, MemoryStore)


def test_what_is_not_there_is_a_page(web):
    """With the status, the hint, and a way back."""
    answer = web.client.get("/runs/99")
    assert answer.status_code == 404
    assert "there is no run 99" in answer.text


BUTTONS = (
    ("/runs/6/cancel", {}, ("cancel", "6", "alice", ""), "/runs/6"),
    ("/runs/3/rerun", {}, ("rerun", "3", "alice"), "/runs/7"),
    (
        "/events/3/replay",
        {"token": "12345678", "deploy": "yes"},
        ("replay", "3", "True", "alice"),
        "/events/3",
    ),
    (
        "/deliveries/d00000003/replay",
        {"token": "87654321", "back": "/events"},
        ("replay", "d00000003", "False", "alice"),
        "/events",
    ),
    ("/runs/5/release", {"back": "/approvals"}, ("release", "5", "alice"), "/approvals"),
    ("/deployments/7/approve", {}, ("approve", "7", "alice"), "/approvals"),
    ("/deployments/7/reject", {"why": "no"}, ("reject", "7", "alice", "no"), "/approvals"),
    (
        "/places/acme/shop/at/production/of/web/rollback",
        {"digest": "sha256:1", "why": "wrong"},
        ("rollback", "acme/shop", "web", "production", "sha256:1", "alice", "wrong"),
        "/runs/7",
    ),
    (
        "/places/acme/shop/at/production/of/web/unpin",
        {"back": "//evil.example"},
        ("unpin", "acme/shop", "web", "production", "alice"),
        "/",
    ),
)


@pytest.mark.parametrize(
    ("path", "fields", "asked", "target"), BUTTONS, ids=[b[0] for b in BUTTONS]
)
def test_a_button_asks_the_engine_and_goes_back(web, path, fields, asked, target):
    """Under the name of who is signed in, and never to another site."""
    csrf = web.sign_in()
    answer = web.send(path, csrf=csrf, **fields)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == target
    assert web.asked[-1] == asked


def test_a_refusal_of_the_engine_is_a_page(web):
    """What cannot be done now is said in its words."""
    csrf = web.sign_in()
    web.sample.asked.failure = Conflict("Run 3 is being rerun already.", hint="wait for run 7")
    answer = web.send("/runs/3/rerun", csrf=csrf)
    assert answer.status_code == 409
    assert "being rerun already" in answer.text
    assert "wait for run 7" in answer.text


def test_the_raw_log_is_what_the_job_said(web):
    """Whole, without our times and numbers, as plain text."""
    answer = web.client.get("/runs/3/log?job=ci/test 3.12")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines()[2] == "Collecting dependencies"
    assert answer.text.endswith("\n")


def test_a_chosen_theme_is_in_the_first_byte(web):
    """So that a dark page does not flash white; anything else in the cookie is nothing."""
    assert 'data-theme="dark"' in web.client.get("/", headers={"Cookie": "theme=dark"}).text
    assert "data-theme=" not in web.client.get("/", headers={"Cookie": 'theme="><b>'}).text


def test_a_code_host_that_is_left_alone_is_named(web):
    """Which, since when, why and until when: for people where repositories are, and in the API."""
    assert "left alone" not in web.client.get("/repositories").text
    assert web.client.get("/api/v1/status").json()["circuits"] == []
    why = "https://api.github.com answers 502 <b>"
    left = FakeCircuit("https://api.github.com", NOW - 200, NOW + 60, why)
    web.sample.asked.left.append(left)
    page = web.client.get("/repositories").text
    said = " ".join(re.sub(r"<(?!b>)[^>]*>", "", page).split())
    assert (
        "https://api.github.com is left alone for now: https://api.github.com answers 502"
        " &lt;b&gt;. That began 3 min ago; it is tried again at 08:01:00 UTC,"
    ) in said
    (circuit,) = web.client.get("/api/v1/status").json()["circuits"]
    assert circuit == {
        "host": "https://api.github.com",
        "since": "2027-01-15T07:56:40Z",
        "until": "2027-01-15T08:01:00Z",
        "reason": why,
    }


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/explain", '"/events" aria-current="true">Events'),
        ("/events/9999", '"/events" aria-current="true">Events'),
        ("/events", '"/events" aria-current="page">Events'),
        ("/repositories/acme/shop/listeners", '"/repositories" aria-current="true">Repositories'),
        ("/places/acme/shop/at/dev/of/api", '"/" aria-current="true">Overview'),
    ],
)
def test_the_menu_says_where_one_is(web, path, current):
    """Also below a page of the menu, and where there is nothing; one is current, no more."""
    text = web.client.get(path).text
    assert f"<a href={current}</a>" in text
    assert text.count("aria-current") == 1


def test_what_is_not_there_leads_to_the_list_it_would_be_in(web):
    """Nobody has to guess the address of the list."""
    assert (
        '<a class="button" href="/events">To the events</a>' in web.client.get("/events/9999").text
    )
    assert '<a href="/explain">' in web.client.get("/events").text


def test_a_disconnected_repository_is_called_so(web):
    """In the word of the command that disconnects it."""

    def work(tx):
        tx.save(replace(tx.get(Repository, "acme/shop"), active=False))

    web.sample.store.fill(work)
    assert "disconnected</span>" in web.client.get("/repositories").text


def test_many_verdicts_are_folded(web):
    """What explains them stands above; what each was asked is one click away."""

    def work(tx):
        old = tx.find(StoredVerdict, event=3)[0]
        for number in range(10):
            tx.add(replace(old, listener=f"more-{number}"))

    assert 'id="each-verdict"' not in web.client.get("/events/3").text
    web.sample.store.fill(work)
    assert 'id="each-verdict"' in web.client.get("/events/3").text
