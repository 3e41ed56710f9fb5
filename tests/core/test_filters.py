"""Conditions: a fixed order, the words of the configuration, and complete lists of files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from windlass.core.errors import Bug, Place
from windlass.core.event import Event, Kind
from windlass.core.filters import (
    CONDITIONS,
    Asked,
    Conditions,
    Context,
    Match,
    Miss,
    Open,
    Trigger,
    check,
    needs_files,
    open_at,
    prepare,
)

PUSH = Event(kind=Kind.PUSH, action="pushed", repository="acme/shop", branch="FB1", message="work")
PULL = Event(
    kind=Kind.PULL_REQUEST,
    action="opened",
    repository="acme/shop",
    number=7,
    base="main",
    head="FB1",
    labels=("ui", "hold"),
)
ON_PUSH = (Trigger(Kind.PUSH, ("pushed",)),)
ON_PULL = (Trigger(Kind.PULL_REQUEST, ("opened", "updated")),)
ON = Place("ci.yaml", 3, 5)
FILES = ("services/api/a.py",)


def verdict(event=PUSH, files=FILES, *, payload=None, active=True, pull=0, **conditions):
    """The verdict of one listener."""
    on = ON_PULL if event.kind is Kind.PULL_REQUEST else ON_PUSH
    written = Conditions(
        **{"on": on, "place": Place("ci.yaml", 2, 3), "places": {"on": ON}} | conditions
    )
    context = Context(
        event=event,
        payload=payload,
        files=files,
        headers={},
        repository_active=active,
        pull=pull,
    )
    return check(prepare(written), Asked(context))


def test_without_further_conditions_the_event_is_enough():
    """A listener that names only an event starts on each of them."""
    assert verdict() == Match()


@pytest.mark.parametrize(
    ("conditions", "condition", "expected", "actual"),
    [
        (
            {"branches": ("main", "feature/**")},
            "branches",
            'branches: ["main", "feature/**"]',
            "FB1",
        ),
        (
            {"branches": ("FB*", "!FB1")},
            "branches",
            'branches: ["FB*", "!FB1"]',
            'FB1 (taken back by "!FB1")',
        ),
        ({"paths": ("docs/**",)}, "paths", 'paths: ["docs/**"]', "services/api/a.py"),
        (
            {"paths": ("**", "!services/**")},
            "paths",
            'paths: ["**", "!services/**"]',
            'services/api/a.py (taken back by "!services/**")',
        ),
        (
            {"branches": ("main", "!FB*")},
            "branches",
            'branches: ["main", "!FB*"]',
            "FB1",
        ),
        (
            {"paths": ("docs/**", "!**/*.py")},
            "paths",
            'paths: ["docs/**", "!**/*.py"]',
            "services/api/a.py",
        ),
        (
            {"paths": ("!services/**",)},
            "paths",
            'paths: ["!services/**"]',
            'services/api/a.py (taken back by "!services/**")',
        ),
        ({"condition": "payload.x == 1"}, "if", "payload.x == 1", "no such key: x"),
        (
            {"condition": 'event.branch == "main"'},
            "if",
            'event.branch == "main"',
            'false, with event.branch = "FB1"',
        ),
        ({"condition": "1 > 2"}, "if", "1 > 2", "false"),
        ({"condition": "nope"}, "if", "nope", "the condition is wrong: there is no 'nope'"),
        ({"active": False}, "repository", "an active repository", "it is paused"),
    ],
)
def test_a_miss_says_what_was_wanted_and_what_was_there(conditions, condition, expected, actual):
    """In the words of the configuration; only what a pattern had taken is taken back."""
    assert verdict(payload={}, **conditions) == Miss(condition, expected, actual, ON)


@pytest.mark.parametrize(
    ("conditions", "condition", "actual"),
    [
        ({"base": ("release/*",)}, "base", "main"),
        ({"head": ("main",)}, "head", "FB1"),
        ({"labels": ("ship",)}, "labels", "ui, hold"),
        ({"draft": True}, "draft", "false"),
        ({"on": (Trigger(Kind.PULL_REQUEST, ("merged",)),)}, "on", "pull_request opened"),
    ],
)
def test_a_pull_request_is_judged_by_its_branches_labels_and_draft(conditions, condition, actual):
    """Each condition of a pull request can be the reason."""
    said = verdict(PULL, **conditions)
    assert isinstance(said, Miss)
    assert (said.condition, said.actual) == (condition, actual)


@pytest.mark.parametrize("marker", ["[skip ci]", "[ci skip]", "[no ci]", "[Skip CI]"])
def test_a_skip_marker_in_the_message_skips(marker):
    """Who writes [skip ci] gets no run, and can read why."""
    said = verdict(replace(PUSH, message=f"typo {marker}"))
    assert isinstance(said, Miss)
    assert said.condition == "skip"
    assert verdict(replace(PULL, title=f"wip {marker}")) != Match()


def test_a_tag_is_not_skipped_by_the_message_of_its_commit():
    """A marker is about pushes and pull requests only."""
    tag = Event(kind=Kind.TAG, action="created", repository="r", tag="v1", message="[skip ci]")
    assert verdict(tag, on=(Trigger(Kind.TAG, ("created",)),), tags=("v*",)) == Match()


def test_the_first_false_condition_is_the_reason():
    """When everything is false, the order of the conditions decides, as the language says."""
    assert [name for name, _ in CONDITIONS] == [
        "on",
        "listener",
        "inputs",
        "repository",
        "skip",
        "loop guard",
        "branches",
        "tags",
        "head",
        "base",
        "unless",
        "labels",
        "draft",
        "paths",
        "if",
    ]
    wrong = {"branches": ("x",), "paths": ("x",), "condition": "false"}
    seen = []
    for name in ("branches", "paths", "if"):
        seen.append(verdict(**wrong).condition)
        wrong.pop("condition" if name == "if" else name)
    assert seen == ["branches", "paths", "if"]
    assert verdict(**wrong) == Match()


@pytest.mark.parametrize("file", [".windlass.yaml", ".windlass.yml", ".windlass/ci.yaml"])
def test_a_change_to_the_configuration_touches_every_path(file):
    """Who changes the rules wants to see them work."""
    assert verdict(files=("x", file), paths=("services/web/**",)) == Match()
    assert verdict(files=("docs/.windlass.yaml",), paths=("services/web/**",)) != Match()


def test_files_that_are_not_known_are_asked_for_and_never_guessed():
    """`paths` is not judged on an incomplete list."""
    context = Context(event=PUSH, files=None)
    for conditions in ({"paths": ("a/**",)}, {"condition": 'files.exists(f, f == "a")'}):
        prepared = prepare(Conditions(on=ON_PUSH, **conditions))
        assert needs_files(prepared, Asked(context))
        with pytest.raises(Bug):
            check(prepared, Asked(context))
        assert not needs_files(prepared, Asked(replace(context, files=())))


def test_files_are_not_asked_for_when_something_else_decides():
    """A costly question is asked only when nothing cheaper says no."""
    asked = Asked(Context(event=PUSH, files=None))
    other = prepare(Conditions(on=ON_PUSH, branches=("main",), paths=("a/**",)))
    assert not needs_files(other, asked)
    assert isinstance(check(other, asked), Miss)
    assert not needs_files(prepare(Conditions(on=ON_PUSH)), asked)


def test_the_files_of_the_forge_serve_when_nobody_knows_better():
    """A complete list in the event needs no second question."""
    prepared = prepare(Conditions(on=ON_PUSH, paths=("a/**",)))
    event = replace(PUSH, files=("a/x",))
    assert check(prepared, Asked(Context(event=event))) == Match()


def test_a_condition_asks_only_events_that_can_answer():
    """`on: [push, pull_request]` with `base` starts on a push as well."""
    both = (*ON_PUSH, *ON_PULL)
    assert verdict(PUSH, on=both, base=("release",)) == Match()
    assert verdict(PULL, on=both, base=("release",)) != Match()


@pytest.mark.parametrize(("due", "starts"), [("0 3 * * *", True), ("0 4 * * *", False)])
def test_a_schedule_starts_the_listener_that_it_belongs_to(due, starts):
    """Two schedules in one repository do not start each other's listeners."""
    event = Event(kind=Kind.SCHEDULE, action="due", repository="r", schedule=due)
    said = verdict(event, on=(Trigger(Kind.SCHEDULE, ("due",), "0 3 * * *"),))
    assert (said == Match()) is starts


@pytest.mark.parametrize("body", [b"payload=%7B%7D", b"\xff", b"[" * 5000, b"", b'{"a": NaN}'])
def test_a_body_that_is_no_json_is_an_empty_payload(body):
    """Whatever a forge sends, asking the payload is a miss and not an error."""
    said = verdict(payload=body, condition="payload.a == 1")
    assert isinstance(said, Miss)
    assert said.actual == "no such key: a"


def test_the_payload_may_be_handed_in_as_bytes():
    """It is parsed when a condition asks for it."""
    assert verdict(payload=b'{"a": {"b": 1}}', condition="payload.a.b == 1") == Match()


UNLESS = {"unless": "open_pull_request"}


def test_a_push_to_an_open_pull_request_does_not_start_it():
    """One commit is not tested twice, once for its branch and once for its pull request."""
    said = verdict(pull=7, **UNLESS)
    expected = "no open pull request of this branch"
    assert said == Miss("unless", expected, "pull request 7 is open", ON)
    assert verdict(pull=0, **UNLESS) == Match()
    assert verdict(pull=7) == Match()
    assert verdict(PULL, pull=7, **UNLESS) == Match()


def test_a_push_cannot_be_judged_before_its_pull_request_is_known():
    """Nobody guesses; and what cannot start anyway is told by what keeps it."""
    written = Conditions(on=ON_PUSH, place=ON, branches=("FB*",), **UNLESS)
    found = open_at(prepare(written), Asked(Context(event=PUSH, files=FILES)))
    assert found == Open(
        *("unless", "no open pull request of this branch", ON),
        "only the server knows whether one is open",
    )
    other = replace(PUSH, branch="main")
    assert open_at(prepare(written), Asked(Context(event=other, files=FILES))) is None
    assert open_at(prepare(written), Asked(Context(event=PUSH, files=FILES, pull=0))) is None
    narrow = prepare(replace(written, paths=("docs/**",)))
    assert open_at(narrow, Asked(Context(event=PUSH, files=FILES))) is None
    assert open_at(narrow, Asked(Context(event=PUSH))).condition == "unless"
    assert open_at(narrow, Asked(Context(event=PUSH, pull=0))).condition == "paths"


OURS = "Run shop 12\n\nMore to say.\n\nReviewed-by: Ada\nWindlass-Deployment: 12"


@pytest.mark.parametrize(
    "message", [OURS, OURS + "\n", OURS.replace("\n", "\r\n"), "x\n\nwindlass-deployment: 1"]
)
def test_a_commit_that_windlass_made_starts_nothing(message):
    """Else a deployment that commits would start itself for ever."""
    said = verdict(replace(PUSH, message=message))
    assert isinstance(said, Miss)
    assert said.condition == "loop guard"
    assert said.expected == "no trailer Windlass-Deployment:"
    assert verdict(replace(PUSH, message=message), own=True) == Match()


@pytest.mark.parametrize(
    "message",
    [
        "Explain Windlass-Deployment: 12",
        "Tell of trailers\n\nWindlass-Deployment: 12\n\nis what we write.",
    ],
)
def test_who_writes_about_the_trailer_is_heard(message):
    """It is a trailer in the last paragraph only, as Git has it."""
    assert verdict(replace(PUSH, message=message)) == Match()


def test_the_loop_guard_is_about_pushes():
    """A pull request that speaks of a deployment is no loop."""
    assert verdict(replace(PULL, message=OURS)) == Match()
