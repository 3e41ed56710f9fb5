"""
Inputs of `on: manual`: their names and values, and who asks for one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator

from windlass.config.do import Path, check_parameter
from windlass.config.naming import check_known, check_names, check_variable
from windlass.config.parameters import MOST_INPUTS
from windlass.config.reading import Reading, Unit
from windlass.config.shapes import Listener
from windlass.core.cel.tokens import tokens
from windlass.core.expression import expressions, has_expression


def check_inputs(reading: Reading, unit: Unit[Listener], shape: Listener) -> None:
    """What a listener's inputs say, and the expressions of the listener that ask for them."""
    inputs = reading.inputs[unit.key.value]
    check_names(reading, "an input", (one.key for one in inputs.values()))
    for number, (name, one) in enumerate(inputs.items()):
        if number == MOST_INPUTS:
            message = f"a listener has at most {MOST_INPUTS} inputs"
            reading.fault(message, one.key.place, "take some away", code="wrong-value")
        check_variable(reading, name, one.key.place)
        if one.shape is None:
            continue
        check_parameter(reading, name, one.shape, one.place)
        texts: list[tuple[Path, str]] = [(("default",), one.shape.default or "")]
        texts += [(("enum", n), text) for n, text in enumerate(one.shape.enum)]
        for path, text in texts:
            if has_expression(text):
                hint = "nothing has happened when it is shown: write the value"
                message = "'${{' is not allowed here"
                reading.fault(message, one.place(*path), hint, code="expression-here")
    if "on" in unit.wrong:
        return
    for path, text in _texts(shape):
        for name in _asked(text):
            check_known(reading, "input", name, inputs, unit.place(*path))


def _texts(shape: Listener) -> Iterator[tuple[Path, str]]:
    """The expressions of a listener, and where each stands."""
    if shape.if_:
        yield ("if",), shape.if_
    values: list[tuple[Path, str]] = [
        (("do", number, "with", name), value)
        for number, action in enumerate(shape.do)
        for name, value in action.with_.items()
    ]
    if shape.concurrency is not None:
        values.append((("concurrency", "group"), shape.concurrency.group))
    for path, value in values:
        if has_expression(value):
            for text in expressions(value):
                yield path, text


def _asked(text: str) -> Iterator[str]:
    """The names in `event.inputs.NAME`."""
    if "inputs" not in text:
        return
    words = [word.text for word in tokens(text)]
    for at in range(len(words) - 4):
        event, dot, inputs, mark, name = words[at : at + 5]
        if (event, dot, inputs, mark) == ("event", ".", "inputs", "."):
            yield name
