"""`windlass events read`: what a recorded webhook means."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from windlass.cli.local.recorded import FORGES, read_headers, told
from windlass.cli.main import run, windlass
from windlass.core.event import Event, Kind
from windlass.wiring.dialects import DIALECTS

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40
PUSH = {
    "object_kind": "push",
    "ref": "refs/heads/FB1",
    "before": ZERO,
    "after": NEW,
    "checkout_sha": NEW,
    "user_username": "ada",
    "project": {"path_with_namespace": "acme/shop"},
}
FIELDS = (
    "type action repository branch tag sha before number base head sender fork title labels"
    " draft url"
)


@pytest.fixture
def read(tmp_path, capsys):
    def ask(forge, body, headers="", *more):
        (tmp_path / "body").write_text(body if isinstance(body, str) else json.dumps(body))
        (tmp_path / "headers").write_text(headers)
        paths = ["--headers", str(tmp_path / "headers"), str(tmp_path / "body")]
        code = run(["events", "read", "--forge", forge, *paths, *more])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_the_events_are_printed_as_json(read):
    """Every field is there, and what is missing is null."""
    code, out, err = read("gitlab", PUSH, "", "--json")
    pushed, created = json.loads(out)
    assert (code, err) == (0, "")
    assert set(FIELDS.split()) <= set(pushed)
    assert (pushed["type"], pushed["action"], created["type"]) == ("push", "pushed", "branch")
    assert (pushed["repository"], pushed["branch"], pushed["sha"]) == ("acme/shop", "FB1", NEW)
    assert (pushed["before"], pushed["tag"], pushed["number"]) == (None, None, None)
    assert (pushed["sender"], pushed["fork"], pushed["labels"]) == ("ada", False, [])


def test_the_events_are_printed_for_people(read):
    """Without --json, as a table; --repository names what the body does not."""
    code, out, _ = read("gitlab", PUSH, "", "--repository", "my/shop")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [
        ["push", "my/shop"],
        ["branch", "created"],
    ]


def test_what_is_ignored_ends_with_1_and_the_reason(read):
    """The reason on stderr; an empty array for who reads JSON."""
    code, out, err = read("github", "{}", "X-GitHub-Event: create\n", "--json")
    assert (code, json.loads(out)) == (1, [])
    assert "GitHub's create tells what its push has told" in err


@pytest.mark.parametrize("body", ["", "[]", '{"ref": 1}', '{"object_kind": "push"}'])
def test_what_cannot_be_read_ends_with_1_and_no_traceback(read, body):
    """A body that no forge means is named with what is wrong."""
    code, out, err = read("gitlab" if "kind" in body else "github", body, "X-GitHub-Event: push")
    assert (code, out) == (1, "")
    assert "It cannot be read" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "text",
    [
        b"POST /hooks/x HTTP/1.1\r\nX-GitHub-Event: push\r\nA:b:c\r\n\r\n",
        b"x-github-event:push\nA: b:c",
        b'{"X-GitHub-Event": "push", "a": "b:c"}',
    ],
)
def test_headers_are_read_as_they_are_recorded(text):
    """Lines, with or without the request's first one, or a JSON object."""
    assert read_headers(text) == {"x-github-event": "push", "a": "b:c"}


def test_headers_that_are_no_json_are_a_mistake_of_who_typed_them(read):
    """Exit code 2, and what is wrong."""
    code, _, err = read("github", PUSH, "{")
    assert (code, "no JSON" in err) == (2, True)


def test_every_forge_that_can_be_named_can_be_read():
    """The command offers what there is, and nothing else."""
    assert set(FORGES) == set(DIALECTS)


def test_no_field_of_an_event_is_left_out():
    """What a dialect reads can be seen; what only Windlass itself says is none of it."""
    event = Event(kind=Kind.PUSH, action="pushed", repository="x")
    ours = {"kind", "schedule", "recovered", "listener", "inputs"}
    assert set(told(event)) == set(Event.__slots__) - ours | {"type"}


def test_help_says_that_no_signature_is_checked():
    """Nobody shall take it for a proof."""
    done = CliRunner().invoke(windlass, ["events", "read", "--help"])
    assert "checks no signature" in " ".join(done.output.split())
