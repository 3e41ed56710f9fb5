"""
Values of parameters: what fits, and what a text that a person gives means.

The `with` of pipelines and the `inputs` of `on: manual` are typed here and nowhere
else. A value is always given as text: pages and command lines know nothing else.

>>> count = Parameter(name="count", type="number")
>>> unmet(count, "many"), unmet(count, "3")
('a number', '')
>>> given((count,), {"count": "3"})
({'count': 3}, ())
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal

from windlass.core.errors import WrongInput
from windlass.core.event import Value
from windlass.core.pipeline import Parameter

# Of one text; it ends up in a variable of a program.
LONGEST = 8192
# What every program can hold exactly.
DIGITS = 15

_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_SHOWN = 60


def unmet(parameter: Parameter, text: str, environments: Collection[str] | None = None) -> str:
    """What the parameter wants instead of this; empty when it fits. None: nobody knows them."""
    if parameter.enum and text not in parameter.enum:
        return wanted(parameter, environments)
    match parameter.type:
        case "number":
            found = _NUMBER.fullmatch(text)
            if found and len(found[1]) + len(found[2] or "") > DIGITS:
                return f"a number of at most {DIGITS} digits"
            fits = found is not None
        case "boolean":
            fits = text in {"true", "false"}
        case "environment":
            fits = environments is None or text in environments
        case _:
            return _plain(text)
    return "" if fits else wanted(parameter, environments)


def wanted(parameter: Parameter, environments: Collection[str] | None = None) -> str:
    """What the parameter may be, in words."""
    if parameter.enum:
        return f"one of {', '.join(parameter.enum)}"
    match parameter.type:
        case "number":
            return "a number"
        case "boolean":
            return "true or false"
        case "environment" if environments:
            return f"one of {', '.join(environments)}"
        case "environment":
            return "an environment" + ("" if environments is None else ", and there is none")
        case _:
            return "a text"


def blank(parameter: Parameter) -> str:
    """The text of an optional parameter that nobody gave."""
    return "false" if parameter.type == "boolean" else ""


def typed(parameter: Parameter, text: str) -> Value:
    """What a text that fits means."""
    match parameter.type:
        case "boolean":
            return text == "true"
        case "number":
            return float(text) if "." in text else int(text)
        case _:
            return text


def text_of(value: Value) -> str:
    """
    A value as a person would give it.

    >>> text_of(True), text_of(3), text_of(0.0000001), text_of("x")
    ('true', '3', '0.0000001', 'x')
    """
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{Decimal(repr(value)):f}"
        case _:
            return str(value)


def given(
    parameters: Collection[Parameter],
    texts: Mapping[str, str],
    environments: Collection[str] | None = None,
) -> tuple[dict[str, Value], tuple[WrongInput, ...]]:
    """
    The values that these texts are, with defaults; and everything that is wrong with them.

    An empty text is no number, truth or environment, but none given: forms cannot say it
    otherwise. What is optional, not given and no text or truth is left out.
    """
    values: dict[str, Value] = {}
    known = [parameter.name for parameter in parameters]
    wrong = [
        WrongInput(_short(name), _known(known), _found(text), _no_such(_short(name), known))
        for name, text in texts.items()
        if name not in known
    ]
    for parameter in parameters:
        text = texts.get(parameter.name)
        if not text and (text is None or parameter.type != "string"):
            text = parameter.default
        if not text and parameter.default is None:
            if not parameter.optional:
                wrong.append(WrongInput(parameter.name, wanted(parameter, environments), "nothing"))
            elif parameter.type == "string" or not unmet(parameter, blank(parameter), ()):
                values[parameter.name] = typed(parameter, blank(parameter))
        elif text is not None and (said := unmet(parameter, text, environments)):
            wrong.append(WrongInput(parameter.name, said, _found(text)))
        elif text is not None:
            values[parameter.name] = typed(parameter, text)
    return values, tuple(wrong)


def _plain(text: str) -> str:
    """What is wrong with a text that any program is to hold."""
    if len(text) > LONGEST:
        return f"a text of at most {LONGEST} characters"
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        return "a text without characters that no variable can hold"
    return ""


def _known(names: list[str]) -> str:
    return f"one of the inputs {', '.join(names)}" if names else "no inputs"


def _no_such(name: str, names: list[str]) -> str:
    there = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
    return f"there is no input {name}; {there if names else 'it takes none'}"


def _found(text: str) -> str:
    return repr(_short(text))


def _short(text: str) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return shown.encode("utf-8", "replace").decode()
