"""How commands end: the exit code says what happened, the text what to do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from windlass.cli.exits import MEANINGS, Exit
from windlass.core.run import State
from windlass.ports.records import StoredRun

ENDS = (
    (("runs", "list"), {}, Exit.OK),
    (("repo", "check", "acme/payments"), {}, Exit.ERROR),
    (("runs", "show"), {}, Exit.USAGE),
    (("nonsense",), {}, Exit.USAGE),
    (("explain",), {}, Exit.USAGE),
    (("deploy", "web", "dev", "--ref", "main", "--digest", "x"), {}, Exit.USAGE),
    (("runs", "list"), {"WINDLASS_TOKEN": "wrong"}, Exit.AUTHENTICATION),
    (("runs", "list"), {"WINDLASS_TOKEN": ""}, Exit.AUTHENTICATION),
    (("runs", "show", "99"), {}, Exit.NOT_FOUND),
    (("runs", "list", "--state", "running,gone"), {}, Exit.USAGE),
    (("runs", "list", "--state", "running,failed"), {}, Exit.OK),
    *(
        ((*words, "--repository", "acme/none"), {}, Exit.NOT_FOUND)
        for words in (
            ("runs", "list"),
            ("builds", "list"),
            ("events", "list"),
            ("events", "deliveries"),
            ("events", "deliveries", "--refused"),
        )
    ),
    (("logs", "3", "nothing"), {}, Exit.NOT_FOUND),
    (("deploy", "nothing", "dev"), {}, Exit.NOT_FOUND),
    (("lint",), {}, Exit.NOT_FOUND),
    (("runs", "cancel", "3"), {}, Exit.CONFLICT),
    (("runs", "list"), {"WINDLASS_SERVER": "http://127.0.0.1:1"}, Exit.ERROR),
    (("runs", "list"), {"WINDLASS_SERVER": "http://[::"}, Exit.ERROR),
    (("runs", "list"), {"WINDLASS_SERVER": "nonsense"}, Exit.USAGE),
    (("runs", "list"), {"WINDLASS_TOKEN": "two\nlines"}, Exit.AUTHENTICATION),
    (("runs", "list"), {"WINDLASS_TOKEN": "t\u00f6ken"}, Exit.AUTHENTICATION),
    (("runs", "list"), {"WINDLASS_ACTOR": "J\u00f6rg"}, Exit.OK),
)


@pytest.mark.parametrize(("words", "environ", "code"), ENDS, ids=range(len(ENDS)))
def test_the_exit_code_says_what_happened(shell, words, environ, code):
    """As `windlass help exit-codes` has it; errors are on stderr, and never a traceback."""
    done = shell(*words, **environ)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code not in {Exit.OK, Exit.USAGE}:
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("state", "code"),
    [(State.FAILED, 5), (State.SKIPPED, 5), (State.CANCELLED, 3), (State.RUNNING, 8)],
)
def test_waiting_ends_as_the_run_does(shell, monkeypatch, state, code):
    """Red, cancelled and still going on are told apart."""
    sample = shell.sample

    def copy(stored, cause):
        number = sample.store.fill(lambda tx: tx.next("run"))
        run = replace(stored.run, number=number, state=state, reason="because")
        fresh = replace(stored, number=number, cause=cause, state=str(state), run=run, version=0)
        sample.store.fill(lambda tx: tx.add(replace(fresh, event=number * 100)))
        return fresh

    monkeypatch.setattr(type(sample.asked), "_copy", lambda self, *args: copy(*args))
    done = shell("runs", "rerun", "3", "--wait", "--timeout", "0.2")
    assert done.returncode == code, done.stderr
    assert sample.store.fill(lambda tx: tx.find(StoredRun, state=str(state)))


def test_saying_no_is_no_error(shell):
    """Declining a question changes nothing and ends with 3."""
    done = subprocess.run(
        [sys.executable, "-m", "windlass", "repo", "remove", "acme/shop"],
        input="n\n",
        text=True,
        capture_output=True,
        env={"HOME": str(shell.folder), "WINDLASS_SERVER": shell.url, "WINDLASS_TOKEN": "t" * 43},
    )
    assert done.returncode == Exit.DECLINED
    assert "Nothing was changed" in done.stderr


def test_every_code_is_explained(shell):
    """`windlass help exit-codes` lists each, in order."""
    done = shell("help", "exit-codes")
    listed = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert listed == [int(code) for code in Exit] == [int(code) for code in MEANINGS]


def test_another_server_is_not_taken_for_a_missing_thing(shell):
    """What answers with a page of its own is no Windlass, which is not exit code 6."""
    done = shell("runs", "list", WINDLASS_SERVER=f"{shell.url}/elsewhere")
    assert done.returncode == Exit.ERROR
    assert "no Windlass" in done.stderr


def test_a_token_that_cannot_be_sent_is_not_shown(shell):
    """The text says what is wrong with it and not what it is."""
    done = shell("runs", "list", WINDLASS_TOKEN="hunter2\nhunter3")
    assert "hunter" not in done.stdout + done.stderr


def test_where_nobody_can_be_asked_nothing_is_done(shell):
    """A script that forgot `--yes` is told of it, and is not told that Ctrl-C was pressed."""
    done = shell("repo", "remove", "acme/shop")
    assert done.returncode == Exit.DECLINED
    assert "--yes" in done.stderr
    assert ("remove_repository", "acme/shop", "alice") not in shell.sample.asked.asked


def test_every_line_of_an_error_is_told_apart(shell):
    """What follows the first is indented; the address is for when a server is at fault."""
    words = ("listeners", "run", "rollout", "--repository", "acme/shop", "-f", "colour=red")
    said = shell(*words).stderr.splitlines()
    assert said[0].startswith("error: there is no input colour; there are target, version")
    assert said[1].startswith("  target: found nothing")
    assert "where:" not in "".join(said)
    shell.sample.asked.failure = ZeroDivisionError()
    assert "where: POST http" in shell(*words).stderr
    shell.sample.asked.failure = None
