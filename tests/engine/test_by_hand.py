"""A listener that a person has run: typed inputs, a verdict of each listener, one run."""

from __future__ import annotations

import base64

import pytest
from harness import NAME
from playing import every, play, runs, states

from windlass.core.errors import ConfigError, Conflict, InputError, NotFound, UserError
from windlass.core.event import Event, Kind
from windlass.engine.requests.listeners import ByHand
from windlass.engine.requests.replay import Replay
from windlass.ports.records import Audit, Delivery, Deployment, StoredEvent, StoredVerdict

CONFIGURATION = """\
listeners:
  rollout:
    on:
      manual:
        inputs:
          target: {type: environment, enum: [dev]}
          version: {required: true}
          count: {type: number, default: 2}
          dry: {type: boolean, required: false}
          note: {required: false}
    if: event.inputs.count < 10
    concurrency: {group: "to-${{ event.inputs.target }}"}
    do: [{pipeline: tell, with: {version: "${{ event.inputs.version }}"}}]
  ship: {on: [push, manual], branches: [main], do: [{build: api}, {deploy: api, environment: dev}]}
  pushed: {on: push, do: [{pipeline: ci}]}
  posted: {on: generic, do: [{build: api}, {deploy: api, environment: dev}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: echo tested}]}}}
  tell:
    with: {version: {}}
    jobs:
      say:
        if: '!event.inputs.dry'
        env:
          TARGET: "${{ event.inputs.target }}"
          VERSION: "${{ with.version }}"
          COUNT: "${{ event.inputs.count }}"
          NOTE: "[${{ event.inputs.note }}]"
        steps:
          - run: |
              said=$(printf '%s|' "$TARGET" "$VERSION" "$COUNT" "$NOTE" | base64 -w 0)
              echo "said=$said" >> "$WINDLASS_OUTPUT"
environments:
  dev: {target: {directory: {path: /srv/dev}}, branches: [main]}
"""
HOSTILE = '1.0\'; echo "$(id)" `id` ${{ event.sender }} \\ \n--x'


def wish(listener="rollout", inputs=None, **more):
    """A wish with what must be given."""
    known = {"target": "dev", "version": "1.0"}
    return ByHand(
        repository=NAME,
        listener=listener,
        inputs=(known if inputs is None else inputs) if listener == "rollout" else inputs or {},
        **more,
    )


async def ask(here, *wanted, by="bob", **more):
    """A wish of bob's, and all that comes of it."""
    done = await here.requests.run_listener(wish(*wanted, **more), by=by)
    await here.settle()
    return done


async def refused(here, kind, *wanted, **more):
    """What is said instead of doing it; nothing is stored."""
    before = len(await every(here, Delivery))
    with pytest.raises(kind) as caught:
        await ask(here, *wanted, **more)
    assert len(await every(here, Delivery)) == before
    return caught.value


def test_a_wish_becomes_a_run_with_its_inputs(tmp_path):
    """Typed for expressions, as data for the job, whatever signs they hold."""

    async def work(here, _):
        inputs = {"target": "dev", "version": HOSTILE, "count": "3"}
        delivery = await ask(here, "rollout", inputs)
        (event,) = [one for one in await every(here, StoredEvent) if one.delivery == delivery.id]
        assert (event.kind, event.event.sender, event.event.listener) == (
            "manual",
            "bob",
            "rollout",
        )
        assert event.event.inputs == {
            "target": "dev",
            "version": HOSTILE,
            "count": 3,
            "dry": False,
            "note": "",
        }
        (run,) = await runs(here)
        assert (run.branch, run.sha) == ("main", here.origin.at("refs/heads/main"))
        assert states(run) == {"tell/say": "succeeded"}
        assert run.values["tell"] == {"version": HOSTILE}
        said = base64.b64decode(run.jobs["tell/say"].outputs["said"]).decode()
        assert said == f"dev|{HOSTILE}|3|[]|"
        assert "run listener" in [one.what for one in await every(here, Audit)]

    play(tmp_path, CONFIGURATION, work, processes=True)


def test_every_other_listener_says_why_it_is_silent(tmp_path):
    """The verdicts of a wish are those of any event, and explain tells them."""

    async def work(here, _):
        await ask(here)
        said = {one.listener: one for one in await every(here, StoredVerdict)}
        assert said["rollout"].matched
        ship = said["ship"]
        assert (ship.condition, ship.expected, ship.actual) == ("listener", "ship", "rollout")
        assert said["pushed"].condition == "on"
        lines = (await here.requests.explain(said["ship"].event)).lines
        assert lines[0].startswith("Event 1: asked by bob: rollout")
        assert "Its inputs: target=dev, version=1.0, count=2, dry=false, note=." in lines
        assert "  rollout: started run 1" in lines
        await ask(here, "rollout", {"target": "dev", "version": "1", "count": "10"})
        late = [one for one in await every(here, StoredVerdict) if one.event == 2]
        assert {one.condition for one in late if one.listener == "rollout"} == {"if"}
        await ask(here, "rollout", {"target": "dev", "version": "1", "dry": "true"})
        assert states((await runs(here))[-1]) == {"tell/say": "skipped"}

    play(tmp_path, CONFIGURATION, work)


def test_what_does_not_fit_is_told_at_once(tmp_path):
    """Each input by its name, with what it may be and what was given; nothing is stored."""

    async def work(here, _):
        wrong = {"target": "mars", "count": "many", "dry": "yes", "colour": "red"}
        error = await refused(here, InputError, "rollout", wrong)
        assert {one.name: (one.expected, one.actual) for one in error.inputs} == {
            "colour": ("one of the inputs target, version, count, dry, note", "'red'"),
            "target": ("one of dev", "'mars'"),
            "version": ("a text", "nothing"),
            "count": ("a number", "'many'"),
            "dry": ("true or false", "'yes'"),
        }
        there = "there are target, version, count, dry, note"
        assert f"there is no input colour; {there}" in str(error).split("\n")
        assert "unknown" not in str(await refused(here, InputError, "ship", {"x": "1"}))
        for text in ("\0", "\ud800", "x" * 8193):
            await refused(here, InputError, "rollout", {"target": "dev", "version": text})
        for text in ("1e9", "٣", "1" * 16, "NaN", "0x10"):
            given = {"target": "dev", "version": "1", "count": text}
            await refused(here, InputError, "rollout", given)

    play(tmp_path, CONFIGURATION, work)


def test_who_asks_for_what_is_not_there_is_told(tmp_path):
    """A listener, a branch, a commit; a listener that is not manual; a commit elsewhere."""

    async def work(here, story):
        side = story.commit("side", {"app.txt": "two"})
        assert "did you mean rollout" in str(await refused(here, NotFound, "rolout"))
        assert "not `on: manual`" in str(await refused(here, Conflict, "pushed"))
        await refused(here, NotFound, "ship", branch="gone")
        await refused(here, UserError, "ship", branch="-x")
        await refused(here, NotFound, "ship", ref="0" * 40)
        await refused(here, UserError, "ship", ref="a b")
        assert "not on branch main" in str(await refused(here, Conflict, "ship", ref=side))
        await refused(here, UserError, "ship", key="x" * 129)
        for named in (side, side[:7]):
            await ask(here, "rollout", branch="side", ref=named)
            assert (await runs(here))[-1].sha == side
        await refused(here, NotFound, "ship", branch="side", ref=side[:6])
        story.commit("main", {".windlass.yaml": "listeners: {ship: {}}"})
        await refused(here, ConfigError, "ship")

    play(tmp_path, CONFIGURATION, work)


def test_the_same_key_is_one_event(tmp_path):
    """A button pressed twice starts one run, also when the branch has moved; another wish is no."""

    async def work(here, story):
        first = await ask(here, key="click")
        story.commit("main", {"app.txt": "three"})
        assert await here.requests.run_listener(wish(key="click"), by="bob") == (
            await here.world.store.read(lambda tx: tx.get(Delivery, first.id))
        )
        await here.settle()
        assert len(await runs(here)) == 1
        other = {"target": "dev", "version": "2.0"}
        assert (await refused(here, Conflict, "rollout", other, key="click")).code == "key-taken"
        await refused(here, Conflict, "rollout", key="click", by="eve")
        await ask(here, key="another")
        assert len(await runs(here)) == 2

    play(tmp_path, CONFIGURATION, work)


def test_a_deployment_by_hand_is_admitted_like_any_other(tmp_path):
    """From a branch that may, and not from another; it is no replay either."""

    async def work(here, story):
        delivery = await ask(here, "ship")
        assert [one.state for one in await every(here, Deployment)] == ["succeeded"]
        assert [one.by for one in await every(here, Deployment)] == ["bob"]
        story.commit("side", {"app.txt": "two"})
        await ask(here, "ship", branch="side")
        assert [one.state for one in await every(here, Deployment)] == ["succeeded", "rejected"]
        wanted = Replay(token="t" * 16, deliveries=(delivery.id,))
        with pytest.raises(Conflict):
            await here.requests.replay(wanted, by="bob")

    play(tmp_path, CONFIGURATION, work)


def test_a_listener_may_want_other_inputs_by_the_time_it_is_judged(tmp_path):
    """What was given and fits no more is a miss, with the input and its place."""

    async def work(here, _):
        event = Event(
            kind=Kind.MANUAL,
            action="asked",
            repository=NAME,
            sha=here.origin.at("refs/heads/main"),
            branch="main",
            listener="rollout",
            inputs={"target": "dev", "count": True},
        )
        await here.deliver(event)
        await here.settle()
        (said,) = [one for one in await every(here, StoredVerdict) if one.listener == "rollout"]
        assert (said.condition, said.expected) == ("inputs", "version: a text")
        assert said.place == ".windlass.yaml:3:5"

    play(tmp_path, CONFIGURATION, work)


def test_a_signed_post_may_deploy_from_the_default_branch(tmp_path):
    """It names no branch, and is about the head of the default one."""

    async def work(here, _):
        await here.deliver(Event(kind=Kind.GENERIC, action="received", repository=NAME))
        await here.settle()
        (run,) = await runs(here)
        assert (run.listener, run.branch) == ("posted", "main")
        assert [one.state for one in await every(here, Deployment)] == ["succeeded"]

    play(tmp_path, CONFIGURATION, work)


def test_the_listeners_of_a_repository_are_known(tmp_path):
    """As the default branch has them, or what keeps them from being known."""

    async def work(here, story):
        found = await here.requests.listeners(NAME)
        assert found.problem == "nothing of it was fetched yet"
        await here.world.mirrors.of(here.repository).fetch()
        found = await here.requests.listeners(NAME)
        assert [one.name for one in found.listeners] == ["rollout", "ship", "pushed", "posted"]
        assert (found.environments, found.problem) == (("dev",), "")
        story.commit("main", {".windlass.yaml": "listeners: {ship: {}}"})
        await here.world.mirrors.of(here.repository).fetch()
        assert "needs 'on'" in (await here.requests.listeners(NAME)).problem

    play(tmp_path, CONFIGURATION, work)
