"""What nobody allowed never runs or deploys, what is refused pushes nothing out, and runs end."""

from __future__ import annotations

import asyncio

from harness import stage
from story import Story

from windlass.ports.records import Deployment, StoredRun

BUILD = """\
services:
  api:
    build:
      steps: [{run: "mkdir dist; echo $CI_COMMIT_SHA > dist/app"}]
      artifacts: [dist/]
"""
CHECK = """\
listeners:
  check:
    on: {pull_request: [opened, labeled]}
    do: [{pipeline: cd}]
pipelines:
  cd:
    jobs:
      build: {build: api}
      staging: {needs: [build], deploy: api, environment: dev}
      smoke: {needs: [staging], steps: [{run: echo smoke}]}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
"""
STRANGER = {"number": 7, "head": "topic", "files": {"app.txt": "two"}, "by": "eve", "fork": True}


def play(place, configuration, work, **on):
    """Run a story on a stage with this configuration."""

    async def whole():
        files = {".windlass.yaml": configuration + BUILD, "app.txt": "one\n"}
        async with stage(place, files, **on) as here:
            await work(here, Story(here))

    asyncio.run(asyncio.wait_for(whole(), 60))


async def runs(here):
    """Every run there is."""
    return [one.run for one in await every(here, StoredRun)]


async def every(here, kind):
    """All records of a kind, oldest first."""
    key = kind.KEY[0]
    return await here.world.store.read(lambda tx: tx.find(kind, order=key))


def states(run):
    """Where its jobs are."""
    return {name: str(job.state) for name, job in run.jobs.items()}


def test_a_label_from_a_writer_releases_no_strangers_code(tmp_path):
    """Who labels a pull request has not said that its commit may run."""

    async def work(here, story):
        await story.play([{"open": STRANGER}])
        await story._pull(7, "labeled", sender="bob", sender_id="bob")
        await here.settle()
        found = await runs(here)
        assert [(one.state, one.trusted) for one in found] == [("held", False)] * 2

    play(tmp_path, CHECK, work)


def test_what_follows_a_strangers_deploy_is_skipped_and_the_run_ends(tmp_path):
    """A run without its deploy has an end, and says that nothing was deployed."""

    async def work(here, story):
        await story.play([{"open": STRANGER}, {"ask": {"what": "release", "run": 1, "by": "bob"}}])
        (run,) = await runs(here)
        assert states(run) == {
            "cd/build": "succeeded", "cd/staging": "skipped", "cd/smoke": "skipped"
        }  # fmt: skip
        assert run.state == "succeeded"
        assert "stranger" in run.jobs["cd/staging"].reason

    play(tmp_path, CHECK, work, sandboxed=True)


def test_a_rerun_of_a_strangers_run_deploys_nothing_and_is_held(tmp_path):
    """Running it again is no way around what it may not."""

    async def work(here, story):
        await story.play(
            [
                {"open": STRANGER},
                {"ask": {"what": "cancel", "run": 1, "by": "bob"}},
                {"ask": {"what": "rerun", "run": 1, "by": "bob"}},
            ]
        )
        assert (await runs(here))[1].state == "held"
        await story.ask("release", run=2, by="bob")
        await here.settle()
        assert await every(here, Deployment) == []
        assert (await runs(here))[1].state == "succeeded"

    play(tmp_path, CHECK, work, sandboxed=True)
