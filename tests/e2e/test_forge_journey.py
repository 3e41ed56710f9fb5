"""A team on a code host: connected in one command, results on the pull request, nothing lost."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from functools import partial

import pytest
from up import Up, delivering

from windlass.testing.servers.github import TOKEN as PAT
from windlass.testing.servers.github import GitHub
from windlass.testing.servers.gitlab import TOKEN, GitLab

CONFIGURATION = """\
listeners:
  pull-request: {on: pull_request, base: [main], do: [{pipeline: ci}]}
  feature: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{name: look, run: "! grep -n broken app.txt"}]}}}
"""


class Team:
    """People who push to a project of the code host, and look at it."""

    def __init__(self, folder, gitlab):
        self.gitlab = gitlab
        self.project = gitlab.shop
        self.work = folder / "work"
        run(folder, "clone", "--quiet", str(self.project.bare.path), str(self.work))
        self.commit("main", {".windlass.yaml": CONFIGURATION, "app.txt": "one\n"})

    @property
    def url(self):
        """The project's address."""
        return self.gitlab.web(self.project)

    def commit(self, branch, files):
        """Push a commit to a branch, from what `main` is; the webhook is sent, if there is one."""
        before = self.project.bare.refs("refs/heads/").get(branch, "")
        if branch != "main":
            run(self.work, "checkout", "--quiet", "-B", branch, "origin/main")
        for name, text in files.items():
            (self.work / name).write_text(text)
        run(self.work, "add", "--all")
        run(self.work, "commit", "--quiet", "--message", f"Change {branch}")
        run(self.work, "push", "--quiet", "--force", "origin", f"HEAD:{branch}")
        run(self.work, "fetch", "--quiet", "origin")
        after = self.project.bare.refs("refs/heads/")[branch]
        self.gitlab.moved(self.project, branch, before, after)
        return after

    def status(self, sha):
        """What the newest status of our pipeline says on a commit."""
        told = [one["status"] for one in self.project.statuses if one["sha"] == sha]
        return told[-1] if told else ""

    def notes(self, number):
        """The comments on a merge request."""
        return [one["body"] for one in self.project.notes.get(number, [])]


def run(folder, *words):
    """Git, as Ada."""
    who = {
        f"GIT_{role}_{what}": "ada"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *words], cwd=folder, env=env, check=True, capture_output=True)


@pytest.fixture
def team(tmp_path):
    (tmp_path / "gitlab").mkdir()
    with GitLab(tmp_path / "gitlab") as server:
        yield Team(tmp_path, server)


@pytest.fixture
def up(tmp_path, team):
    server = Up(tmp_path, team.gitlab.host)
    server.start()
    yield server
    server.end()


def test_from_one_command_to_a_green_status_and_through_an_outage(team, up):
    """
    One pasted value connects it; red and green stand on the commits; what was missed is found.

    While the server is down its webhook is deleted and people push: then all events are there
    once, every status is right, and the webhook is back.
    """
    began = time.monotonic()
    said = up.windlass("repo", "add", team.url, "--token-file", "-", said=TOKEN)
    assert "ping arrived" in said
    assert TOKEN not in said
    sha = team.commit("FB1", {"app.txt": "two\n"})
    up.until(lambda: team.status(sha) == "success")
    team.took = time.monotonic() - began
    head = team.commit("topic", {"app.txt": "broken\n"})
    number = team.gitlab.propose(team.project, "topic", sha=head)
    up.until(lambda: team.status(head) == "failed")
    up.until(lambda: any("1:broken" in one for one in team.notes(number)))
    assert len(team.notes(number)) == 1
    up.kill()
    team.project.hooks.clear()
    missed = [team.commit(f"FB-down-{n}", {"app.txt": f"{n}\n"}) for n in range(10)]
    up.start()
    for one in missed:
        up.until(lambda one=one: team.status(one) == "success")
    pushes = [one["sha"] for one in up.events() if one["label"] == "push"]
    assert all(pushes.count(one) == 1 for one in missed)
    assert team.project.hooks
    assert "WRONG" not in up.windlass("doctor")


def test_a_pull_request_of_github_reaches_production(tmp_path):
    """Red, mended, green, merged: the very build that was tested is what production holds."""
    (tmp_path / "github").mkdir()
    place = tmp_path / "production"
    with GitHub(tmp_path / "github") as github, sending(github):
        github.push("main", {".windlass.yaml": delivering(place), "app.txt": "one\n"})
        github.bench.git("fetch", "--quiet", "origin")
        github.bench.git("checkout", "--quiet", "-B", "main", "origin/main")
        up = Up(tmp_path, github.host)
        up.start()
        try:
            said = up.windlass(
                *("repo", "add", github.address, "--forge", "github", "--token-file", "-"), said=PAT
            )
            assert "ping arrived" in said
            number = github.propose("topic", {"app.txt": "broken\n"})
            up.until(lambda: said_of(github, number) == "failure")
            up.until(lambda: any("1:broken" in one for one in comments(github)))
            github.update(number, {"app.txt": "two\n"})
            up.until(lambda: said_of(github, number) == "success")
            assert len(comments(github)) == 1
            tested = up.until(partial(digests, up))
            github.merge(number)
            up.until((place / "current" / "out" / "app.txt").exists)
            assert (place / "current" / "out" / "app.txt").read_text() == "two\n"
            assert digests(up) == tested
            up.until(lambda: len(github.shop.deployments) == 1)
        finally:
            up.end()


@contextlib.contextmanager
def sending(github):
    """Webhooks go out by themselves, a moment after what they tell of."""
    over = threading.Event()

    def send():
        while not over.wait(0.05):
            github.send()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def said_of(github, number):
    """The newest status of our pipeline on the head of a pull request."""
    head = github.shop.pulls[number]["head"]["sha"]
    told = [one for one in github.shop.statuses if one["sha"] == head and "ci" in one["context"]]
    return told[-1]["state"] if told else ""


def comments(github):
    """The comments on pull requests."""
    return [one["body"] for one in github.shop.comments.values()]


def digests(up):
    """Every build that was made."""
    return {one["digest"] for one in json.loads(up.windlass("builds", "list", "--json"))["items"]}
