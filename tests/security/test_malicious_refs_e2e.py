"""
Names and texts that are code: they reach a step letter by letter, and nothing of them runs.

A push and a pull request come by Git and its hook to a real server; the steps write
down what they were given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from standing import Standing, git

BRANCHES = (
    'zzz";echo${IFS}x;#',
    "zzz$(touch${IFS}PWNED)",
    "zzz`touch${IFS}PWNED`",
    "zzz'||touch${IFS}PWNED||'",
    "zzz${{event.sha}}",
    "zzz|touch${IFS}PWNED&&touch>PWNED",
    "zzz\u202egnp.éß😀",
)
SUBJECT = "$(touch PWNED) `touch PWNED` ${{ event.sha }} \"; touch PWNED; '#' %s \\n"
MESSAGE = f'{SUBJECT}\n\n${{{{ secrets.x }}}}\n"; touch PWNED #\n$(touch PWNED)\n--option\n\tend'
CONFIGURATION = """
listeners:
  push:
    on: push
    branches: ["zzz*"]
    concurrency: {group: "on-${{ event.branch }}"}
    do: [{pipeline: ci}]
  check: {on: pull_request, base: [main], do: [{pipeline: check}]}
pipelines:
  check:
    jobs:
      note:
        env: {HEAD: "${{ event.head }}", TITLE: "${{ event.title }}", BODY: "${{ event.body }}"}
        steps: [{run: 'env -0 > "OUT/$CI_PIPELINE_NUMBER"'}]
  ci:
    jobs:
      note:
        env:
          BRANCH: ${{ event.branch }}
          MESSAGE: ${{ event.message }}
          BOTH: "<${{ event.branch }}|${{ event.message }}>"
        steps:
          - {run: 'env -0 > "OUT/$CI_PIPELINE_NUMBER"'}
          - run: 'for word in "$BRANCH" "$MESSAGE"; do printf "%s\\n" "$word"; done'
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A server and its repository."""
    made = Standing.prepare(tmp_path_factory.mktemp("refs") / "s")
    (made.folder / "out").mkdir()
    made.repository(CONFIGURATION.replace("OUT", str(made.folder / "out")))
    made.up()
    made.connect()
    yield made
    made.remove()


def given(server: Standing, pushed_to: str, listener: str) -> dict[str, str]:
    """The variables of the run that this push starts; nothing was executed on the way."""
    work = server.folder / "shop-work"
    before = server.count("run")
    git(work, "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", MESSAGE)
    git(work, "push", "-q", "origin", f"HEAD:{pushed_to}")
    server.until("the run", lambda: server.count("run") > before)
    server.until("rest", server.at_rest)
    query = "select number, listener, state from run order by number desc limit 1"
    number, started, state = server.rows(query)[0]
    assert (started, state) == (listener, "succeeded")
    # A folder may go away while it is looked through: its job has just been cleared.
    found = [name for _, names, files in os.walk(server.folder) for name in (*names, *files)]
    assert "PWNED" not in found
    assert not Path("PWNED").exists()
    found = (server.folder / "out" / str(number)).read_bytes().decode()
    return dict(line.split("=", 1) for line in found.split("\0") if line)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_hostile_branch_and_message_are_data(server, branch):
    """In the variables of the product and in those of the pipeline."""
    seen = given(server, f"refs/heads/{branch}", "push")
    assert seen["CI_COMMIT_BRANCH"] == seen["BRANCH"] == branch
    assert seen["CI_COMMIT_REF"] == f"refs/heads/{branch}"
    assert seen["CI_COMMIT_MESSAGE"].rstrip("\n") == seen["MESSAGE"].rstrip("\n") == MESSAGE
    assert seen["BOTH"] == f"<{branch}|{seen['MESSAGE']}>"
    assert "secrets.x" in seen["MESSAGE"]


def test_a_hostile_pull_request_is_data(server):
    """Its title, its text and the name of its branch."""
    branch = BRANCHES[0]
    seen = given(server, f"refs/for/main/{branch}", "check")
    assert seen["CI_COMMIT_SOURCE_BRANCH"] == seen["HEAD"] == branch
    assert seen["CI_COMMIT_TARGET_BRANCH"] == "main"
    assert seen["TITLE"] == SUBJECT
    assert seen["BODY"].strip() == MESSAGE.partition("\n\n")[2]
