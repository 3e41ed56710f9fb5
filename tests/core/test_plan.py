"""From actions as written to the jobs of a run."""

from __future__ import annotations

import pytest

from windlass.config.schema import load
from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError
from windlass.core.pipeline import Action, ActionKind, Call, Parameter, Pipeline
from windlass.core.plan import NESTING, plan

HEAD = """
services:
  api: {build: {steps: [{run: make}], artifacts: [dist/]}}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
  production: {target: {directory: {path: /srv/production}}}
"""


def drawn(do, pipelines=""):
    """The plan of one listener's `do`."""
    listener = f"listeners: {{l: {{on: push, do: {do}}}}}\n"
    text = HEAD + listener + (f"pipelines:\n{pipelines}" if pipelines else "")
    configuration = load({".windlass.yaml": text.encode()})
    return plan(configuration.listeners["l"].actions, configuration)


def needs(planned):
    """Every job with what it needs."""
    return {name: job.job.needs for name, job in planned.jobs.items()}


def fault(kind, name, configuration=None, **more):
    """What is said about an action that cannot be drawn."""
    with pytest.raises(ConfigError) as caught:
        plan((Action(kind=kind, name=name, **more),), configuration or Configuration())
    return str(caught.value)


CI = """
  ci:
    jobs:
      lint: {steps: [{run: lint}]}
      test: {steps: [{run: test}]}
      pack: {needs: [test], steps: [{run: pack}]}
    finally:
      tell: {steps: [{run: tell}]}
"""


def test_actions_become_jobs_one_after_the_other():
    """Each action waits for the one before it, and is reported under a name of its own."""
    planned = drawn("[{build: api}, {deploy: api, environment: dev}]")
    assert needs(planned) == {"build-api": (), "deploy-api-dev": ("build-api",)}
    actions = [job.action for job in planned.jobs.values()]
    assert actions == ["build/api", "deploy/dev"]


def test_a_pipeline_is_inlined_between_its_neighbours():
    """Its first jobs wait for the action before, the next action for all its ordinary ones."""
    planned = drawn("[{build: api}, {pipeline: ci}, {deploy: api, environment: dev}]", CI)
    assert needs(planned) == {
        "build-api": (),
        "ci/lint": ("build-api",),
        "ci/test": ("build-api",),
        "ci/pack": ("ci/test",),
        "ci/tell": ("ci/lint", "ci/test", "ci/pack"),
        "deploy-api-dev": ("ci/lint", "ci/test", "ci/pack"),
    }
    assert {job.action for name, job in planned.jobs.items() if "/" in name} == {"pipeline/ci"}
    assert [name for name, job in planned.jobs.items() if job.job.final] == ["ci/tell"]


def test_the_same_action_twice_is_two_jobs():
    """No job takes the place of another."""
    planned = drawn("[{build: api}, {build: api}, {pipeline: ci}, {pipeline: ci}]", CI)
    assert planned.jobs["build-api-2"].job.needs == ("build-api",)
    assert planned.jobs["ci-2/test"].job.needs == ("ci/lint", "ci/test", "ci/pack")
    assert set(planned.values) == {"ci", "ci-2"}
    assert len(planned.jobs) == 10


def test_a_promotion_says_from_where():
    """What is promoted is what the other environment runs."""
    planned = drawn("[{promote: api, from: dev, environment: production}]")
    (job,) = planned.jobs.values()
    assert (job.job.promote_from, job.job.environment) == ("dev", "production")


CALLS = """
  outer:
    with: {depth: {default: quick}}
    jobs:
      before: {steps: [{run: x}]}
      inner: {pipeline: ci, needs: [before], if: 'event.branch == "a"', with: {mode: fast}}
      after: {needs: [inner], steps: [{run: x}]}
    finally:
      clean: {pipeline: ci, with: {mode: slow}}
  ci:
    with: {mode: {enum: [fast, slow]}}
    jobs:
      test: {steps: [{run: x}]}
      pack: {needs: [test], if: 'event.branch != "b"', steps: [{run: x}]}
"""


def test_a_pipeline_that_is_called_is_inlined_under_the_job_that_calls_it():
    """Who needs the call needs all its jobs, and its first jobs need what the call needs."""
    planned = drawn("[{pipeline: outer}]", CALLS)
    assert needs(planned) == {
        "outer/before": (),
        "outer/inner/test": ("outer/before",),
        "outer/inner/pack": ("outer/inner/test",),
        "outer/after": ("outer/inner/test", "outer/inner/pack"),
        "outer/clean/test": (
            *("outer/before", "outer/inner/test"),
            *("outer/inner/pack", "outer/after"),
        ),
        "outer/clean/pack": ("outer/clean/test",),
    }


def test_the_condition_of_a_call_holds_for_every_job_in_it():
    """Both conditions must hold, each read as a whole."""
    jobs = drawn("[{pipeline: outer}]", CALLS).jobs
    assert jobs["outer/inner/test"].job.condition == 'event.branch == "a"'
    both = '(event.branch == "a") && (event.branch != "b")'
    assert jobs["outer/inner/pack"].job.condition == both


def test_a_pipeline_called_at_the_end_is_final_as_a_whole():
    """No job of it starts before the ordinary ones have ended."""
    jobs = drawn("[{pipeline: outer}]", CALLS).jobs
    assert {name for name, job in jobs.items() if job.job.final} == {
        "outer/clean/test",
        "outer/clean/pack",
    }


def test_each_inlined_pipeline_has_its_own_arguments():
    """Values given by the caller, else the defaults."""
    values = drawn("[{pipeline: outer}]", CALLS).values
    assert values == {
        "outer": {"depth": "quick"},
        "outer/inner": {"mode": "fast"},
        "outer/clean": {"mode": "slow"},
    }


def test_names_that_are_not_there_are_told_with_a_remedy():
    """Listeners and pipelines may come from two commits, so each may lack the other's names."""
    for kind, what in ((ActionKind.PIPELINE, "pipeline"), (ActionKind.BUILD, "service")):
        said = fault(kind, "x")
        assert f"there is no {what} x at this commit" in said
        assert "merge the branch that adds it" in said
    assert "no service x" in fault(ActionKind.DEPLOY, "x", environment="dev")


def test_a_call_of_a_pipeline_that_is_not_there_is_told():
    """Also when only the pipeline under test calls it."""
    calling = Pipeline(name="a", jobs=(Call(name="c", pipeline="gone"),))
    assert "there is no pipeline gone" in fault(
        ActionKind.PIPELINE, "a", Configuration(pipelines={"a": calling})
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"other": "1"}, "has no parameter other"),
        ({}, "needs a value for depth"),
        ({"depth": "deep"}, "depth is 'deep', and must be one of quick, full"),
    ],
)
def test_arguments_that_do_not_fit_are_told(given, said):
    """Unknown, missing, or not one of those allowed."""
    depth = Parameter(name="depth", enum=("quick", "full"))
    configuration = Configuration(pipelines={"a": Pipeline(name="a", parameters=(depth,))})
    assert said in fault(ActionKind.PIPELINE, "a", configuration, arguments=given)


def chain(length):
    """Pipelines that each call the next."""
    jobs = {f"p{n}": (Call(name="c", pipeline=f"p{n + 1}"),) for n in range(length)}
    pipelines = {name: Pipeline(name=name, jobs=calls) for name, calls in jobs.items()}
    return Configuration(pipelines={**pipelines, f"p{length}": Pipeline(name=f"p{length}")})


def test_pipelines_call_each_other_only_so_deep():
    """A circle that no check has seen ends as a fault, not as a crash."""
    action = Action(kind=ActionKind.PIPELINE, name="p0")
    assert len(plan((action,), chain(NESTING)).values) == NESTING + 1
    deep = fault(ActionKind.PIPELINE, "p0", chain(NESTING + 1))
    assert f"more than {NESTING} deep" in deep
    circle = Pipeline(name="a", jobs=(Call(name="c", pipeline="a"),))
    assert "deep" in fault(ActionKind.PIPELINE, "a", Configuration(pipelines={"a": circle}))


def test_a_with_is_rendered_and_checked_when_the_run_starts():
    """A pipeline sees the value, also through a call, and never the expression; wrong ones fail."""
    pipelines = """
  outer:
    with: {n: {type: number}, note: {required: false}, sure: {type: boolean, required: false}}
    jobs:
      call: {pipeline: inner, with: {m: "${{ with.n }}0"}}
  inner:
    with: {m: {type: number}}
    jobs: {say: {steps: [{run: say}]}}
"""
    do = "[{pipeline: outer, with: {n: '${{ event.inputs.n }}'}}]"
    text = HEAD + f"listeners: {{l: {{on: {{manual: {{inputs: {{n: {{}}}}}}}}, do: {do}}}}}\n"
    configuration = load({".windlass.yaml": (text + "pipelines:" + pipelines).encode()})
    actions = configuration.listeners["l"].actions

    def values(given):
        return plan(actions, configuration, {"event": {"inputs": given}}).values

    assert values({"n": "1"}) == {
        "outer": {"n": "1", "note": "", "sure": "false"},
        "outer/call": {"m": "10"},
    }
    with pytest.raises(ConfigError, match="n is 'many', and must be a number"):
        values({"n": "many"})
    with pytest.raises(ConfigError, match="has no value: no such key: n"):
        values({})
