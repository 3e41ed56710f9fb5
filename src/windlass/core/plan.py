"""
From actions as written to the jobs of a run.

The actions of one listener become jobs one after the other; the jobs of a
pipeline are inlined under its name (`ci/test`), and so are pipelines called by
pipelines. What comes out is a graph of jobs that know each other by full name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError, Fault, Place, UserError
from windlass.core.expression import render
from windlass.core.parameters import blank, unmet
from windlass.core.pipeline import Action, ActionKind, Call, Job, JobKind, Pipeline
from windlass.core.run import JobRun

T = TypeVar("T")

NESTING = 8
NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a run, and the arguments of each inlined pipeline by its prefix."""

    jobs: Mapping[str, JobRun]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    configuration: Configuration
    seen: Mapping[str, object] = field(default_factory=dict)
    jobs: dict[str, JobRun] = field(default_factory=dict)
    values: dict[str, Mapping[str, str]] = field(default_factory=dict)


def plan(
    actions: tuple[Action, ...], configuration: Configuration, seen: Mapping[str, object] = NOTHING
) -> Plan:
    """
    The graph of these actions, with pipelines and services of `configuration`.

    `seen` is what expressions in a `with` can see. Raises `ConfigError` for a pipeline or
    service that is not there, and for a value that does not fit: listeners and pipelines
    may come from two commits, so each was checked without the other.
    """
    draft = _Draft(configuration, seen)
    before: tuple[str, ...] = ()
    for action in actions:
        before = _ADD[action.kind](draft, action, before)
    return Plan(draft.jobs, draft.values)


def _pipeline(draft: _Draft, action: Action, before: tuple[str, ...]) -> tuple[str, ...]:
    pipeline = _wanted(draft.configuration.pipelines, action, "pipeline")
    prefix = _free(draft, pipeline.name)
    return _inline(
        draft,
        pipeline,
        _Inlined(
            prefix, action.label, action.arguments, before, place=action.place, seen=draft.seen
        ),
    )


@dataclass(frozen=True, slots=True)
class _Inlined:
    prefix: str
    action: str
    arguments: Mapping[str, str]
    needs: tuple[str, ...]
    condition: str = ""
    final: bool = False
    depth: int = 0
    place: Place | None = None
    seen: Mapping[str, object] = field(default_factory=dict)


def _inline(draft: _Draft, pipeline: Pipeline, how: _Inlined) -> tuple[str, ...]:
    """Add the pipeline's jobs; returns the names that stand for its end."""
    values = draft.values[how.prefix] = _arguments(draft, pipeline, how)
    seen = {**draft.seen, "with": dict(values)}
    ends: dict[str, tuple[str, ...]] = {}
    ordinary = [job for job in pipeline.jobs if not job.final]
    for job in (*ordinary, *(job for job in pipeline.jobs if job.final)):
        wanted = tuple(job.needs) if not job.final else tuple(other.name for other in ordinary)
        needs = tuple(name for need in wanted for name in ends.get(need, ())) or how.needs
        name = f"{how.prefix}/{job.name}"
        condition = _both(how.condition, job.condition)
        if isinstance(job, Job):
            full = replace(
                job, name=name, needs=needs, condition=condition, final=job.final or how.final
            )
            draft.jobs[name] = JobRun(job=full, action=how.action)
            ends[job.name] = (name,)
            continue
        if how.depth >= NESTING:
            raise _fault(f"pipelines call each other more than {NESTING} deep", job.place)
        called = _called(draft.configuration.pipelines, job)
        inner = _Inlined(
            name,
            how.action,
            job.arguments,
            needs,
            condition,
            job.final,
            how.depth + 1,
            place=job.place,
            seen=seen,
        )
        ends[job.name] = _inline(draft, called, inner)
    # All of them: a last job that runs `always()` would hide that one before it failed.
    return tuple(name for job in ordinary for name in ends[job.name])


def _build(draft: _Draft, action: Action, before: tuple[str, ...]) -> tuple[str, ...]:
    _wanted(draft.configuration.services, action, "service")
    job = Job(
        name=_free(draft, f"build-{action.name}"),
        kind=JobKind.BUILD,
        needs=before,
        service=action.name,
        environment=action.environment,
        place=action.place,
    )
    draft.jobs[job.name] = JobRun(job=job, action=action.label)
    return (job.name,)


def _deploy(draft: _Draft, action: Action, before: tuple[str, ...]) -> tuple[str, ...]:
    _wanted(draft.configuration.services, action, "service")
    job = Job(
        name=_free(draft, f"deploy-{action.name}-{action.environment}"),
        kind=JobKind.DEPLOY,
        needs=before,
        service=action.name,
        environment=action.environment,
        promote_from=action.promote_from,
        place=action.place,
    )
    draft.jobs[job.name] = JobRun(job=job, action=action.label)
    return (job.name,)


_ADD = {
    ActionKind.BUILD: _build,
    ActionKind.DEPLOY: _deploy,
    ActionKind.PROMOTE: _deploy,
    ActionKind.PIPELINE: _pipeline,
}


def _free(draft: _Draft, name: str) -> str:
    """The name, or the first of `name-2`, `name-3` ... that is not taken."""
    taken = {*draft.jobs, *draft.values}
    if name not in taken:
        return name
    return next(f"{name}-{n}" for n in range(2, len(taken) + 3) if f"{name}-{n}" not in taken)


def _both(outer: str, inner: str) -> str:
    return f"({outer}) && ({inner})" if outer and inner else outer or inner


def _wanted(things: Mapping[str, T], action: Action, what: str) -> T:
    if action.name not in things:
        raise _fault(
            f"there is no {what} {action.name} at this commit",
            action.place,
            f"{what}s come from the commit under test; merge the branch that adds it",
        )
    return things[action.name]


def _arguments(draft: _Draft, pipeline: Pipeline, how: _Inlined) -> Mapping[str, str]:
    """The value of each parameter, rendered and checked; what it sees is known by now."""
    known = {parameter.name: parameter for parameter in pipeline.parameters}
    for name in how.arguments:
        if name not in known:
            raise _fault(f"pipeline {pipeline.name} has no parameter {name}", pipeline.place)
    values: dict[str, str] = {}
    for name, parameter in known.items():
        written = how.arguments.get(name, parameter.default)
        if written is None and not parameter.optional:
            raise _fault(f"pipeline {pipeline.name} needs a value for {name}", pipeline.place)
        if written is None:
            values[name] = blank(parameter)
            continue
        place = how.place if name in how.arguments else pipeline.place
        try:
            value = render(written, how.seen)
        except UserError as error:
            raise _fault(f"{name}: {error.message}", place, error.hint) from error
        # An empty text stands for an optional value that nobody gave.
        given = value or not parameter.optional
        if given and (wanted := unmet(parameter, value, draft.configuration.environments)):
            raise _fault(f"{name} is {value!r}, and must be {wanted}", place)
        values[name] = value
    return values


def _called(pipelines: Mapping[str, Pipeline], call: Call) -> Pipeline:
    if call.pipeline not in pipelines:
        raise _fault(f"there is no pipeline {call.pipeline}", call.place)
    return pipelines[call.pipeline]


def _fault(message: str, place: Place | None, hint: str = "") -> ConfigError:
    return ConfigError((Fault(message, place or Place(".windlass.yaml", 1, 1), hint, "plan"),))
