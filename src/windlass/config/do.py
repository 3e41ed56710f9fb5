"""
What actions and jobs have in common: they build, deploy, promote, or run a pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from windlass.config.naming import check_known
from windlass.config.parameters import Parameter, rule
from windlass.config.reading import Reading, Unit
from windlass.config.shapes import Action, Job, Listener
from windlass.core.errors import Place
from windlass.core.expression import has_expression
from windlass.core.parameters import unmet

Part = str | int
Path = tuple[Part, ...]

# Which of these keys each kind of work has; True when it must.
_KEYS: Mapping[str, Mapping[str, bool]] = {
    "steps": {},
    "build": {"environment": False},
    "deploy": {"environment": True},
    "promote": {"environment": True, "from": True},
    "pipeline": {"with": False},
}


def check_one(
    reading: Reading, what: str, choices: Mapping[str, object], place: Place
) -> str | None:
    """The one of these keys that is there; a fault when there are none or several."""
    given = [name for name, value in choices.items() if value or value == []]
    if len(given) == 1:
        return given[0]
    wanted = f"{what} has exactly one of {', '.join(choices)}"
    found = f"found {' and '.join(given)}" if given else "found none"
    hint = "write one for each" if given else "say what it does"
    reading.fault(f"{wanted}; {found}", place, hint, code="one-of")
    return None


def check_work(
    reading: Reading, unit: Unit[Listener] | Unit[Job], path: Path, work: Action | Job
) -> None:
    """Names and keys of an action, or of a job that is one."""
    given = {"environment": work.environment, "from": work.from_, "with": work.with_}
    kind = kind_of(work)
    for key, value in given.items():
        if key not in _KEYS[kind] and value:
            place = unit.key_place(*path, key)
            reading.fault(
                f"'{key}' has no meaning for {kind}", place, f"remove '{key}'", code="pointless"
            )
        elif _KEYS[kind].get(key) and not value:
            hint = "the place to deploy to" if key == "environment" else "the place to take it from"
            place = unit.place(*path) if path else unit.key.place
            reading.fault(f"{kind} needs '{key}'", place, f"{key}: {hint}", code="missing-key")
    for key in ("environment", "from"):
        if name := given[key]:
            known = reading.environments
            check_known(reading, "environment", str(name), known, unit.place(*path, key))
    if kind == "pipeline":
        _call(reading, unit, path, work)
    elif kind != "steps":
        _service(reading, unit, (*path, kind), getattr(work, kind))


def kind_of(work: Action | Job) -> str:
    """Which kind of work it is."""
    return next((kind for kind in _KEYS if kind != "steps" and getattr(work, kind)), "steps")


def _service(reading: Reading, unit: Unit[Listener] | Unit[Job], path: Path, name: str) -> None:
    place = unit.place(*path)
    if not check_known(reading, "service", name, reading.services, place):
        return
    service = reading.services[name].shape
    if path[-1] == "build" and service is not None and service.build is None:
        hint = f"services: {{{name}: {{build: {{steps: ..., artifacts: ...}}}}}}"
        reading.fault(f"the service '{name}' has no build", place, hint, code="unknown-name")


def _call(
    reading: Reading, unit: Unit[Listener] | Unit[Job], path: Path, work: Action | Job
) -> None:
    place = unit.place(*path, "pipeline")
    if not check_known(reading, "pipeline", work.pipeline, reading.pipelines, place):
        return
    pipeline = reading.pipelines[work.pipeline].shape
    if pipeline is None:
        return
    for name, value in work.with_.items():
        where = unit.key_place(*path, "with", name)
        what = f"parameter of pipeline '{work.pipeline}'"
        if check_known(reading, what, name, pipeline.with_, where):
            check_value(reading, name, value, pipeline.with_[name], unit.place(*path, "with", name))
    for name, parameter in pipeline.with_.items():
        missing = parameter.default is None and parameter.required is not False
        if missing and name not in work.with_:
            message = f"pipeline '{work.pipeline}' needs a value for '{name}'"
            reading.fault(message, place, f"with: {{{name}: ...}}", code="missing-key")


def check_value(
    reading: Reading, name: str, value: str, parameter: Parameter, place: Place
) -> None:
    """Whether a value fits its parameter, as far as it is known before a run."""
    if has_expression(value):
        return
    if wanted := unmet(rule(name, parameter), value, reading.environments):
        message = f"'{name}' is '{value}', expected {wanted}"
        reading.fault(message, place, code="wrong-value")


def check_parameter(
    reading: Reading, name: str, parameter: Parameter, place: Callable[..., Place]
) -> None:
    """What a parameter says of itself; `place` tells where its keys stand."""
    free = parameter.model_copy(update={"enum": []})
    for number, value in enumerate(parameter.enum):
        check_value(reading, name, value, free, place("enum", number))
    if parameter.default is not None:
        check_value(reading, name, parameter.default, parameter, place("default"))
