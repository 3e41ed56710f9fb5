"""
From shapes that were checked to the rules of the core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from windlass.config.do import kind_of
from windlass.config.parameters import Input, rule
from windlass.config.reading import Jobs, Reading, Unit
from windlass.config.shape import Shape
from windlass.config.shapes import (
    Action,
    Environment,
    FromSecret,
    Job,
    Listener,
    Pipeline,
    Recipe,
    Service,
    Step,
)
from windlass.core import environment, listener, pipeline
from windlass.core.approval import ApprovalRule
from windlass.core.configuration import Configuration
from windlass.core.errors import Bug, Place
from windlass.core.event import Kind

S = TypeVar("S", bound=Shape)

SHOWN = 60


def configuration(reading: Reading) -> Configuration:
    """The configuration of a reading in which nothing is wrong."""
    return Configuration(
        listeners=listener.Listeners(
            {
                name: _listener(unit, _shape(unit), reading.inputs[name])
                for name, unit in reading.listeners.items()
            }
        ),
        pipelines={
            name: _pipeline(unit, _shape(unit), reading.jobs[name])
            for name, unit in reading.pipelines.items()
        },
        services={name: _service(unit, _shape(unit)) for name, unit in reading.services.items()},
        environments={
            name: _environment(unit, _shape(unit)) for name, unit in reading.environments.items()
        },
    )


def _shape(unit: Unit[S]) -> S:
    if unit.shape is None:
        raise Bug(f"{unit.key.place}: without a fault, and without a shape")
    return unit.shape


def _listener(
    unit: Unit[Listener], shape: Listener, inputs: Mapping[str, Unit[Input]]
) -> listener.Listener:
    grouped = shape.concurrency
    asked = tuple(rule(name, _shape(one)) for name, one in inputs.items())
    return listener.Listener(
        name=unit.key.value,
        on=tuple(
            replace(one, inputs=asked) if one.kind is Kind.MANUAL else one for one in shape.on
        ),
        actions=tuple(_action(unit, n, action) for n, action in enumerate(shape.do)),
        branches=tuple(shape.branches),
        tags=tuple(shape.tags),
        head=tuple(shape.head),
        base=tuple(shape.base),
        labels=tuple(shape.labels),
        draft=shape.draft,
        paths=tuple(shape.paths),
        condition=shape.if_,
        unless=shape.unless or "",
        own=bool(shape.own),
        concurrency=None
        if grouped is None
        else listener.Concurrency(
            group=grouped.group,
            cancel_in_progress=grouped.cancel_in_progress,
            limit=grouped.limit,
            newest=grouped.queue == "newest",
        ),
        shadow=shape.shadow,
        place=unit.key.place,
        places={key: unit.key_place(key) for key in _written(shape)},
    )


def _written(shape: Shape) -> Iterator[str]:
    """The keys that were written, by the names that they have in the file."""
    for name in shape.model_fields_set:
        yield type(shape).model_fields[name].alias or name


def _action(unit: Unit[Listener], number: int, shape: Action) -> pipeline.Action:
    kind = kind_of(shape)
    return pipeline.Action(
        kind=pipeline.ActionKind(kind),
        name=getattr(shape, kind),
        environment=shape.environment,
        promote_from=shape.from_,
        arguments=shape.with_,
        place=unit.place("do", number),
    )


def _pipeline(unit: Unit[Pipeline], shape: Pipeline, jobs: Jobs) -> pipeline.Pipeline:
    return pipeline.Pipeline(
        name=unit.key.value,
        parameters=tuple(rule(name, given) for name, given in shape.with_.items()),
        jobs=(
            *(_job(job, _shape(job), final=False) for job in jobs.ordinary.values()),
            *(_job(job, _shape(job), final=True) for job in jobs.final.values()),
        ),
        place=unit.key.place,
    )


def _job(unit: Unit[Job], shape: Job, *, final: bool) -> pipeline.Job | pipeline.Call:
    kind = kind_of(shape)
    if kind == "pipeline":
        return pipeline.Call(
            name=unit.key.value,
            pipeline=shape.pipeline,
            arguments=shape.with_,
            needs=tuple(shape.needs),
            condition=shape.if_,
            final=final,
            place=unit.key.place,
        )
    retry = shape.retry
    return pipeline.Job(
        name=unit.key.value,
        kind=pipeline.JobKind.DEPLOY if kind == "promote" else pipeline.JobKind(kind),
        needs=tuple(dict.fromkeys(shape.needs)),
        condition=shape.if_,
        env=_env(shape.env),
        steps=_steps(shape.steps or (), lambda n: unit.place("steps", n)),
        service=shape.build or shape.deploy or shape.promote,
        environment=shape.environment,
        promote_from=shape.from_,
        artifacts=tuple(shape.artifacts.paths) if shape.artifacts is not None else (),
        timeout=shape.timeout,
        allow_failure=shape.allow_failure,
        retry=pipeline.Retry()
        if retry is None
        else pipeline.Retry(max=retry.max, when=tuple(retry.when)),
        final=final,
        place=unit.key.place,
    )


def _steps(shapes: Sequence[Step], place: Callable[[int], Place]) -> tuple[pipeline.Step, ...]:
    return tuple(
        pipeline.Step(
            name=step.name or _first_line(step.run),
            run=step.run,
            env=_env(step.env),
            timeout=step.timeout,
            allow_failure=step.allow_failure,
            place=place(number),
        )
        for number, step in enumerate(shapes)
    )


def _first_line(script: str) -> str:
    line = next(line.strip() for line in script.splitlines() if line.strip())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def _env(shapes: Mapping[str, str | FromSecret]) -> dict[str, str | pipeline.Secret]:
    return {
        name: pipeline.Secret(value.from_secret) if isinstance(value, FromSecret) else value
        for name, value in shapes.items()
    }


def _service(unit: Unit[Service], shape: Service) -> pipeline.Service:
    health = shape.health
    return pipeline.Service(
        name=unit.key.value,
        path=shape.path.strip("/"),
        build=None if shape.build is None else _recipe(unit, shape.build),
        health=None
        if health is None
        else pipeline.Health(url=health.url, command=health.command, timeout=health.timeout),
        place=unit.key.place,
    )


def _recipe(unit: Unit[Service], shape: Recipe) -> pipeline.BuildRecipe:
    return pipeline.BuildRecipe(
        steps=_steps(shape.steps, lambda n: unit.place("build", "steps", n)),
        artifacts=tuple(shape.artifacts),
        env=_env(shape.env),
        timeout=shape.timeout,
    )


def _environment(unit: Unit[Environment], shape: Environment) -> environment.Environment:
    directory = shape.target.directory
    options = {"path": directory.path} | ({"after": directory.after} if directory.after else {})
    approval, reconcile = shape.approval, shape.reconcile
    return environment.Environment(
        name=unit.key.value,
        target=environment.TargetSpec(kind="directory", options=options),
        url=shape.url,
        tier=shape.tier,
        branches=tuple(shape.branches),
        reviewed=shape.reviewed,
        promote_from=tuple(shape.promote_from),
        verified_by=tuple(shape.verified_by),
        soak=shape.soak,
        approval=None
        if approval is None
        else ApprovalRule(
            min=approval.min,
            approvers=tuple(approval.approvers),
            prevent_self=approval.prevent_self,
            timeout=approval.timeout,
        ),
        reconcile_every=180.0 if reconcile is None else reconcile.every,
        drift="report" if reconcile is None else reconcile.drift,
        max_wait=shape.max_wait,
        place=unit.key.place,
    )
