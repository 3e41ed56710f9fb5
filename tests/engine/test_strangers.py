"""Code of strangers: it never deploys, never runs unasked, and holds up nobody."""

from __future__ import annotations

from playing import STRANGER, every, play, runs, states

from windlass.ports.records import Deployment, Place

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


GROUP = """\
listeners:
  check:
    on: pull_request
    concurrency: {group: one}
    do: [{pipeline: ci}]
pipelines:
  ci: {jobs: {test: {steps: [{run: echo tested}]}}}
"""


def test_a_stranger_who_waits_holds_up_nobody(tmp_path):
    """What waits for a person has no place in its concurrency group."""

    async def work(here, story):
        mine = {"number": 8, "head": "mine", "files": {"app.txt": "three"}, "by": "ada"}
        await story.play([{"open": STRANGER}, {"open": mine}])
        assert [str(one.state) for one in await runs(here)] == ["held", "succeeded"]

    play(tmp_path, GROUP, work)


FORKS = """\
listeners:
  go: {on: push, do: [{build: api}, {deploy: api, environment: dev}]}
  check: {on: pull_request, do: [{build: api}]}
environments: {dev: {target: {directory: {path: /srv/dev}}}}
"""


def test_a_strangers_build_is_not_deployed_by_its_digest(tmp_path):
    """Whoever writes it into the state repository, nobody answers for its code."""

    async def work(here, story):
        pull = {"number": 7, "head": "topic", "files": {"b.txt": "x"}, "by": "eve"}
        await story.play(
            [
                {"push": {"branch": "main", "files": {"app.txt": "two"}}},
                {"open": {**pull, "fork": True}},
                {"ask": {"what": "release", "run": 2, "by": "bob"}},
                {"state": {"place": "shop/dev/api", "build": 2}},
            ]
        )
        found = await runs(here)
        assert len(found) == 3
        assert "no build" in found[2].jobs["deploy-api-dev"].reason
        (place,) = await every(here, Place)
        assert place.deployment == 1

    play(tmp_path, FORKS, work, sandboxed=True)
