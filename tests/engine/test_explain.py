"""
Why did, or did not, this happen: word for word as reviewed, and the same at four doors.

The answers are in tests/golden/explain. The page of the event, the API, `windlass explain` and
the comment on a pull request are asked of one server, for every situation there is.
"""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.request
from dataclasses import fields
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from explaining import NEAR, OFFLINE, ROWS, SHA, STORIES, check, near, played, single

from windlass.cli.exits import Exit, Failure
from windlass.cli.main import windlass
from windlass.engine.configurations import Configurations
from windlass.engine.reports import Reporter
from windlass.engine.requests.everything import Requests
from windlass.engine.world import Forge, World
from windlass.ports.records import ChatCommand, Repository
from windlass.testing.fakes.forge import FakeForge
from windlass.testing.fakes.memory import MemoryStore
from windlass.testing.fakes.memory_logs import MemoryLogs
from windlass.testing.sample.web import Still, served
from windlass.web.app import make_app
from windlass.web.auth import Keys
from windlass.web.parts import Parts

SINGLE = [case for case in NEAR if case not in OFFLINE]
# A pull request on which nothing ran, and somebody asks.
ASIDE = 999
ESCAPED = re.compile(r"\\(.)")


class Switched:
    """The store of the situation that is looked at."""

    def __init__(self):
        self.now = MemoryStore()

    def __getattr__(self, name):
        return getattr(self.now, name)


class Said(HTMLParser):
    """The paragraphs of the explanation on a page, as a reader sees them."""

    def __init__(self):
        super().__init__()
        self.lines, self._depth = [], 0

    def handle_starttag(self, tag, attrs):
        if tag == "div" and "said" in (dict(attrs).get("class") or "").split():
            self._depth = 1
        elif tag == "p" and self._depth:
            self.lines.append("")

    def handle_endtag(self, tag):
        if tag == "div":
            self._depth = 0

    def handle_data(self, data):
        if self._depth and self.lines:
            self.lines[-1] += data


class Doors:
    """One server, and its four doors."""

    def __init__(self):
        self.store, logs, self.forge = Switched(), MemoryLogs(), FakeForge()
        forge = Forge(dialect=None, webhooks=self.forge, reports=self.forge, source=self.forge)
        self.world = World(
            **dict.fromkeys(one.name for one in fields(World))
            | {
                "store": self.store,
                "clock": Still(),
                "forges": {"plain": forge},
                "logs": logs,
                "public_url": "https://windlass.example",
            }
        )
        self.app = make_app(
            Parts(
                store=self.store,
                requests=Requests(self.world, Configurations()),
                logs=logs,
                clock=Still(),
                keys=Keys({}),
                open_reading=True,
            )
        )

    def look(self, situation):
        """Let there be this situation, and one who asks about it in a comment."""
        store = MemoryStore()
        repository = Repository(
            name="shop", forge="plain", url="u", endpoint="e", default_branch="main"
        )
        asked = ChatCommand(
            event=10_000, position=0, repository="shop", pull_request=ASIDE, by="bob", by_id="2",
            text="/explain", state="done", outcome="", path="", at=0.0, explains=situation.number,
        )  # fmt: skip
        for one in (repository, asked, *situation.records):
            assert store.fill(lambda tx, one=one: tx.add(one))
        self.store.now = store

    def page(self, url, number):
        said = Said()
        said.feed(_get(f"{url}/events/{number}"))
        return said.lines

    def api(self, url, number):
        return json.loads(_get(f"{url}/api/v1/events/{number}/explain"))["lines"]

    def cli(self, url, number):
        done = CliRunner().invoke(windlass, ["explain", str(number), "--server", url])
        assert done.exit_code == 0, done.output
        return done.stdout.removesuffix("\n").split("\n")

    def comment(self, _url, number):
        told = asyncio.run(Reporter(self.world).comment("shop", ASIDE))
        _, _, answer = told.said.partition(f"### Explained: [event {number}]")
        assert answer
        items = [line for line in answer.split("\n")[2:] if line]
        texts = (line.replace("- ", "", 1).replace("\u200b", "") for line in items)
        return [ESCAPED.sub(r"\1", text) for text in texts]


@pytest.mark.parametrize(
    ("query", "words", "about"),
    [
        ("sha=abcdef1", ["--sha", "abcdef1"], "abcdef1"),
        ("pull_request=7", ["--pull-request", "7"], "%237"),
    ],
)
def test_why_there_is_no_event_is_said_at_every_door(query, words, about):
    """The API, the command line, and the box on the page of events."""
    doors = Doors()
    doors.look(single("repeated"))
    with served(doors.app) as url:
        answer = json.loads(_get(f"{url}/api/v1/explain?repository=other&{query}"))
        done = CliRunner().invoke(
            windlass, ["explain", "--repository", "other", *words, "--server", url]
        )
        said = Said()
        said.feed(_get(f"{url}/explain?repository=other&about={about}"))
        assert 'action="/explain"' in _get(f"{url}/events")
    assert answer["reason"] == "not-connected"
    assert answer["lines"][1] == "other is not connected to this server."
    assert done.stdout.splitlines() == said.lines == answer["lines"]


def test_a_page_without_a_question_asks_for_one():
    """Nobody is asked before there is something to ask."""
    doors = Doors()
    doors.look(single("repeated"))
    with served(doors.app) as url:
        assert "Commit or pull request" in _get(f"{url}/explain")
        assert "Event 1" in _get(f"{url}/explain?repository=shop&about={SHA}")


@pytest.mark.parametrize("said", ["zzz", "main", "../../x", "abc"])
def test_what_is_no_commit_is_refused_with_one_sentence(said):
    """400 of the API, exit code 2 of the command line, and said beside the box of the page."""
    doors, quoted = Doors(), quote(said, safe="")
    doors.look(single("repeated"))
    sentence = f"'{said}' is no commit id: give seven digits of it or more, as git log prints them."
    with served(doors.app) as url:
        with pytest.raises(urllib.error.HTTPError) as refused:
            _get(f"{url}/api/v1/explain?repository=shop&sha={quoted}")
        with pytest.raises(Failure) as failure:
            CliRunner().invoke(
                windlass, ["explain", "--sha", said, "--server", url], catch_exceptions=False
            )
        page = Said()
        page.feed(_get(f"{url}/explain?repository=shop&about={quoted}"))
    assert refused.value.code == 400
    assert json.load(refused.value)["error"]["message"] == sentence
    assert (failure.value.what, failure.value.code) == (sentence, Exit.USAGE)
    assert page.lines == [sentence]


def test_the_only_repository_needs_no_name():
    """As with the other commands; and the page takes what the API takes."""
    doors = Doors()
    doors.look(single("repeated"))
    with served(doors.app) as url:
        done = CliRunner().invoke(windlass, ["explain", "--sha", SHA, "--server", url])
        expected = doors.api(url, 1)
        for query in (f"sha={SHA}", f"about={SHA}"):
            page = Said()
            page.feed(_get(f"{url}/explain?repository=shop&{query}"))
            assert page.lines == expected
        assert 'value="#7"' in _get(f"{url}/explain?repository=other&pull_request=7")
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize(
    "words", [["abc"], ["abc", "--sha", SHA], ["1", "--repository", "shop"], []]
)
def test_a_wrong_command_line_says_what_to_give(words):
    """An event's number, or a commit, or a pull request."""
    done = CliRunner().invoke(windlass, ["explain", *words])
    assert done.exit_code == Exit.USAGE
    assert "ive an event's number, or" in done.output
    assert "--sha" in done.output


def _get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


async def stories(folder):
    """Every story, played once."""
    for case in STORIES:
        (folder / case).mkdir()
    found = await asyncio.gather(*(played(case, folder / case) for case in STORIES))
    return dict(zip(STORIES, found, strict=True))


@pytest.fixture(scope="module")
def situations(tmp_path_factory):
    """Every situation by its name."""
    found = asyncio.run(asyncio.wait_for(stories(tmp_path_factory.mktemp("played")), 60))
    found |= {f"near-{case}": near(case) for case in SINGLE}
    return found | {case: single(case) for case in ROWS}


@pytest.mark.timeout(60)
def test_the_answer_is_as_reviewed_at_every_door(situations):
    """Page, API, command line and comment: the same sentences, for forty situations and more."""
    assert len(situations) >= 40
    doors = Doors()
    with served(doors.app) as url:
        for name, situation in situations.items():
            doors.look(situation)
            lines = doors.api(url, situation.number)
            if not name.startswith("near-"):
                check(name, "\n".join(lines) + "\n")
            expected = {door: situation.reviewed() for door in ("api", "page", "cli", "comment")}
            said = {
                "api": lines,
                "page": doors.page(url, situation.number),
                "cli": doors.cli(url, situation.number),
                "comment": doors.comment(url, situation.number),
            }
            assert said == expected, name
