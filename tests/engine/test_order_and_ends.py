"""What is refused pushes nothing out, nothing older replaces the newer, and runs end."""

from __future__ import annotations

from dataclasses import replace

from playing import BUILD, every, play, runs, states

from windlass.core.errors import Permanent
from windlass.core.event import Event, Kind
from windlass.core.run import CancelAsked
from windlass.engine import places
from windlass.engine.advance import advance
from windlass.ports.records import Deployment, Place, StoredEffect

GUARDED = """\
listeners:
  go:
    on: push
    do: [{build: api}, {deploy: api, environment: production}]
environments:
  production:
    target: {directory: {path: /srv/production}}
    branches: [main]
    approval: {approvers: [bob]}
"""


def test_a_deploy_that_is_refused_pushes_no_waiting_one_out(tmp_path):
    """A branch that may not go there cannot end what waits there for approval."""

    async def work(here, story):
        await story.play(
            [
                {"push": {"branch": "main", "files": {"app.txt": "two"}}},
                {"push": {"branch": "topic", "files": {"app.txt": "three"}}},
            ]
        )
        found = await every(here, Deployment)
        assert [one.state for one in found] == ["approval", "rejected"]

    play(tmp_path, GUARDED, work)


def test_a_fault_on_the_default_branch_ends_nothing_that_waits(tmp_path):
    """It waits, says for what, and goes on when the configuration can be read again."""

    async def work(here, story):
        await story.play(
            [
                {"push": {"branch": "main", "files": {"app.txt": "two"}}},
                {"push": {"branch": "main", "files": {".windlass.yaml": "listeners: [\n"}}},
                {"wait": {"seconds": 120.0}},
            ]
        )
        (one,) = await every(here, Deployment)
        assert (one.state, "cannot be used" in one.reason) == ("waiting", True)
        mended = GUARDED + BUILD
        await story.play(
            [
                {"push": {"branch": "other", "files": {"app.txt": "x"}}},
                {"push": {"branch": "main", "files": {".windlass.yaml": mended, "x": "y"}}},
            ]
        )
        assert "rejected" not in {one.state for one in await every(here, Deployment)}

    play(tmp_path, GUARDED, work)


def test_a_cancel_while_it_is_admitted_is_not_forgotten(tmp_path):
    """What goes back to waiting after its run was cancelled ends, and no approval deploys it."""

    async def work(here, story):
        await story.play([{"push": {"branch": "main", "files": {"app.txt": "two"}}}])

        def cancelled(tx):
            tx.save(replace(tx.get(Deployment, 1), state="admitted"))
            advance(tx, 1, CancelAsked(by="bob", at=1.0), "cancel:1", 1.0)

        await here.world.store.transaction(cancelled)
        await here.settle()
        await here.world.store.transaction(lambda tx: places.back(tx, tx.get(Deployment, 1), 1.0))
        await here.settle()
        (one,) = await every(here, Deployment)
        assert (one.state, (await runs(here))[0].state) == ("cancelled", "cancelled")

    play(tmp_path, GUARDED, work)


PROMOTED = """\
listeners:
  staging:
    on: push
    branches: ["FB*"]
    do: [{build: api}, {deploy: api, environment: staging}]
  production:
    on: push
    branches: [main]
    do: [{promote: api, from: staging, environment: production}]
environments:
  staging: {target: {directory: {path: /srv/staging}}}
  production:
    target: {directory: {path: /srv/production}}
    branches: [main]
"""


def test_a_promoted_build_is_admitted_as_what_it_is(tmp_path):
    """A push to main cannot carry the build of another branch past `branches: [main]`."""

    async def work(here, story):
        await story.play(
            [
                {"push": {"branch": "FB1", "files": {"app.txt": "two"}}},
                {"push": {"branch": "main", "files": {"other.txt": "x"}}},
            ]
        )
        feature = here.origin.at("refs/heads/FB1")
        _, promoted = await every(here, Deployment)
        assert (promoted.sha, promoted.branch) == (feature, "FB1")
        assert promoted.state == "rejected"

    play(tmp_path, PROMOTED, work)


ALWAYS = """\
listeners:
  go:
    on: push
    do: [{pipeline: ci}, {build: api}, {deploy: api, environment: dev}]
pipelines:
  ci:
    jobs:
      test: {steps: [{run: exit 1}]}
      clean: {needs: [test], if: always(), steps: [{run: echo clean}]}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
"""


def test_a_failed_test_stops_the_deploy_also_when_something_cleans_up(tmp_path):
    """The action after a pipeline waits for all of it, and not for its last jobs alone."""

    async def work(here, story):
        await story.play([{"push": {"branch": "main", "files": {"app.txt": "two"}}}])
        (run,) = await runs(here)
        assert states(run)["deploy-api-dev"] == "skipped"
        assert await every(here, Deployment) == []

    play(tmp_path, ALWAYS, work, processes=True)


BACKWARDS = """\
listeners:
  check: {on: pull_request, do: [{pipeline: ci}]}
pipelines:
  ci:
    jobs:
      last: {needs: [test], steps: [{run: echo last}]}
      test: {steps: [{run: echo tested}]}
"""


def test_a_conflict_is_a_failure_whatever_stands_first_and_stays_one(tmp_path):
    """It says which files, and running it again does not test the head alone."""

    async def work(here, story):
        await story.play(
            [
                {"open": {"number": 7, "head": "topic", "files": {"app.txt": "two\n"}}},
                {"push": {"branch": "main", "files": {"app.txt": "three\n"}}},
                {"update": {"number": 7, "files": {"app.txt": "four\n"}}},
                {"ask": {"what": "rerun", "run": 2, "by": "bob"}},
            ]
        )
        found = await runs(here)
        assert len(found) == 2
        assert "conflict in app.txt" in found[1].jobs["ci/last"].reason
        assert found[1].action_state("pipeline/ci") == "failed"
        assert "merge" in story.refused[0]

    play(tmp_path, BACKWARDS, work)


MAYBE = """\
listeners: {go: {on: push, do: [{pipeline: cd}]}}
pipelines:
  cd:
    jobs:
      build: {build: api, allow_failure: true}
      dev: {needs: [build], deploy: api, environment: dev}
environments: {dev: {target: {directory: {path: /srv/dev}}}}
"""


def test_a_build_that_may_fail_and_did_leaves_nothing_to_deploy(tmp_path):
    """The deploy ends with a reason, and is not tried for hours."""

    async def work(here, story):
        files = {"app.txt": "two", ".windlass.yaml": MAYBE + BUILD.replace("mkdir dist", "exit 1")}
        await story.play([{"push": {"branch": "main", "files": files}}])
        (run,) = await runs(here)
        assert run.state == "failed"
        assert "there is no build" in run.jobs["cd/dev"].reason

    play(tmp_path, MAYBE, work, processes=True)


DEV = """\
listeners:
  go: {on: push, do: [{build: api}, {deploy: api, environment: dev}]}
environments: {dev: {target: {directory: {path: /srv/dev}}}}
"""


def test_rolling_back_twice_goes_back_twice(tmp_path):
    """The second rollback does not bring back what the first one took away."""

    async def work(here, story):
        for text in ("two", "three", "four"):
            await story.push("main", {"app.txt": text})
            await here.settle()
        back = {"what": "rollback", "repository": "shop", "service": "api", "environment": "dev"}
        await story.play([{"ask": {**back, "by": "bob"}}, {"ask": {**back, "by": "bob"}}])
        first, _, _, once, twice = await every(here, Deployment)
        (place,) = await every(here, Place)
        assert (once.state, twice.state) == ("succeeded", "succeeded")
        assert twice.digest == first.digest == place.observed

    play(tmp_path, DEV, work)


def test_a_disconnected_repository_deploys_nothing_that_still_waits(tmp_path):
    """What waits for approval is refused, and its run ends."""

    async def work(here, story):
        await story.play(
            [
                {"push": {"branch": "main", "files": {"app.txt": "two"}}},
                {"ask": {"what": "remove_repository", "name": "shop", "by": "bob"}},
                {"ask": {"what": "approve", "deployment": 1, "by": "bob"}},
            ]
        )
        (one,) = await every(here, Deployment)
        assert (one.state, (await runs(here))[0].state) == ("rejected", "failed")

    play(tmp_path, GUARDED, work)


def test_an_older_commit_whose_webhook_came_late_pushes_no_newer_one_out(tmp_path):
    """Of one branch the newer commit waits on, in whatever order the two were told."""

    async def work(here, story):
        await story.push("main", {"app.txt": "two"}, told=False)
        old = here.origin.at("refs/heads/main")
        await story.push("main", {"app.txt": "three"})
        await here.settle()
        late = Event(kind=Kind.PUSH, action="pushed", repository="shop", branch="main", sha=old)
        await here.deliver(replace(late, sender="ada", sender_id="ada"))
        await here.settle()
        found = await every(here, Deployment)
        assert [one.state for one in found] == ["approval", "superseded"]

    play(tmp_path, GUARDED, work)


def test_a_deploy_that_failed_can_be_tried_again_when_its_branch_went_on(tmp_path):
    """What is desired already is no newer commit, and the second try is let through."""

    async def work(here, story):
        here.target.failures.append(Permanent("the disk is full"))
        await story.play(
            [
                {"push": {"branch": "main", "files": {"app.txt": "two"}}},
                {"push": {"branch": "main", "files": {"x": "y"}, "message": "On [skip ci]"}},
                {"ask": {"what": "rerun", "run": 1, "by": "bob"}},
            ]
        )
        assert [one.state for one in await every(here, Deployment)] == ["failed", "succeeded"]

    play(tmp_path, DEV, work)


def test_a_place_whose_deployment_failed_is_not_looked_at_every_second(tmp_path):
    """Nothing is compared there until the next deployment, so nothing is asked either."""

    async def work(here, story):
        await story.play([{"push": {"branch": "main", "files": {"app.txt": "two"}}}])
        here.target.failures.append(Permanent("the disk is full"))
        await story.play([{"push": {"branch": "main", "files": {"app.txt": "three"}}}])
        await here.wait(400.0)
        before = await here.world.store.read(lambda tx: tx.get(StoredEffect, "place:shop/dev/api"))
        for _ in range(5):
            await here.wait(2.0)
        after = await here.world.store.read(lambda tx: tx.get(StoredEffect, "place:shop/dev/api"))
        assert after.wanted == before.wanted

    play(tmp_path, DEV, work)
