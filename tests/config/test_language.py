"""The language: what a team writes becomes exactly these rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.config.schema import faults, load
from windlass.config.words import seconds
from windlass.core.approval import ApprovalRule
from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError, Place
from windlass.core.event import DEFAULT_ACTIONS, Kind
from windlass.core.filters import Trigger
from windlass.core.listener import Listeners
from windlass.core.pipeline import ActionKind, Call, JobKind, Secret

FULL = (Path(__file__).parent.parent / "golden" / "language" / "full.yaml").read_bytes()


@pytest.fixture(scope="module")
def full():
    """The configuration that the text above is."""
    return load({".windlass.yaml": FULL})


def one(text):
    """A configuration of one file."""
    return load({"f.yaml": text.encode()})


def codes(text):
    """The codes of its faults."""
    return [fault.code for fault in faults({"f.yaml": text.encode()})]


def test_listeners_are_loaded_with_their_conditions_and_places(full):
    """What decides, and the line that does."""
    assert isinstance(full.listeners, Listeners)
    feature = full.listeners["feature-to-dev"]
    assert feature.on == (Trigger(Kind.PUSH, ("pushed",)),)
    assert feature.branches == ("FB*", "feature/**")
    assert feature.paths == ("services/api/**", "!**/*.md")
    assert feature.place == Place(".windlass.yaml", 2, 3)
    assert feature.places["paths"] == Place(".windlass.yaml", 5, 5)
    assert [(a.kind, a.name, a.environment) for a in feature.actions] == [
        (ActionKind.BUILD, "api", "dev"),
        (ActionKind.DEPLOY, "api", "dev"),
    ]
    pull = full.listeners["pull-request"]
    assert pull.on[0].actions == DEFAULT_ACTIONS[Kind.PULL_REQUEST]
    assert (pull.base, pull.draft, pull.labels) == (("main",), False, ("ok",))
    assert pull.concurrency.group == "pr-${{ event.number }}"
    assert pull.concurrency.cancel_in_progress
    assert pull.actions[0].arguments == {"depth": "full"}
    release = full.listeners["release"]
    assert release.condition == '!("hold" in event.labels)'
    assert release.places["if"].line == 18
    assert (release.actions[0].kind, release.actions[0].promote_from) == (ActionKind.PROMOTE, "dev")
    assert full.listeners["nightly"].on == (Trigger(Kind.SCHEDULE, ("due",), "0 3 * * *"),)


def test_pipelines_are_loaded_with_their_jobs(full):
    """Jobs in the order they were written, the last ones last."""
    ci = full.pipelines["ci"]
    assert [job.name for job in ci.jobs] == ["test", "build", "staging", "smoke", "more", "tell"]
    test, build, staging, smoke, more, tell = ci.jobs
    assert test.kind is JobKind.STEPS
    assert test.env == {
        "DEPTH": "${{ with.depth }}",
        "PORT": "8080",
        "VERSION": "3.10",
        "DEBUG": "true",
        "NPM_TOKEN": Secret("npm-token"),
    }
    assert [(s.name, s.run, s.allow_failure, s.timeout) for s in test.steps] == [
        ("pip install -e .", "pip install -e .\n", False, None),
        ("tests", "pytest\necho done", True, 5400.0),
    ]
    assert (test.artifacts, test.timeout) == (("dist/",), 600.0)
    assert (test.retry.max, test.retry.when) == (1, ("worker_lost", "failed"))
    assert (build.kind, build.service, build.needs) == (JobKind.BUILD, "api", ("test",))
    assert (staging.kind, staging.environment) == (JobKind.DEPLOY, "dev")
    assert smoke.condition == "always()"
    assert isinstance(more, Call)
    assert (more.pipeline, more.needs, tell.final) == ("cd", ("smoke",), True)
    (production,) = full.pipelines["cd"].jobs
    assert (production.kind, production.promote_from) == (JobKind.DEPLOY, "dev")
    (depth,) = ci.parameters
    assert (depth.name, depth.default, depth.enum) == ("depth", "quick", ("quick", "full"))


def test_services_and_environments_are_loaded(full):
    """Every duration in seconds, every list a tuple."""
    api = full.services["api"]
    assert (api.path, api.build.artifacts) == ("services/api", ("dist/",))
    assert (api.health.url, api.health.timeout) == ("${{ environment.url }}/healthz", 60.0)
    dev = full.environments["dev"]
    assert (dev.target.kind, dict(dev.target.options)) == (
        "directory",
        {"path": "/srv/dev", "after": "./restart.sh"},
    )
    assert (dev.reconcile_every, dev.drift) == (180.0, "heal")
    production = full.environments["production"]
    assert (production.reviewed, production.soak, production.max_wait) == (True, 1800.0, 86400.0)
    assert production.approval == ApprovalRule(
        min=2, approvers=("ann", "ben"), prevent_self=True, timeout=86400.0
    )
    assert (production.promote_from, production.verified_by) == (("dev",), ("ci",))


@pytest.mark.parametrize("text", ["", "# nothing\n", "listeners:\n", "{}"])
def test_an_empty_file_is_an_empty_configuration(text):
    """Who has written nothing yet has made no mistake."""
    assert one(text) == Configuration(listeners=Listeners({}))


@pytest.mark.parametrize(
    ("on", "triggers"),
    [
        ("push", [("push", ("pushed",))]),
        ("[push, tag]", [("push", ("pushed",)), ("tag", ("created",))]),
        ("{pull_request: [merged, closed]}", [("pull_request", ("merged", "closed"))]),
        ("{pull_request: merged}", [("pull_request", ("merged",))]),
        ("{push: , tag: deleted}", [("push", ("pushed",)), ("tag", ("deleted",))]),
        ("[push, {review: approved}]", [("push", ("pushed",)), ("review", ("approved",))]),
        ("{schedule: ['0 3 * * mon-fri', '*/5 * * * *']}", [("schedule", ("due",))] * 2),
    ],
)
def test_on_has_several_forms(on, triggers):
    """One event, several, or events with their actions."""
    loaded = one(f"listeners: {{l: {{on: {on}, do: [{{pipeline: p}}]}}}}\n" + PIPELINE)
    assert [(t.kind, t.actions) for t in loaded.listeners["l"].on] == triggers


PIPELINE = "pipelines: {p: {jobs: {a: {steps: [{run: x}]}}}}\n"


NO_EVENTS = ["{}", "[]", "1", "ping", "{push: [merged]}", "[[push]]", "{schedule: }", "schedule"]
NO_CRONS = ["* * * *", "60 * * * *", "* * 0 * *", "a * * * *", "5-1 * * * *", "*/0 * * * *"]


@pytest.mark.parametrize(
    "on", [*NO_EVENTS, "{a: b}", *(f"{{schedule: '{c}'}}" for c in (*NO_CRONS, "@daily"))]
)
def test_what_is_no_event_is_refused(on):
    """An event, an action or a schedule that does not exist is a fault."""
    assert codes(f"listeners: {{l: {{on: {on}, do: [{{pipeline: p}}]}}}}\n" + PIPELINE)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("10m", 600), ("24h", 86400), ("1h30m", 5400), ("7d", 604800), ("1d2h3m4s", 93784), ("0s", 0)],
)
def test_a_duration_is_written_with_its_units(text, amount):
    """Days, hours, minutes and seconds, largest first."""
    assert seconds(text) == amount


@pytest.mark.parametrize(
    "text", ["", "10", "m", "1m1h", "1.5h", "-1m", "1w", " 1m", "1" * 30 + "s"]
)
def test_what_is_no_duration_is_refused(text):
    """A number without a unit is not guessed at."""
    assert seconds(text) is None


def test_several_files_are_one_configuration():
    """Listeners here, pipelines there."""
    loaded = load(
        {
            ".windlass/a.yaml": b"listeners: {l: {on: push, do: [{pipeline: p}]}}",
            ".windlass/b.yml": PIPELINE.encode(),
        }
    )
    assert (list(loaded.listeners), list(loaded.pipelines)) == (["l"], ["p"])
    assert loaded.pipelines["p"].place.file == ".windlass/b.yml"


def test_the_same_name_twice_names_both_places():
    """Neither file wins silently."""
    (fault,) = faults(
        {".windlass/a.yaml": PIPELINE.encode(), ".windlass/b.yaml": PIPELINE.encode()}
    )
    assert fault.code == "duplicate-name"
    assert fault.place.file == ".windlass/b.yaml"
    assert ".windlass/a.yaml:1:13" in fault.message


def test_a_broken_file_hides_no_fault_of_another():
    """Everything that is wrong is told at once, over all files."""
    found = faults({".windlass/a.yaml": b"listeners: [", ".windlass/b.yaml": b"nope: 1"})
    assert [fault.code for fault in found] == ["yaml-syntax", "unknown-key"]


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/passwd", ".windlass/a\nb.yaml"])
def test_a_file_outside_the_repository_is_refused(name):
    """No name of a file leads out."""
    assert [fault.code for fault in faults({name: b""})] == ["file-name"]


def test_names_that_differ_by_case_only_are_refused():
    """One file on one computer is two on another."""
    found = faults({".windlass/ci.yaml": b"", ".windlass/CI.yaml": b""})
    assert [fault.code for fault in found] == ["file-name"]


def test_load_raises_every_fault_at_once():
    """Ten mistakes, ten faults, one answer."""
    text = "".join(f"wrong{n}: 1\n" for n in range(10))
    with pytest.raises(ConfigError) as caught:
        one(text)
    assert [fault.place.line for fault in caught.value.faults] == list(range(1, 11))
    assert caught.value.faults == faults({"f.yaml": text.encode()})


@pytest.mark.parametrize("word", ["10000000", "1" * 400_000])
def test_a_huge_number_is_a_fault_and_no_work(word):
    """No number of the language is large."""
    target = "target: {directory: {path: /x}}"
    text = f"environments: {{d: {{{target}, approval: {{min: {word}}}}}}}"
    assert codes(text) == ["wrong-type"]


def test_the_inputs_of_a_manual_listener_are_loaded():
    """In the order they were written; those that may be left out are optional."""
    text = """
listeners:
  l:
    on: [push, {manual: {inputs: {a: , b: {type: number, default: 2}, c: {required: false}}}}]
    do: [{pipeline: p}]
  plain: {on: manual, do: [{pipeline: p}]}
pipelines: {p: {jobs: {t: {steps: [{run: t}]}}}}
"""
    found = one(text).listeners
    told = [(each.name, each.type, each.default, each.optional) for each in found["l"].inputs]
    assert told == [
        ("a", "string", None, False),
        ("b", "number", "2", False),
        ("c", "string", None, True),
    ]
    assert (found["plain"].inputs, found["plain"].manual) == ((), True)
    many = ", ".join(f"i{n}: {{}}" for n in range(26))
    assert codes(text.replace("a: , ", f"{many}, ")) == ["wrong-value"]
