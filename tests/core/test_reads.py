"""What a condition that was false has read: short, of its own paths, and never a secret."""

from __future__ import annotations

import pytest

from windlass.core.errors import Place
from windlass.core.event import Event, Kind
from windlass.core.expression import compile_condition, unmet

HERE = Place("ci.yaml", 1, 1)
PULL = Event(
    kind=Kind.PULL_REQUEST, action="opened", repository="acme/shop", number=12, labels=("hold",)
)


def why(text, **variables):
    """Why the condition is false for a pull request."""
    return unmet(compile_condition(text, HERE), {"event": PULL, **variables})


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (
            '!("hold" in event.labels) && event.number > 1',
            'event.labels = ["hold"], event.number = 12',
        ),
        ('event.labels[0] == "x"', 'event.labels[0] = "hold"'),
        ("has(event.tag)", "event.tag = none"),
        ("event.draft", "event.draft = false"),
        ('event.kind.startsWith("x") || event.kind == "y"', 'event.kind = "pull_request"'),
        ("headers [ 'x-event' ] == 'push'", "headers['x-event'] = \"pull\""),
        ('files.exists(f, f == "event.tag")', 'files = ["a", "b"]'),
        ("payload.commits.size() == 1", "payload.commits = [{...}, [...], null]"),
        ("payload.commits[0].id == 2", "payload.commits[0].id = 1"),
        ("has(payload.who.name)", "payload.who.name = none"),
        ("size(payload.who) > 1", "payload.who = {...}"),
        ("payload.half == 2.5", "payload.half = 1.5"),
        ("1 > 2", ""),
    ],
)  # fmt: skip
def test_the_paths_of_a_false_condition_are_shown_with_what_was_there(text, there):
    """Each once, as it is written; a map and what a list holds of maps is not opened."""
    said = why(
        text,
        headers={"x-event": "pull"},
        files=["a", "b"],
        payload={"commits": [{"id": 1}, [2], None], "who": {"id": 1}, "half": 1.5},
    )
    assert said == (f"false, with {there}" if there else "false")


def test_what_holds_or_cannot_be_told_shows_no_values():
    """There is nothing to explain of the one, and the other names what it lacks."""
    assert why("event.number == 12") == ""
    assert why("payload.x == event.number", payload={}) == "no such key: x"


@pytest.mark.parametrize(
    "path",
    [
        "payload.token", 'payload["X-Api-Key"]', "payload.user.password",
        "payload.hook.clientSecret", "payload.credentials.user",
        "headers.authorization", "payload.secrets[0]",
    ],
)  # fmt: skip
def test_a_value_with_the_name_of_a_secret_is_never_shown(path):
    """Also below a map or in a list of that name; that there is one may be said."""
    hidden = "hunter2"
    known = {
        "token": hidden, "X-Api-Key": hidden, "user": {"password": hidden},
        "hook": {"clientSecret": hidden}, "credentials": {"user": hidden}, "secrets": [hidden],
    }  # fmt: skip
    said = why(f'{path} == "guess"', payload=known, headers={"authorization": hidden})
    assert said == f"false, with {path} = ***"


def test_names_that_only_look_like_secrets_are_shown():
    """Authors and keys of issues decide often."""
    payload = {"author": "ada", "issue": {"key": "SHOP-1"}}
    said = why('payload.author == "" || payload.issue.key == ""', payload=payload)
    assert said == 'false, with payload.author = "ada", payload.issue.key = "SHOP-1"'


def test_long_values_many_entries_and_many_paths_are_cut():
    """No event makes a verdict long."""
    files = [f"f{n}" for n in range(5000)]
    said = why('size(files) == 1 || payload.a == "x"', files=files, payload={"a": "b" * 10**6})
    shown = ", ".join(f'"f{n}"' for n in range(8))
    assert said == f'false, with files = [{shown} and 4992 more], payload.a = "{"b" * 76}...'
    many = " || ".join(f"payload.p{n} == 1" for n in range(9))
    said = why(many, payload={f"p{n}": 0 for n in range(9)})
    assert said.endswith("payload.p4 = 0 and 4 more")


def test_broken_characters_and_huge_numbers_are_shown_as_what_can_be_stored():
    """What CEL cannot hold has no value that could not be written down."""
    said = why('payload.a == "x" || payload.b == 1', payload={"a": "\ud800\x1b\n", "b": 10**30})
    assert said == f'false, with payload.a = "?\\u001b\\n", payload.b = {10**30}'
