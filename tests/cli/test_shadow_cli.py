"""`windlass listeners shadow`, as it is typed."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def configured(shell):
    """A shell in a folder with a configuration."""
    (shell.folder / ".windlass.yaml").write_text("listeners: {}\n")
    return shell


def test_differences_are_listed_with_their_links(configured):
    """The tables on stdout, the counts on stderr; the file set and the span go to the server."""
    done = configured("listeners", "shadow", "--repository", "acme/shop", "--since", "2h")
    assert done.returncode == 0, done.stderr
    head, columns, first, *_ = done.stdout.splitlines()
    assert head.startswith("Would now start: ")
    assert columns.split() == ["LISTENER", "EVENT", "AGE", "BEFORE", "AFTER", "LINK"]
    assert first.startswith("new ")
    assert f"{configured.url}/events/" in first
    assert "0 unchanged." in done.stderr
    *_, asked = (one for one in configured.sample.asked.asked if one[0] == "shadow")
    assert asked[1:3] == (".windlass.yaml", "acme/shop")
    assert float(asked[3]) > 0


def test_it_says_what_is_missing(configured, tmp_path):
    """No configuration, no repository, no span: exit codes as elsewhere."""
    (tmp_path / "empty").mkdir()
    for words, code in (
        (("--config", "empty"), 6),
        (("--repository", "nowhere"), 6),
        (("--since", "yesterday"), 2),
        ((), 1),
    ):
        done = configured("listeners", "shadow", *words)
        assert done.returncode == code, (words, done.stderr)


def test_json_is_the_answer_of_the_server(configured):
    """For scripts."""
    done = configured("listeners", "shadow", "--repository", "acme/shop", "--json")
    assert json.loads(done.stdout)["starts"]["listeners"]["new"] > 0
