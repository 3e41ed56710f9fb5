"""
The values that a command gives to a pipeline or a listener, typed as everywhere.

What does not fit is answered once: what is wrong, and how the command is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from windlass.core.errors import UserError
from windlass.core.event import Value
from windlass.core.expression import has_expression
from windlass.core.listener import Listener
from windlass.core.parameters import given, wanted
from windlass.core.pipeline import Parameter, Pipeline


def arguments(
    pipeline: Pipeline, texts: Mapping[str, str], environments: Collection[str]
) -> Mapping[str, str]:
    """The texts as arguments of a pipeline; `UserError` when they do not fit."""
    values = _checked(pipeline.name, pipeline.parameters, texts, environments)
    # An empty text is no number and no truth, but none given.
    return {name: text for name, text in texts.items() if text or values.get(name) == ""}


def inputs(
    listener: Listener, texts: Mapping[str, str], environments: Collection[str]
) -> Mapping[str, Value]:
    """The texts as inputs of a listener, with its defaults; `UserError` when they do not fit."""
    return _checked(listener.name, listener.inputs, texts, environments)


def _checked(
    name: str,
    parameters: tuple[Parameter, ...],
    texts: Mapping[str, str],
    environments: Collection[str],
) -> Mapping[str, Value]:
    values, wrong = given(parameters, texts, environments)
    # A default of a pipeline may be an expression, and is judged where that has its value.
    said = [str(one) for one in wrong if one.text or one.name in texts or one.actual == "nothing"]
    # What somebody writes in a comment is a value as it stands, and asks nothing.
    said += [f"{key} cannot hold ${{{{" for key, text in texts.items() if has_expression(text)]
    if said:
        written = " ".join(_written(one, environments) for one in parameters)
        takes = f"it is written /test {name} {written}" if written else f"{name} takes no values"
        raise UserError(f"{'; '.join(said)}; {takes}", code="wrong-input")
    return values


def _written(one: Parameter, environments: Collection[str]) -> str:
    text = f"{one.name}=<{wanted(one, environments)}>"
    return f"[{text}]" if one.optional or one.default is not None else text
