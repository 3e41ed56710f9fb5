"""`windlass listeners run`: a manual listener from the command line."""

from __future__ import annotations

import json

RUN = ("listeners", "run", "rollout", "--repository", "acme/shop")


def test_the_run_is_told_on_stdout(shell):
    """Its number and state are data, its page is talk; with --json the answer is the server's."""
    done = shell(*RUN, "-f", "target=dev", "-f", "version=1")
    assert (done.returncode, done.stdout) == (0, "1  succeeded\n")
    assert f"Run 1: {shell.url}/runs/1" in done.stderr
    said = json.loads(shell(*RUN, "-f", "target=dev", "-f", "version=1", "--json").stdout)
    assert (said["repository"], said["state"]) == ("acme/shop", "done")


def test_every_input_that_does_not_fit_has_a_line(shell):
    """What was found, and what is expected."""
    done = shell(*RUN, "-f", "target=mars", "-f", "count=many")
    assert (done.returncode, done.stdout) == (1, "")
    for line in (
        "target: found 'mars', expected one of dev, production",
        "version: found nothing, expected a text",
        "count: found 'many', expected a number",
    ):
        assert line in done.stderr


def test_what_is_typed_wrong_is_usage(shell):
    """No value, or a name twice."""
    assert shell(*RUN, "-f", "target").returncode == 2
    assert shell(*RUN, "-f", "a=1", "-f", "a=2").returncode == 2


def test_the_repository_is_named_where_there_are_several(shell):
    """Nothing is guessed."""
    done = shell("listeners", "run", "cache")
    assert done.returncode == 2
    assert "acme/payments, acme/shop" in done.stderr
    assert shell("listeners", "run", "gone", "--repository", "acme/shop").returncode == 6
