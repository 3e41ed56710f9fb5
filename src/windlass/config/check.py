"""
What no single value can tell: names that lead nowhere, cycles, keys that contradict each other.
"""

from __future__ import annotations

from windlass.config.check_inputs import check_inputs
from windlass.config.check_jobs import check_env, check_pipeline, check_steps
from windlass.config.do import check_one, check_work
from windlass.config.naming import check_known, check_names
from windlass.config.reading import Reading, Unit
from windlass.config.shapes import Approval, Environment, Listener, Service
from windlass.core import graph
from windlass.core.filters import APPLIES

_INSTEAD = {
    "branches": "a pull request has `base` (where it goes to) and `head` (where it comes from)",
    "base": "a push has `branches`",
    "head": "a push has `branches`",
    "tags": "`on: tag` has tags",
    "unless": "`on: push` may be kept back by a pull request",
    "own": "only a push brings commits that Windlass made: `on: push`",
    "labels": "a pull request has labels",
    "draft": "a pull request may be a draft",
    "paths": "a push and a pull request change files",
}


def check(reading: Reading) -> None:
    """Everything that is wrong between things that are each well written."""
    check_names(reading, "a listener", (unit.key for unit in reading.listeners.values()))
    check_names(reading, "a pipeline", (unit.key for unit in reading.pipelines.values()))
    check_names(reading, "a service", (unit.key for unit in reading.services.values()))
    check_names(reading, "an environment", (unit.key for unit in reading.environments.values()))
    for listener in reading.listeners.values():
        if listener.shape is not None:
            _listener(reading, listener, listener.shape)
    for name, pipeline in reading.pipelines.items():
        check_pipeline(reading, name, pipeline)
    for service in reading.services.values():
        if service.shape is not None:
            _service(reading, service, service.shape)
    for environment in reading.environments.values():
        if environment.shape is not None:
            _environment(reading, environment, environment.shape)
    _calls(reading)
    _promotions(reading)


def _listener(reading: Reading, unit: Unit[Listener], shape: Listener) -> None:
    kinds = {trigger.kind for trigger in shape.on}
    for key, can in APPLIES.items():
        written = getattr(shape, key)
        if "on" not in unit.wrong and written not in (None, []) and not kinds & can:
            asked = ", ".join(sorted(kinds))
            message = f"'{key}' has no meaning for {asked}"
            reading.fault(message, unit.key_place(key), _INSTEAD[key], code="pointless")
    check_inputs(reading, unit, shape)
    if not shape.do and "do" not in unit.wrong:
        hint = "do: [{pipeline: ci}]"
        reading.fault("'do' is empty", unit.key_place("do"), hint, code="wrong-value")
    for number, action in enumerate(shape.do):
        kinds_of_work = {
            "build": action.build,
            "deploy": action.deploy,
            "promote": action.promote,
            "pipeline": action.pipeline,
        }
        path = ("do", number)
        if check_one(reading, "an action", kinds_of_work, unit.place(*path)):
            check_work(reading, unit, path, action)


def _service(reading: Reading, unit: Unit[Service], shape: Service) -> None:
    if shape.build is not None:
        check_steps(reading, unit, ("build", "steps"), shape.build.steps)
        check_env(reading, unit, ("build", "env"), shape.build.env)
        if not shape.build.artifacts:
            place = unit.key_place("build", "artifacts")
            hint = "name the files that are deployed: artifacts: [dist/]"
            reading.fault("a build needs artifacts", place, hint, code="wrong-value")
    if shape.health is not None:
        probes = {"url": shape.health.url, "command": shape.health.command}
        check_one(reading, "a health check", probes, unit.key_place("health"))


def _environment(reading: Reading, unit: Unit[Environment], shape: Environment) -> None:
    for key, known in (("promote_from", reading.environments), ("verified_by", reading.pipelines)):
        for number, name in enumerate(getattr(shape, key)):
            what = "environment" if key == "promote_from" else "pipeline"
            check_known(reading, what, name, known, unit.place(key, number))
    path = shape.target.directory.path
    if not path.startswith(("/", "${{")) or ".." in path.split("/") or path == "/":
        place = unit.place("target", "directory", "path")
        hint = "write it from the root of the server's disk, without '..': /srv/app"
        reading.fault(f"'{path}' is no folder of a target", place, hint, code="wrong-value")
    if shape.soak and not shape.promote_from and "promote_from" not in unit.wrong:
        place = unit.key_place("soak")
        hint = "name the environment in which it is counted: promote_from: [staging]"
        reading.fault("'soak' needs 'promote_from'", place, hint, code="pointless")
    if shape.approval is not None:
        _approval(reading, unit, shape.approval)


def _approval(reading: Reading, unit: Unit[Environment], shape: Approval) -> None:
    if shape.min < 1:
        place = unit.place("approval", "min")
        reading.fault("an approval needs somebody", place, "min: 1, or more", code="wrong-value")
    if shape.approvers and shape.min > len(set(shape.approvers)):
        place = unit.key_place("approval", "approvers")
        hint = f"name at least {shape.min}, or lower `min`"
        reading.fault("fewer approvers than must approve", place, hint, code="wrong-value")
    for number, name in enumerate(shape.approvers):
        if name.startswith("group:"):
            place = unit.place("approval", "approvers", number)
            message = "groups of people are not available in this version"
            reading.fault(message, place, "name the people", code="not-available")


def _calls(reading: Reading) -> None:
    """Pipelines that call each other in a circle."""
    needs = {
        name: [
            unit.shape.pipeline
            for unit in (*jobs.ordinary.values(), *jobs.final.values())
            if unit.shape is not None and unit.shape.pipeline
        ]
        for name, jobs in reading.jobs.items()
    }
    for found in graph.check(needs):
        if isinstance(found, graph.Cycle):
            place = reading.pipelines[found.jobs[0]].key.place
            message = f"pipelines call each other in a circle: {found}"
            reading.fault(message, place, "take one of these calls out", code="cycle")


def _promotions(reading: Reading) -> None:
    needs = {
        name: unit.shape.promote_from
        for name, unit in reading.environments.items()
        if unit.shape is not None
    }
    for found in graph.check(needs):
        if isinstance(found, graph.Cycle):
            place = reading.environments[found.jobs[0]].key_place("promote_from")
            message = f"environments promote from each other in a circle: {found}"
            reading.fault(message, place, "take one of these names out", code="cycle")
