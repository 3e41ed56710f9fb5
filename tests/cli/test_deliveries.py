"""Deliveries are listed, compared, kept as files, sent again by hand, and replayed."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace

import pytest

from windlass.ports.records import Delivery, StoredEvent


def changed(shell, identity, **more):
    """Store a delivery like the one of event 3, but for some."""

    def work(tx):
        old = tx.get(Delivery, "d00000003")
        tx.add(replace(old, id=identity, delivery_key=identity, **more))

    shell.sample.store.fill(work)


def test_deliveries_and_refusals_are_listed(shell):
    """All of them, those that could not be handled, and those that were not accepted."""
    changed(shell, "f1", state="failed", reason="RuntimeError: no\x1b[31m", took=12.345)
    said = shell("events", "deliveries").stdout
    assert "d00000003" in said
    assert "12.3 ms" in said
    bad = shell("events", "deliveries", "--failed").stdout
    assert "RuntimeError: no" in bad
    assert "d00000003" not in bad
    assert "\x1b" not in bad
    assert "203.0.113.9" in shell("events", "deliveries", "--refused").stdout
    assert json.loads(shell("events", "deliveries", "--refused", "--json").stdout)["items"]


def test_curl_sends_it_again_and_tells_no_secret(shell):
    """The headers that are kept, the body by a file, and a word about how to sign."""
    changed(shell, "c1", headers={"x-github-event": "push'; rm -rf /", "user-agent": "a\x1b[2Jb"})
    said = shell("events", "curl", "c1")
    assert said.returncode == 0, said.stderr
    assert f"{shell.url}/hooks/{'a' * 32}" in said.stdout
    assert """'x-github-event: push'"'"'; rm -rf /'""" in said.stdout
    assert "X-Hub-Signature-256: sha256=HEX" in said.stdout
    assert "windlass repo secret acme/shop" in said.stdout
    assert said.stdout.rstrip().endswith("--data-binary @body.json")
    assert "\x1b" not in said.stdout
    assert "5ec2e7" not in said.stdout


def test_a_download_is_what_explain_and_tests_take(shell):
    """The body byte by byte, the headers as an object."""
    done = shell("events", "download", "d00000003", "kept")
    assert done.returncode == 0, done.stderr
    headers = json.loads((shell.folder / "kept/headers.json").read_text())
    assert headers == {"content-type": "application/json", "x-github-event": "pull_request"}
    assert json.loads((shell.folder / "kept/body.json").read_bytes())["repository"]


def test_what_is_downloaded_can_be_explained_without_a_server(shell):
    """Headers and body are in the form that `explain --forge` takes."""
    body = {
        "ref": "refs/heads/topic",
        "before": "1" * 40,
        "after": "2" * 40,
        "repository": {"full_name": "acme/shop"},
        "sender": {"login": "ada", "id": 1},
        "commits": [],
    }
    headers = {"content-type": "application/json", "x-github-event": "push"}
    changed(shell, "x1", body=zlib.compress(json.dumps(body).encode()), headers=headers)
    assert shell("events", "download", "x1", ".").returncode == 0
    listener = "listeners: {all: {on: push, branches: [topic], do: [{pipeline: ci}]}}\n"
    jobs = "pipelines: {ci: {jobs: {test: {steps: [{run: make}]}}}}\n"
    (shell.folder / ".windlass.yaml").write_text(listener + jobs)
    told = shell("explain", "--forge", "github", "--headers", "headers.json", "body.json")
    assert told.returncode == 0, told.stderr
    assert "push topic" in told.stdout
    assert "all: would start" in told.stdout or "all: matched" in told.stdout


def test_a_diff_tells_what_differs(shell):
    """Line by line, with nothing that drives a terminal."""
    changed(shell, "e1", headers={"x-github-event": "\x1b[2Jping"})
    said = shell("events", "diff", "d00000003", "e1").stdout
    assert "-x-github-event: pull_request" in said
    assert "+x-github-event: ping" in said
    assert "\x1b" not in said
    assert "They are the same." in shell("events", "diff", "e1", "e1").stderr


@pytest.mark.parametrize("words", [("curl", "none"), ("diff", "none", "none")])
def test_what_is_not_there_is_told(shell, words):
    """With the exit code of what is not found."""
    done = shell("events", *words)
    assert done.returncode == 6
    assert "there is no delivery none" in done.stderr


REPLAYS = (
    (("3",), ("replay", "3", "False", "alice")),
    (("3", "--allow-deploy"), ("replay", "3", "True", "alice")),
    (("d00000004",), ("replay", "d00000004", "False", "alice")),
    (("--from", "1", "--to", "2"), ("replay", "False", "alice")),
    (("--since", "2h", "--repository", "acme/shop"), ("replay", "False", "alice")),
)


@pytest.mark.parametrize(("words", "asked"), REPLAYS, ids=[" ".join(r[0]) for r in REPLAYS])
def test_a_replay_is_asked_under_my_name(shell, words, asked):
    """And its new deliveries are what is printed."""
    done = shell("events", "replay", *words)
    assert done.returncode == 0, done.stderr
    assert "DELIVERY" in done.stdout
    assert shell.sample.asked.asked[-1] == asked


def test_a_replay_tells_its_events_and_what_was_left_out(shell):
    """Which they are, that nothing is deployed, and what a person had asked for."""

    def work(tx):
        old = tx.get(StoredEvent, 3)
        tx.add(replace(old, number=90, delivery="by-hand", kind="manual", repository="acme/shop"))

    shell.sample.store.fill(work)
    said = shell("events", "replay", "--from", "3", "--to", "99").stderr.splitlines()
    count = re.fullmatch(
        r"(\d) deliveries replayed \(events 3, [\d, ]+\)\. Deploy jobs are skipped;"
        r" --allow-deploy lets them run\.",
        said[0],
    )
    assert count
    assert said[1] == "1 manual event was left out: windlass runs rerun RUN does one again."


def test_many_are_asked_about_first(shell):
    """Where there is nobody to ask, nothing is done without --yes."""
    for number in range(21):
        changed(shell, f"p{number:02}", state="failed")
    before = len(shell.sample.asked.asked)
    done = shell("events", "replay", "--failed")
    assert done.returncode == 3
    assert "Nothing was replayed." in done.stderr
    assert len(shell.sample.asked.asked) == before
    assert shell("events", "replay", "--failed", "--yes").returncode == 0
    assert shell.sample.asked.asked[-1] == ("replay", "False", "alice")


@pytest.mark.parametrize("wrong", ["yesterday", "2026-01-31T09:00", "0h"])
def test_a_time_that_is_none_is_told(shell, wrong):
    """Nothing is replayed by a guess."""
    done = shell("events", "replay", "--since", wrong)
    assert done.returncode == 2
    assert "neither a span" in done.stderr
