"""The operator's policy: whose forks run, whatever a person with write permission says."""

from __future__ import annotations

import pytest
from commanding import GREEN, outcomes, said
from harness import NAME
from playing import STRANGER, every, play, runs

from windlass.core.errors import NotAllowed, NotFound
from windlass.engine.requests.repositories import PolicyChange
from windlass.ports.records import Audit, Repository

OF_EVE = {"open": {**STRANGER, "owner": "eve"}}
OF_ADA = {"open": {**STRANGER, "by": "ada", "owner": "acme"}}
WHY = "pull requests from forks of eve are not run: the policy of shop allows"


async def allow(here, *forks):
    """From now on pull requests of these forks run."""
    await here.requests.set_policy(NAME, PolicyChange(allow_forks=forks), by="root")


def test_a_fork_that_is_not_allowed_is_not_run_by_any_word(tmp_path):
    """Not by a comment, a request, a rerun or a test; the comment says why."""

    async def work(here, story):
        await allow(here, "acme", "!eve")
        await story.play([OF_EVE, said("/ok-to-test HEAD\n/test")])
        first, second = await runs(here)
        assert (first.state, first.trusted) == (second.state, second.trusted) == ("held", False)
        assert {first.reason[: len(WHY)], second.reason[: len(WHY)]} == {WHY}
        (refused, why), (done, started) = await outcomes(here)
        assert (refused, done) == ("refused", "done")
        assert why.startswith(WHY)
        assert WHY in started
        with pytest.raises(NotAllowed, match="are not run"):
            await here.requests.release(1, by="bob")
        await story.play([{"ask": {"what": "cancel", "run": 1, "by": "bob"}}])
        again = await here.requests.rerun(1, by="bob")
        assert (again.state, again.run.reason[: len(WHY)]) == ("held", WHY)
        assert list(await here.world.executor.list()) == []
        assert "are not run" in here.forge.comment_on(here.url, 7)

    play(tmp_path, GREEN, work, sandboxed=True)


@pytest.mark.parametrize(("forks", "state"), [(("acme*",), "succeeded"), (("none",), "held")])
def test_a_fork_of_a_writer_is_asked_about_its_owner_too(tmp_path, forks, state):
    """Whoever may write runs his fork unasked, where the policy has nothing against it."""

    async def work(here, story):
        await allow(here, *forks)
        await story.play([OF_ADA])
        assert [str(one.state) for one in await runs(here)] == [state]

    play(tmp_path, GREEN, work)


def test_a_policy_that_changes_holds_for_what_was_held_before(tmp_path):
    """Tightened, it keeps a held run back; loosened, the run can go."""

    async def work(here, story):
        await story.play([OF_EVE])
        await allow(here, "none")
        with pytest.raises(NotAllowed, match="allows no forks"):
            await here.requests.release(1, by="bob")
        await allow(here, "any")
        await here.requests.release(1, by="bob")
        await here.settle()
        assert [str(one.state) for one in await runs(here)] == ["succeeded"]

    play(tmp_path, GREEN, work, sandboxed=True)


COMMENTED = """\
listeners: {word: {on: comment, do: [{pipeline: ci}]}}
pipelines: {ci: {jobs: {test: {steps: [{run: echo tested}]}}}}
"""


def test_a_comment_of_a_writer_runs_no_fork_that_is_not_allowed(tmp_path):
    """The comment does not say where the head comes from, so the forge is asked."""

    async def work(here, story):
        await allow(here, "acme")
        await story.play([OF_EVE, said("look at this")])
        (run,) = await runs(here)
        assert (run.state, run.reason[: len(WHY)]) == ("held", WHY)

    play(tmp_path, COMMENTED, work, sandboxed=True)


def test_a_policy_is_set_by_the_operator_alone_and_on_record(tmp_path):
    """What is not named stays, and the audit has what it was before."""

    async def work(here, story):
        wanted = PolicyChange(require_digest=True, allow_images=("ghcr.io/acme/**",))
        await here.requests.set_policy(NAME, wanted, by="root")
        await allow(here, "acme")
        (found,) = await every(here, Repository)
        assert (found.require_digest, found.allow_images, found.allow_forks) == (
            True, ("ghcr.io/acme/**",), ("acme",)
        )  # fmt: skip
        lines = await every(here, Audit)
        first, second = (one for one in lines if one.what == "set policy")
        assert (first.actor, first.subject) == ("root", "shop")
        assert first.detail == "none -> images by digest; images: ghcr.io/acme/**"
        assert second.detail.endswith("images: ghcr.io/acme/**; forks: acme")
        with pytest.raises(NotFound):
            await here.requests.set_policy("other", wanted, by="root")

    play(tmp_path, GREEN, work)
