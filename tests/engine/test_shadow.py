"""Shadow: recorded events before a configuration that does not count yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import every, play, runs

from windlass.core.errors import ConfigError, UserError
from windlass.core.shadow import Kind
from windlass.engine import proposed
from windlass.engine import shadow as shadows
from windlass.engine.reports import CONFIGURATION
from windlass.engine.shadow import summary
from windlass.ports.forge import Status
from windlass.ports.records import (
    ConfigurationCheck,
    Delivery,
    Repository,
    StoredEffect,
    StoredEvent,
    StoredVerdict,
)

BASE = """\
listeners:
  feature: {on: push, branches: ["FB*"], paths: ["src/**"], do: [{pipeline: ci}]}
  alone: {on: push, branches: ["**"], unless: open_pull_request, do: [{pipeline: ci}]}
  check: {on: pull_request, base: [main], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: "true"}]}}}
"""
SERVICE = """\
services:
  api:
    build:
      steps: [{run: "mkdir dist; echo $CI_COMMIT_SHA > dist/app"}]
      artifacts: [dist/]
"""


def whole(text):
    """The files of a configuration, as `play` puts them on main."""
    return {".windlass.yaml": (text + SERVICE).encode()}


async def after(here, happening):
    """Something happens, and the server comes to rest."""
    await happening
    await here.settle()


async def told(here, text):
    """What these listeners would have done: listener, event, before, after, by kind."""
    done = await here.requests.shadow(whole(text))
    return done, {
        str(kind): [
            (each.difference.listener, each.event.number, each.difference.before,
             each.difference.after)
            for each in found
        ]
        for kind, found in done.found.items()
        if found
    }  # fmt: skip


async def much(here, story):
    """Pushes, a pull request that is merged and whose branch is pushed to, before and after."""
    await after(here, story.push("FB1", {"src/a.py": "1"}))
    await after(here, story.push("FB2", {"README.md": "1"}))
    await after(here, story.open(7, "FB3", {"src/b.py": "1"}))
    await after(here, story.push("FB3", {"src/b.py": "2"}))
    await after(here, story.merge(7, "merge"))
    await after(here, story.push("FB3", {"src/b.py": "3"}))
    await after(here, story.push("main", {"src/d.py": "4"}))
    await after(here, story.delete("FB2"))
    # What the first push brought is on main now, and was not then.
    await after(here, story.open(8, "FB1", {"src/c.py": "1"}))
    await after(here, story.merge(8, "merge"))


def test_the_same_configuration_starts_the_same(tmp_path):
    """Changed files and open pull requests are those of their time, also after the merge."""

    async def work(here, story):
        await much(here, story)
        done, found = await told(here, BASE)
        assert found == {}
        assert done.compared == done.unchanged == len(await every(here, StoredEvent))
        assert summary(done).endswith("of the last 14 days would start what they did")
        started = [one for one in await every(here, StoredVerdict) if one.matched]
        assert {one.listener for one in started} == {"feature", "alone", "check"}

    play(tmp_path, BASE, work)


def test_a_changed_configuration_starts_more_less_and_otherwise(tmp_path):
    """Each difference names its listener, its event, and what is on either side of it."""
    other = (
        BASE.replace('branches: ["FB*"], paths: ["src/**"]', 'branches: ["FB2"]')
        .replace("  check: {on: pull_request,", "  checks: {on: pull_request,")
        .replace('["**"], unless: open_pull_request, do: [{pipeline: ci}]',
                 '["FB1"], do: [{build: api}]')
    )  # fmt: skip

    async def work(here, story):
        await after(here, story.push("FB1", {"src/a.py": "1"}))
        await after(here, story.push("FB2", {"README.md": "1"}))
        await after(here, story.open(7, "topic", {"README.md": "1"}))
        done, found = await told(here, other)
        numbers = {(e.kind, e.branch): e.number for e in await every(here, StoredEvent)}
        first, second = numbers["push", "FB1"], numbers["push", "FB2"]
        third = numbers["pull_request", "topic"]
        assert found == {
            "starts": [
                ("checks", third, "", "pipeline ci"),
                ("feature", second, "", "pipeline ci"),
            ],
            "stops": [
                ("check", third, "pipeline ci", ""),
                ("alone", second, "pipeline ci", ""),
                ("feature", first, "pipeline ci", ""),
            ],
            "changes": [("alone", first, "pipeline ci", "build api")],
        }
        assert done.events == {Kind.STARTS: 2, Kind.STOPS: 3, Kind.CHANGES: 1}
        assert summary(done) == (
            "2 events of the last 14 days would now start checks, feature;"
            " 3 would no longer start check, alone, feature;"
            " 1 would start something else by alone"
        )

    play(tmp_path, BASE, work)


def test_a_pipeline_that_changed_is_something_else(tmp_path):
    """Also where the actions read the same; where it stands in the file is no difference."""
    more = BASE.replace('"true"}]}}', '"true"}]}, lint: {steps: [{run: "true"}]}}')

    async def work(here, story):
        await after(here, story.push("FB1", {"src/a.py": "1"}))
        assert (await told(here, "# moved\n\n" + BASE))[1] == {}
        found = (await told(here, more))[1]
        assert [one[3] for one in found["changes"]] == ["pipeline ci (added: ci/lint)"] * 2

    play(tmp_path, BASE, work)


def test_nothing_is_written_and_nothing_starts(tmp_path):
    """Everything in the store is as it was, whatever was asked."""

    async def work(here, story):
        await much(here, story)
        kinds = (StoredEvent, StoredEffect, Delivery, Repository, StoredVerdict)
        before = [await every(here, kind) for kind in kinds]
        await told(here, "listeners: {}\n")
        with pytest.raises(ConfigError):
            await told(here, "listeners: {a: {}}\n")
        with pytest.raises(UserError, match="there is no repository nowhere"):
            await here.requests.shadow(whole(BASE), repository="nowhere")
        await here.settle()
        assert [await every(here, kind) for kind in kinds] == before

    play(tmp_path, BASE, work)


def test_replays_and_wishes_count_once_and_old_events_not_at_all(tmp_path, monkeypatch):
    """And what is too much is left out, the oldest first, and said."""

    async def work(here, story):
        await after(here, story.push("FB1", {"src/a.py": "1"}))
        (delivery,) = await every(here, Delivery)
        count = len(await every(here, StoredEvent))
        again = replace(delivery, id="z", delivery_key="z", origin=delivery.id, state="received")
        await here.world.store.transaction(lambda tx: tx.add(again))
        await here.settle()
        assert len(await every(here, StoredEvent)) == 2 * count
        done, _ = await told(here, BASE)
        assert (done.compared, done.cut) == (count, "")
        later = await here.requests.shadow(whole(BASE), since=here.clock.now() + 1)
        assert later.compared == 0
        await after(here, story.push("FB1", {"src/a.py": "2"}))
        monkeypatch.setattr(shadows, "MOST", 1)
        done, _ = await told(here, BASE)
        assert (done.compared, done.cut) == (1, "only the newest 1 events were looked at")

    play(tmp_path, BASE, work)


def test_a_listener_in_shadow_decides_and_starts_nothing(tmp_path):
    """Its verdict is kept with its mark; no run, no status, no comment, not by `/test` either."""
    shadowed = BASE.replace("base: [main],", "base: [main], shadow: true,")

    async def work(here, story):
        await after(here, story.open(7, "topic", {"README.md": "1"}))
        await after(here, story.comment(7, "/test"))
        await after(here, story.comment(7, "/test check"))
        assert await runs(here) == []
        marks = {one.listener: one.shadow for one in await every(here, StoredVerdict)}
        assert marks == {"feature": False, "alone": False, "check": True}
        lines = (await here.requests.explain(1)).lines
        assert "  check: would have started (shadow)" in lines
        assert statuses(here) == []
        assert "check is in shadow, and starts nothing" in here.forge.comment_on(here.url, 7)
        # What shadow would have started counts as nothing that did.
        assert (await told(here, shadowed))[1] == {}
        assert (await told(here, BASE))[1] == {"starts": [("check", 1, "", "pipeline ci")]}

    play(tmp_path, shadowed, work)


def test_a_pull_request_that_changes_the_configuration_is_told_what_it_would_do(tmp_path):
    """On its head, neutral, with the details in the comment and on the event's page, once."""
    wider = BASE.replace('branches: ["FB*"], paths: ["src/**"]', 'branches: ["**"]')

    async def work(here, story):
        await after(here, story.push("other", {"README.md": "1"}))
        await after(
            here, story.open(7, "wider", {".windlass.yaml": wider + SERVICE, "README.md": "2"})
        )
        event = (await every(here, StoredEvent))[-1].number
        (check,) = await every(here, ConfigurationCheck)
        said = "1 event of the last 14 days would now start feature"
        assert (check.event, check.state, check.summary) == (event, "differs", said)
        (status,) = configuration_statuses(here)
        assert (status.state, status.description) == ("neutral", said)
        assert status.url.endswith(f"/events/{event}")
        comment = here.forge.comment_on(here.url, 7)
        assert said in comment
        assert "feature: would now start pipeline ci on event 1 \\(push other\\)" in comment
        assert any(said in line for line in (await here.requests.explain(event)).lines)
        # The effect once more, as after a crash.
        (effect,) = [one for one in await every(here, StoredEffect) if one.kind == "shadow"]
        again = replace(effect, state="pending", wanted=2)
        await here.world.store.transaction(lambda tx: tx.save(again))
        await here.settle()
        assert len(configuration_statuses(here)) == 1
        # Back to what main has: nothing is left to say of the new head.
        await after(here, story.update(7, {".windlass.yaml": (BASE + SERVICE)}))
        assert len(configuration_statuses(here)) == 1
        assert said not in here.forge.comment_on(here.url, 7)

    play(tmp_path, BASE, work)


def test_the_check_succeeds_where_nothing_differs_and_fails_on_a_fault(tmp_path):
    """A fault is red, also where no listener heard the pull request."""
    quiet = BASE.replace("base: [main],", "base: [none],")

    async def work(here, story):
        await after(here, story.open(7, "topic", {".windlass.yaml": "# new\n" + quiet + SERVICE}))
        assert [one.state for one in configuration_statuses(here)] == ["success"]
        await after(here, story.update(7, {".windlass.yaml": "listeners: {a: {}}\n"}))
        red = configuration_statuses(here)[-1]
        assert red.state == "failure"
        assert red.description.startswith(".windlass.yaml:1:")
        await after(here, story.open(8, "docs", {"README.md": "1"}))
        assert len(configuration_statuses(here)) == 2

    play(tmp_path, quiet, work)


def test_what_is_left_out_of_a_check_is_told(tmp_path, monkeypatch):
    """The last line says how many more there are."""
    monkeypatch.setattr(proposed, "MOST", 1)
    wider = BASE.replace('branches: ["FB*"], paths: ["src/**"]', 'branches: ["**"]')

    async def work(here, story):
        await after(here, story.push("one", {"README.md": "1"}))
        await after(here, story.push("two", {"README.md": "2"}))
        await after(here, story.open(7, "wider", {".windlass.yaml": wider + SERVICE}))
        (check,) = await every(here, ConfigurationCheck)
        assert len(check.lines) == 2
        assert check.lines[-1] == "and 1 more: windlass listeners shadow shows them"

    play(tmp_path, BASE, work)


def test_a_strangers_configuration_is_tried_on_nothing(tmp_path):
    """What it would say of recorded events is for those who may read them."""
    spying = BASE.replace('branches: ["FB*"], paths: ["src/**"]', 'if: "size(payload) > 0"')

    async def work(here, story):
        await after(here, story.push("other", {"README.md": "1"}))
        changed = {".windlass.yaml": spying + SERVICE}
        await after(here, story.open(7, "spy", changed, by="eve", fork=True))
        assert await every(here, ConfigurationCheck) == []
        assert configuration_statuses(here) == []

    play(tmp_path, BASE, work)


def test_a_commit_that_is_gone_is_unknown_and_stops_nothing(tmp_path):
    """A mirror that was made again lacks the heads of old pull requests."""

    async def work(here, story):
        await after(here, story.push("FB1", {"src/a": "1"}))
        await after(here, story.push("FB2", {"src/b": "1"}))
        first = (await every(here, StoredEvent))[0]
        lost = replace(first, event=replace(first.event, sha="d" * 40, files=None))
        await here.world.store.transaction(lambda tx: tx.save(lost))
        done, _ = await told(here, BASE)
        assert (done.unknown, done.compared) == (1, 3)

    play(tmp_path, BASE, work)


def statuses(here):
    """Every status that the forge was told, in order."""
    return [one.value for one in here.forge.ledger if isinstance(one.value, Status)]


def configuration_statuses(here):
    """Those of the configuration."""
    return [one for one in statuses(here) if one.context == CONFIGURATION]
