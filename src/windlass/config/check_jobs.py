"""
Jobs of a pipeline: their order, what they may say, and whom they ask.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

from windlass.config.do import Path, check_one, check_parameter, check_work, kind_of
from windlass.config.naming import check_known, check_names, check_variable
from windlass.config.reading import Reading, Unit
from windlass.config.shapes import FromSecret, Job, Pipeline, Service, Step
from windlass.core import graph
from windlass.core.cel.tokens import tokens
from windlass.core.expression import expressions, has_expression

# Keys that mean something for one kind of work only.
_ONLY: Mapping[str, frozenset[str]] = {
    "env": frozenset({"steps"}),
    "artifacts": frozenset({"steps"}),
    "timeout": frozenset({"steps"}),
    "retry": frozenset({"steps", "build", "deploy", "promote"}),
    "allow_failure": frozenset({"steps", "build", "deploy", "promote"}),
}
_INSTEAD = {
    "build": "put it on the service's build",
    "deploy": "a deploy runs no steps",
    "promote": "a deploy runs no steps",
    "pipeline": "put it on the jobs of that pipeline",
}


def check_pipeline(reading: Reading, name: str, unit: Unit[Pipeline]) -> None:
    """A pipeline, its parameters and its jobs."""
    jobs = reading.jobs[name]
    units = {**jobs.ordinary, **jobs.final}
    check_names(
        reading, "a job", (job.key for job in (*jobs.ordinary.values(), *jobs.final.values()))
    )
    for twin in jobs.ordinary.keys() & jobs.final.keys():
        place = jobs.final[twin].key.place
        reading.fault(f"the job '{twin}' stands twice", place, "rename one", code="duplicate-name")
    parameters = unit.shape.with_ if unit.shape is not None else {}
    for key, parameter in parameters.items():
        check_variable(reading, key, unit.key_place("with", key))
        check_parameter(reading, key, parameter, functools.partial(unit.place, "with", key))
    if unit.shape is not None and not jobs.ordinary and "jobs" not in unit.wrong:
        hint = "jobs: {test: {steps: [{run: make test}]}}"
        reading.fault("a pipeline needs jobs", unit.key_place("jobs"), hint, code="wrong-value")
    for job in units.values():
        if job.shape is not None:
            _job(reading, job, job.shape)
            _asked(reading, job, job.shape, parameters)
    _order(reading, jobs.ordinary, jobs.final)


def _order(
    reading: Reading, ordinary: Mapping[str, Unit[Job]], final: Mapping[str, Unit[Job]]
) -> None:
    needs = {
        name: unit.shape.needs if unit.shape is not None else [] for name, unit in ordinary.items()
    }
    for name, wanted in needs.items():
        for number, other in enumerate(wanted):
            check_known(reading, "job", other, ordinary, ordinary[name].place("needs", number))
    for found in graph.check(needs):
        if isinstance(found, graph.Cycle):
            place = ordinary[found.jobs[0]].key_place("needs")
            message = f"jobs wait for each other in a circle: {found}"
            reading.fault(message, place, "take one of these needs out", code="cycle")
    for unit in final.values():
        if unit.shape is not None and unit.shape.needs:
            message = "a job of 'finally' has no 'needs'"
            hint = "it starts when all others have ended"
            reading.fault(message, unit.key_place("needs"), hint, code="pointless")


def _job(reading: Reading, unit: Unit[Job], job: Job) -> None:
    reduced = reading.findings.reduced
    choices = {
        "steps": job.steps,
        "build": job.build,
        "deploy": job.deploy,
        "promote": job.promote,
        "pipeline": job.pipeline,
    }
    if unit.wrong & choices.keys():
        return
    if not any(choices.values()) and job.steps is None and unit.node.place in reduced:
        return
    if check_one(reading, "a job", choices, unit.key.place) is None:
        return
    kind = kind_of(job)
    check_work(reading, unit, (), job)
    for key, kinds in _ONLY.items():
        if key in job.model_fields_set and kind not in kinds:
            message = f"'{key}' has no meaning for {kind}"
            reading.fault(message, unit.key_place(key), _INSTEAD[kind], code="pointless")
    check_steps(reading, unit, ("steps",), job.steps)
    check_env(reading, unit, ("env",), job.env)


def check_steps(
    reading: Reading,
    unit: Unit[Job] | Unit[Service],
    path: Path,
    steps: Sequence[Step] | None,
) -> None:
    """Steps of a job or recipe."""
    if steps is not None and not steps:
        hint = "steps: [{run: make}]"
        reading.fault("'steps' is empty", unit.key_place(*path), hint, code="wrong-value")
    for number, step in enumerate(steps or ()):
        check_env(reading, unit, (*path, number, "env"), step.env)


def check_env(
    reading: Reading,
    unit: Unit[Job] | Unit[Service],
    path: Path,
    env: Mapping[str, str | FromSecret],
) -> None:
    """Names of variables; those that Windlass sets itself are taken."""
    for name in env:
        place = unit.key_place(*path, name)
        check_variable(reading, name, place)
        if name in {"CI", "WINDLASS"} or name.startswith(("WINDLASS_", "CI_")):
            hint = "names that begin with CI_ or WINDLASS_ are set by Windlass"
            reading.fault(f"'{name}' is taken", place, hint, code="wrong-name")


def _asked(reading: Reading, unit: Unit[Job], job: Job, parameters: Mapping[str, object]) -> None:
    """Expressions ask only jobs that are needed, and parameters that are there."""
    if "needs" in unit.wrong:
        return
    for path, text in _texts(job):
        for root, name in _members(text):
            if root == "needs" and path[0] == "with":
                message = "a pipeline's values are known before its jobs start, and 'needs' is not"
                hint = "call it where it is wanted, and hand files on as artifacts"
                reading.fault(message, unit.place(*path), hint, code="expression-here")
            elif root == "needs" and name not in job.needs:
                message = f"this job does not need '{name}'"
                hint = f"needs: [{', '.join((*job.needs, name))}]"
                reading.fault(message, unit.place(*path), hint, code="unknown-name")
            elif root == "with":
                check_known(reading, "parameter", name, parameters, unit.place(*path))


def _texts(job: Job) -> Iterator[tuple[Path, str]]:
    """The expressions of a job, and where each stands."""
    if job.if_:
        yield ("if",), job.if_
    values: list[tuple[Path, str | FromSecret]] = [
        *((("with", name), value) for name, value in job.with_.items()),
        *((("env", name), value) for name, value in job.env.items()),
    ]
    for number, step in enumerate(job.steps or ()):
        values += ((("steps", number, "env", name), value) for name, value in step.env.items())
    for path, value in values:
        if isinstance(value, str) and has_expression(value):
            for text in expressions(value):
                yield path, text


def _members(text: str) -> Iterator[tuple[str, str]]:
    """`needs.NAME` and `with.NAME` of an expression, or with the name in brackets."""
    if "needs" not in text and "with" not in text:
        return
    words = list(tokens(text))
    for at in range(len(words) - 2):
        if at == 0 or words[at - 1].text != ".":
            yield from _member(*(word.text for word in words[at : at + 3]))


def _member(root: str, mark: str, name: str) -> Iterator[tuple[str, str]]:
    if root in {"needs", "with"} and mark == ".":
        yield root, name
    elif root in {"needs", "with"} and mark == "[" and name[:1] in {'"', "'"}:
        yield root, name[1:-1]
