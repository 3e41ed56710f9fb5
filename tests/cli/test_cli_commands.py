"""The command line says what the API says, on the right stream, and asks what it is told to."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace

import pytest

from windlass.ports.forge import Trust
from windlass.ports.records import Repository, StoredEvent, StoredRun, StoredVerdict

READS = (
    (("repo", "list"), "acme/payments"),
    (("repo", "policy", "acme/shop", "--show"), "any"),
    (("repo", "trust", "acme/shop"), "none"),
    (("runs", "list"), "Round prices before tax, not after"),
    (("runs", "list", "--state", "failed"), "feature/42"),
    (("runs", "show", "3"), "step 'tests' ended with exit code 1"),
    (("events", "list"), "0 of 5"),
    (("events", "show", "3"), ".windlass.yaml:24:13"),
    (("explain", "3"), "pull-request: started run 3"),
    (("explain", "--repo", "acme/shop", "--sha", "abcdef1"), "No webhook told of abcdef1"),
    (("listeners", "list", "--repository", "acme/shop"), "missed: paths"),
    (("builds", "list"), "7c1c97df17c0"),
    (("environments", "list"), "drifted"),
    (("logs", "3", "ci/test 3.12"), "AssertionError"),
    (("logs", "-f", "3", "ci/test 3.12"), "AssertionError"),
)


@pytest.mark.parametrize(("words", "part"), READS, ids=[" ".join(words) for words, _ in READS])
def test_data_is_on_stdout(shell, words, part):
    """Aligned, without an escape code when it is no terminal."""
    done = shell(*words)
    assert done.returncode == 0, done.stderr
    assert part in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [words for words, _ in READS if words[0] != "logs"],
    ids=[" ".join(words) for words, _ in READS if words[0] != "logs"],
)
def test_json_is_the_answer_of_the_server(shell, words):
    """Whole, on stdout, and nothing besides."""
    done = shell(*words, "--json")
    assert json.loads(done.stdout)
    assert done.stderr == ""


def test_json_of_a_log_is_a_line_for_each_line(shell):
    """With time, step, stream and plain text."""
    done = shell("logs", "3", "ci/test 3.12", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[2] == {"at": lines[2]["at"], "step": 0, "stream": "o", "text": lines[2]["text"]}
    assert any("a link" in line["text"] and "\x1b" not in line["text"] for line in lines)


def test_a_whole_run_is_shown_job_by_job(shell):
    """Headings are talk; the lines are data."""
    done = shell("logs", "3", "--timestamps")
    assert "== ci/lint (succeeded)" in done.stderr
    assert "==" not in done.stdout.splitlines()[0]
    assert done.stdout.startswith("2027-")


CHANGES = (
    (("runs", "rerun", "3", "--wait"), ("rerun", "3", "alice")),
    (("runs", "release", "5"), ("release", "5", "alice")),
    (
        ("listeners", "run", "cache", "--repository", "acme/shop", "--branch", "FB1", "--wait"),
        ("run_listener", "acme/shop", "cache", "FB1", "", "alice"),
    ),
    (
        (
            *("listeners", "run", "rollout", "--repository", "acme/shop", "--ref", "v1"),
            *("-f", "target=dev", "--with", "version=a=b c"),
        ),
        ("run_listener", "acme/shop", "rollout", "", "v1", "alice", "target=dev", "version=a=b c"),
    ),
    (("runs", "cancel", "6", "--reason", "x"), ("cancel", "6", "alice", "x")),
    (
        ("deploy", "acme/shop:web", "dev", "--ref", "main", "--why", "now", "--wait"),
        ("deploy", "acme/shop", "web", "dev", "main", "", "alice", "now"),
    ),
    (
        ("rollback", "web", "dev", "--digest", "sha256:1"),
        ("rollback", "acme/shop", "web", "dev", "", "sha256:1", "alice", "")[:4],
    ),
    (("unpin", "web", "dev"), ("unpin", "acme/shop", "web", "dev", "alice")),
    (("approve", "7"), ("approve", "7", "alice")),
    (("repo", "remove", "acme/shop", "--yes"), ("remove_repository", "acme/shop", "alice")),
    (("repo", "add", "/srv/x.git", "--name", "a/x"), ("add_repository", "/srv/x.git", "a/x")),
    (("repo", "policy", "acme/shop", "--allow-fork", "none"), ("set_policy", "acme/shop", "alice")),
    (
        ("repo", "trust", "acme/shop", "--oidc-issuer", "https://id.example"),
        ("set_trust", "acme/shop", "https://id.example", "", "alice"),
    ),
    (
        ("repo", "trust", "acme/shop", "--oidc-issuer", "none"),
        ("set_trust", "acme/shop", "", "", "alice"),
    ),
    (("repo", "check", "acme/shop"), ("recover", "acme/shop")),
)


@pytest.mark.parametrize(("words", "asked"), CHANGES, ids=[" ".join(c[0]) for c in CHANGES])
def test_a_change_is_asked_under_my_name(shell, words, asked):
    """`WINDLASS_ACTOR`, else the user's name, goes with a shared token."""
    done = shell(*words)
    assert done.returncode == 0, done.stderr
    assert shell.sample.asked.asked[-1][: len(asked)] == asked


def test_the_token_of_a_folder_is_for_its_server_alone(shell):
    """`up` leaves address and token; a server that is named otherwise is not sent that token."""
    data = shell.folder / ".local/share/windlass"
    data.mkdir(parents=True)
    (data / "server.json").write_text(json.dumps({"url": shell.url, "pid": 1}))
    (data / "api-token").write_text("t" * 43 + "\n")
    assert shell("runs", "list", WINDLASS_SERVER="", WINDLASS_TOKEN="").returncode == 0
    other = shell.url.replace("127.0.0.1", "localhost")
    assert shell("runs", "list", WINDLASS_SERVER=other, WINDLASS_TOKEN="").returncode == 4


def test_a_token_may_come_from_a_file(shell):
    """`WINDLASS_TOKEN_FILE`; one that cannot be read is said to be so."""
    file = shell.folder / "token"
    file.write_text("t" * 43 + "\n")
    done = shell("runs", "list", WINDLASS_TOKEN="", WINDLASS_TOKEN_FILE=str(file))
    assert done.returncode == 0
    done = shell("runs", "list", WINDLASS_TOKEN="", WINDLASS_TOKEN_FILE=str(file) + "x")
    assert done.returncode == 1
    assert "WINDLASS_TOKEN_FILE" in done.stderr


def test_a_followed_log_goes_on_until_the_job_ends(shell):
    """Lines that come while one looks are shown, and the command ends with the log."""
    logs = shell.sample.logs

    def later():
        logs.append("6/build api/1", b"1799999999000 0 o and then\n")
        logs.close("6/build api/1")

    timer = threading.Timer(0.5, later)
    timer.start()
    done = shell("logs", "-f", "6", "build api")
    assert done.returncode == 0
    assert done.stdout.endswith("and then\n")


def test_a_folder_may_be_named_from_where_one_stands(shell):
    """The server, which stands elsewhere, is told its whole path."""
    (shell.folder / "x.git").mkdir()
    shell("repo", "add", "x.git")
    assert shell.sample.asked.asked[-1][1] == str(shell.folder / "x.git")
    shell("repo", "add", "https://forge.example/y.git")
    assert shell.sample.asked.asked[-1][1] == "https://forge.example/y.git"


def test_an_issuer_is_trusted_for_what_is_claimed(shell):
    """Every NAME counts, values of one NAME stand side by side, and the rest is a usage error."""
    words = ("repo", "add", "https://forge.example/claimed.git", "--forge", "generic")
    oidc = ("--oidc-issuer", "https://tokens.example", "--oidc-audience", "us")
    claims = ("repository=acme/z", "ref=refs/heads/main", "ref=a=b")
    done = shell(*words, *oidc, *(word for one in claims for word in ("--oidc-claim", one)))
    assert done.returncode == 0, done.stderr
    assert "issuer   https://tokens.example" in done.stdout
    trust = Trust(
        issuer="https://tokens.example",
        audience="us",
        claims={"repository": ("acme/z",), "ref": ("refs/heads/main", "a=b")},
    )
    assert shell.sample.asked.asked[-1][-1] == str(trust)
    for odd in ("repository", "=x", "repository="):
        done = shell(*words, *oidc, "--oidc-claim", odd)
        assert done.returncode == 2
        assert "NAME=VALUE" in done.stderr


def becomes(shell, name, **changed):
    """Change a repository of the sample, which is that of all tests here; what it was."""

    def work(tx):
        old = tx.get(Repository, name)
        tx.save(replace(old, **changed))
        return old

    return shell.sample.store.fill(work)


def listed(shell):
    """Each repository of the list, and its state."""
    lines = map(str.split, shell("repo", "list").stdout.splitlines())
    return {name: state for name, state, *_ in lines}


def test_a_disconnected_repository_is_told_and_not_counted(shell):
    """In the list, in a word; the only other one is meant where nobody says which."""
    assert "connected" in shell("repo", "list").stdout
    assert shell("listeners", "list").returncode == 2
    others = set(listed(shell)) - {"NAME", "acme/shop"}
    for name in others:
        becomes(shell, name, active=False)
    rows = listed(shell)
    assert (rows["acme/payments"], rows["acme/shop"]) == ("disconnected", "connected")
    assert "missed: paths" in shell("listeners", "list").stdout
    done = shell("listeners", "list", "--repository", "acme/payments")
    assert (done.returncode, "acme/payments is disconnected" in done.stderr) == (7, True)
    for name in others:
        becomes(shell, name, active=True)


def test_a_rotation_tells_how_long_the_secret_before_counts(shell):
    """And the sender has to be given the new one where no code host can be told it."""
    said = shell("repo", "rotate", "acme/shop").stderr
    wanted = r"acme/shop: a new secret, and its webhook has it\. The one before is good until"
    assert re.match(wanted + r" \d+ \w+ \d\d:\d\d UTC\.\n", said)
    was = becomes(shell, "acme/shop", forge="generic")
    said = shell("repo", "rotate", "acme/shop").stderr
    assert said.startswith("acme/shop: a new secret. The one before is good until ")
    assert said.endswith("Give the sender the new one: windlass repo secret acme/shop.\n")
    becomes(shell, "acme/shop", forge=was.forge)


def test_a_shadow_is_told_as_one(shell):
    """It did not start anything, whatever it said."""

    def work(tx):
        tx.add(StoredVerdict(event=3, listener="tried", matched=True, shadow=True))

    shell.sample.store.fill(work)
    listed = shell("events", "list").stdout.splitlines()
    (line,) = [one for one in listed if one.startswith("3 ")]
    assert ", 1 in shadow" in line


def test_a_repeat_names_what_it_repeats(shell):
    """In the lists of events and of runs, and where one run is shown."""

    def work(tx):
        old = tx.get(StoredEvent, 3)
        tx.add(replace(old, number=99, delivery="d99", origin=3))
        tx.save(replace(tx.find(StoredRun, order="-number", limit=1)[0], origin=3))

    shell.sample.store.fill(work)
    _, first, *_ = shell("events", "list").stdout.splitlines()
    assert first.startswith("99 ")
    assert "(repeats 3)" in first
    _, first, second, *_ = shell("runs", "list").stdout.splitlines()
    assert "(repeats 3)" in first
    assert "repeats" not in second
    assert "event 3" in shell("runs", "show", first.split()[0]).stdout
