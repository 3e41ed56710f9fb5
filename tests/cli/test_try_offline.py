"""Try before you merge: `windlass explain --forge`, and the tests of listeners."""

from __future__ import annotations

import json

import pytest

from windlass.cli.local.files import read_files
from windlass.cli.local.judging import read_changed
from windlass.cli.main import run

NEW, ZERO = "b" * 40, "0" * 40
CONFIGURATION = """\
listeners:
  feature: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}
  docs: {on: push, paths: ["docs/**"], do: [{pipeline: ci}]}
  check: {on: pull_request, base: [main], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: make}]}}}
"""
OFFLINE = """\
Event: push fb1 at bbbbbbbbbbbb in acme/shop.
  docs: cannot be told, because `paths` wants paths: ["docs/**"], and the changed files \
are not known (.windlass/all.yaml:3)
  check: not started, because `on` wants on: pull_request opened/updated/reopened/ready, \
and it is push (.windlass/all.yaml:4)
  feature: not started, because `branches` wants branches: ["FB*"], and it is fb1 \
(.windlass/all.yaml:2)
    nearest: `FB*` matches `FB1` but this is `fb1`: names are case sensitive
"""
WRONG = """\
wrong  .windlass/tests/t.yaml:1  push fb1
  feature: expected matched, got missed by `branches`
    feature: not started, because `branches` wants branches: ["FB*"], and it is fb1 \
(.windlass/all.yaml:2)
      nearest: `FB*` matches `FB1` but this is `fb1`: names are case sensitive
"""
PUSH = {
    "object_kind": "push",
    "ref": "refs/heads/fb1",
    "before": "a" * 40,
    "after": NEW,
    "checkout_sha": NEW,
    "user_username": "ada",
    "project": {"path_with_namespace": "acme/shop"},
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a configuration, a recorded push, and a home without a server."""
    (tmp_path / ".windlass/tests").mkdir(parents=True)
    (tmp_path / ".windlass/all.yaml").write_text(CONFIGURATION)
    (tmp_path / "push.json").write_text(json.dumps(PUSH))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def windlass(here, capsys):
    def ask(*words):
        code = run([*words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


@pytest.fixture
def tested(here, windlass):
    """Runs `listeners test` with one file of tests."""

    def ask(text, command=("listeners", "test")):
        (here / ".windlass/tests/t.yaml").write_text(text)
        return windlass(*command)

    return ask


def test_the_words_are_those_of_the_server(windlass):
    """Every event with every listener, and nobody guesses about files."""
    code, out, err = windlass("explain", "--forge", "gitlab", "push.json")
    assert code == 0
    assert out == OFFLINE
    assert "give them with --files" in err


def test_the_same_as_json(here, windlass):
    """Nulls for who matched, and for what is not known."""
    (here / "changed").write_text("docs/a\nsrc/b\n")
    words = ("explain", "--config", ".", "--forge", "gitlab", "--files", "changed", "--json")
    code, out, err = windlass(*words, "--repository", "my/shop", "push.json")
    (one,) = json.loads(out)
    feature, docs, check = one["listeners"]
    assert (code, err, one["event"]["repository"]) == (0, "", "my/shop")
    assert feature == {
        "listener": "feature",
        "matched": False,
        "condition": "branches",
        "expected": 'branches: ["FB*"]',
        "actual": "fb1",
        "file": ".windlass/all.yaml",
        "line": 2,
        "nearest": "`FB*` matches `FB1` but this is `fb1`: names are case sensitive",
    }
    assert docs == dict.fromkeys(feature, None) | {"listener": "docs", "matched": True}
    assert (check["condition"], check["nearest"]) == ("on", None)
    _, out, _ = windlass("explain", "--forge", "gitlab", "--json", "push.json")
    docs = json.loads(out)[0]["listeners"][1]
    assert (docs["matched"], docs["condition"], docs["actual"]) == (None, "paths", None)


def test_what_is_ignored_ends_with_1_and_the_reason(here, windlass):
    """As `windlass events read` does."""
    (here / "headers").write_text("X-GitHub-Event: create\n")
    words = ("explain", "--forge", "github", "--headers", "headers", "--json")
    (here / "body").write_text("{}")
    code, out, err = windlass(*words, "body")
    assert (code, json.loads(out)) == (1, [])
    assert "GitHub's create tells what its push has told" in err


@pytest.mark.parametrize("body", ["", "[]", "{", '{"object_kind": "push"}', '{"a":1,"a":2}'])
def test_what_the_server_would_refuse_is_refused(here, windlass, body):
    """With what is wrong, and no traceback."""
    (here / "body").write_text(body)
    code, out, err = windlass("explain", "--forge", "gitlab", "body")
    assert (code, out) == (1, "")
    assert "It cannot be read" in err


def test_what_the_server_mends_is_mended(here, windlass):
    """Half a surrogate pair becomes U+FFFD, as in a delivery that is stored."""
    (here / "body").write_text(json.dumps(PUSH | {"user_username": "ada\ud83d"}))
    code, out, _ = windlass("explain", "--forge", "gitlab", "--json", "body")
    assert (code, json.loads(out)[0]["event"]["sender"]) == (0, "ada\ufffd")


def test_a_faulty_configuration_is_told_whole(here, windlass):
    """Every fault as `windlass lint` prints it, and as JSON."""
    (here / ".windlass/all.yaml").write_text("listeners: {a: {on: pusch, brunches: x}}\n")
    code, out, err = windlass("explain", "--forge", "gitlab", "push.json")
    linted = windlass("lint")
    assert (code, out) == (1, linted[1])
    assert "unknown key 'brunches'" in out
    assert "2 faults" in err
    _, out, _ = windlass("explain", "--forge", "gitlab", "--json", "push.json")
    assert [each["line"] for each in json.loads(out)] == [1, 1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--forge", "gitlab"], "give the file of a body"),
        (["--forge", "gitlab", "--sha", "x", "push.json"], "nothing of a server"),
        (["--forge", "gitlab", "--server", "http://x", "push.json"], "nothing of a server"),
        (["--forge", "gitlab", "gone.json"], "does not exist"),
        (["--forge", "gitbub", "push.json"], "'gitbub' is not one of"),
        (["--config", ".", "7"], "Give --forge"),
        (["--files", "push.json", "7"], "Give --forge"),
        (["x"], "is no event: give an event's number, or --sha"),
        ([], "Give an event's number"),
        (["7", "--sha", "x", "--repo", "y"], "Give an event's number"),
    ],
)
def test_a_wrong_command_line_ends_with_2(windlass, words, said):
    """What belongs to a server and what does not are not mixed."""
    code, out, err = windlass("explain", *words)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (b"a b\r\nc\n\n", ("a b", "c")),
        ("ü\n".encode(), ("ü",)),
        (b'"\\303\\274 \\"x\\" \\\\ \\t"\n"', ('ü "x" \\ \t', '"')),
        (b"a\0b\nc\0", ("a", "b\nc")),
        (b"", ()),
    ],
)
def test_a_list_of_files_is_read_as_git_writes_it(text, files):
    """Lines, quoted where Git quotes, or with `-z`."""
    assert read_changed(text) == files


def test_tests_that_come_out_are_one_line_each(tested):
    """Exit 0, and a place to click on."""
    code, out, err = tested(
        "- {event: {kind: push, branch: FB1}, files: [a], expect: {feature: matched}}\n"
        "- name: only docs\n"
        "  event: {type: push, branch: x, files: [docs/a], labels: [], tag: null, at: 1.5}\n"
        "  expect: {docs: matched, feature: {missed: branches}, check: missed}\n"
    )
    assert (code, err) == (0, "2 as expected.\n")
    assert out.splitlines() == [
        "ok     .windlass/tests/t.yaml:1  push FB1",
        "ok     .windlass/tests/t.yaml:2  only docs",
    ]


def test_a_test_that_does_not_come_out_says_why(tested):
    """Expected, got, and the line of explain."""
    code, out, err = tested(
        "event: {kind: push, branch: fb1}\n"
        "files: [a]\n"
        "expect: {feature: matched, check: matched, docs: {missed: on}}\n"
    )
    assert (code, "1 of 1 not as expected" in err) == (1, True)
    assert out.startswith(WRONG)
    assert "  docs: expected missed by `on`, got missed by `paths`" in out


def test_a_listener_that_starts_when_it_shall_not_is_wrong(tested):
    """Both ways round."""
    code, out, _ = tested("{event: {kind: push, branch: FB1}, expect: {feature: missed}}")
    assert code == 1
    assert "feature: expected missed, got matched\n    feature: would start" in out


def test_files_that_nobody_told_are_no_verdict(tested):
    """Neither matched nor missed, and it says what to do."""
    for expected in ("matched", "missed", "{missed: paths}"):
        code, out, _ = tested(f"{{event: {{kind: push}}, expect: {{docs: {expected}}}}}")
        assert (code, "got no verdict, for `files` are not told" in out) == (1, True)


def test_a_recorded_request_is_a_test(here, tested):
    """A listener is judged by the event at which it comes furthest."""
    (here / ".windlass/tests/body").write_text(json.dumps(PUSH | {"before": ZERO}))
    (here / ".windlass/tests/headers").write_text("X-Gitlab-Event: Push Hook\n")
    for headers in ("headers", "{X-Gitlab-Event: Push Hook}"):
        code, out, _ = tested(
            f"request: {{forge: gitlab, headers: {headers}, body: body}}\n"
            "files: [docs/a]\n"
            "expect: {docs: matched, feature: {missed: branches}}\n"
        )
        assert (code, out) == (
            0,
            "ok     .windlass/tests/t.yaml:1  push fb1, branch created fb1\n",
        )


def test_a_request_that_is_ignored_expects_nothing(here, tested):
    """The reason is what was got."""
    (here / ".windlass/tests/body").write_text("{}")
    code, out, _ = tested(
        "{request: {forge: github, headers: {X-GitHub-Event: create}, body: body},"
        " expect: {docs: missed}}"
    )
    assert code == 1
    assert "got nothing, for it is ignored: GitHub's create tells" in out


FAULTS = """\
- event: {kind: pusch, action: opened, brunch: FB1, number: many, draft: yes}
  expect: {featur: matched, check: {missed: brances}, docs: yes, feature: {mist: on}}
- event: {kind: pull_request}
  request: {forge: gitlob, body: nix.json}
  expect: {}
- request: {forge: gitlab, body: ../../../x, headers: {a: [b]}}
  expekt: {}
- event: {kind: tag, action: merged, files: [a]}
  files: [b]
  expect: {docs: missed}
- just a text
"""


def test_every_fault_of_a_test_is_told_at_once(here, tested):
    """With its place; unknown keys, unknown listeners, unknown conditions, files that are gone."""
    code, out, err = tested(FAULTS)
    found = [line.split(": ", 1) for line in out.splitlines() if line.startswith(".windlass")]
    places = [place.removeprefix(".windlass/tests/t.yaml:") for place, _ in found]
    assert (code, "none was run" in err) == (1, True)
    assert places == [
        "1:17", "1:40", "1:61", "1:74", "2:12", "2:45", "2:61", "2:76", "3:3", "3:3", "4:20",
        "5:3", "6:34", "6:59", "7:3", "8:30", "9:3", "11:3",
    ]  # fmt: skip
    assert "did you mean 'feature'?" in out
    assert "did you mean 'branches'?" in out
    assert "'files' stands in the event as well" in out


def test_a_file_outside_the_folder_is_not_there(here, tested):
    """Neither by its name nor by a link."""
    (here.parent / "secret").write_text(json.dumps(PUSH))
    (here / ".windlass/tests/link").symlink_to(here.parent / "secret")
    code, out, _ = tested("{request: {forge: gitlab, body: link}, expect: {docs: missed}}")
    assert (code, "there is no file 'link'" in out) == (1, True)


def test_an_empty_file_is_a_fault(tested):
    """A test that was lost is no test that came out."""
    code, out, _ = tested("# nothing\n")
    assert (code, "expected a test or a list of tests" in out) == (1, True)


def test_no_tests_are_said_to_be_none(windlass):
    """Exit 6, and what to write."""
    code, _, err = windlass("listeners", "test")
    assert (code, "There are no tests here" in err) == (6, True)


def test_lint_runs_the_tests_too(tested):
    """What does not come out is a fault at its place; what does is all right."""
    text = "{event: {kind: push, branch: FB1}, expect: {feature: {missed: branches}}}"
    code, out, err = tested(text, ("lint",))
    assert code == 1
    assert ".windlass/tests/t.yaml:1:45: feature: expected missed by `branches`, got matched" in out
    assert "1 fault in .windlass/tests/t.yaml" in err
    code, out, _ = tested(text, ("lint", "--json"))
    assert [(each["code"], each["line"]) for each in json.loads(out)] == [("fixture", 1)]
    code, out, err = tested(text.replace("{missed: branches}", "matched"), ("lint",))
    assert (code, out) == (0, "")
    assert ".windlass/tests/t.yaml: all right" in err


def test_lint_tells_faults_of_both_at_once(here, tested):
    """A faulty configuration does not hide a faulty test."""
    (here / ".windlass/all.yaml").write_text("listeners: {a: {on: pusch, do: [{pipeline: x}]}}\n")
    code, out, _ = tested("{event: {kind: pusch}, expect: {b: matched}}", ("lint",))
    assert code == 1
    assert ".windlass/all.yaml:1:21" in out
    assert ".windlass/tests/t.yaml:1:16" in out
    assert "no listener 'b'" not in out


def test_tests_are_no_part_of_the_configuration(here, tested):
    """A folder below `.windlass` is not read as one."""
    tested("{event: {kind: push}, expect: {check: missed}}")
    assert set(read_files(here)) == {".windlass/all.yaml"}
