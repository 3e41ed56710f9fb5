"""
The kinds of values that the language has: texts, truths, durations, patterns ...

Each is a type for the models in `shapes`, with its own check and its own entry in
the JSON Schema. A value that does not fit says what was found and what was
expected; an expression says at which character it is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from windlass.config.values import Plain, found
from windlass.core.cel.library import Scope
from windlass.core.errors import ConfigError, Place
from windlass.core.expression import compile_condition, has_expression, parse_template

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SECONDS = (86400, 3600, 60, 1)
_START = Place("", 1, 1)


@dataclass(frozen=True, slots=True)
class At:
    """
    Which part of a value is wrong: the one at `path` (or its key), and there the
    character `offset`, -1 for the whole.
    """

    path: tuple[str | int, ...] = ()
    offset: int = -1
    key: bool = False


def refuse(code: str, message: str, *, hint: str = "", at: At = At()) -> PydanticCustomError:
    """A fault in the words of this language, to be raised by a type."""
    context = {"code": code, "message": message, "hint": hint, "at": at}
    return PydanticCustomError("windlass", "{message}", context)


def expected(value: object, what: str, *, hint: str = "", at: At = At()) -> PydanticCustomError:
    """A value of the wrong kind."""
    return refuse("wrong-type", f"found {found(value)}, expected {what}", hint=hint, at=at)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise expected(value, "a text")
    return str(value)


def _still(value: object) -> str:
    """A text in which nothing is replaced."""
    text = _text(value)
    if has_expression(text):
        offset = text.index("${{")
        hint = "it may stand in env, with, group, url and a target's path"
        raise refuse(
            "expression-here", "'${{' is not allowed here", hint=hint, at=At(offset=offset)
        )
    return text


def _template(value: object) -> str:
    text = _text(value)
    if has_expression(text):
        _checked(lambda: parse_template(text, _START, at=_offset))
    return text


def _condition(scope: Scope) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = _text(value)
        if text.strip().startswith("${{"):
            hint = "an `if` is an expression already: write it without ${{ }}"
            raise refuse("expression", "'${{' is not needed here", hint=hint, at=At(offset=0))
        _checked(lambda: compile_condition(text, _START, scope=scope, at=_offset))
        return text

    return check


def _offset(offset: int) -> Place:
    """The place of a character, as long as only the value is known."""
    return Place("", 1, offset)


def _checked(work: Callable[[], object]) -> None:
    try:
        work()
    except ConfigError as error:
        fault = error.faults[0]
        at = At(offset=fault.place.column)
        raise refuse(fault.code, fault.message, hint=fault.hint, at=at) from None


def _script(value: object) -> str:
    lines = value if isinstance(value, list) else [value]
    for number, line in enumerate(lines):
        path = (number,) if isinstance(value, list) else ()
        if not isinstance(line, str):
            raise expected(line, "a text, or a list of lines", at=At(path))
        if has_expression(line):
            raise _spliced(line, At(path, line.index("${{")))
    text = "\n".join(map(str, lines))
    if not text.strip():
        raise refuse("wrong-value", "the script is empty", hint="write a command, or remove it")
    return text


def _spliced(line: str, at: At) -> PydanticCustomError:
    """What to do instead of writing a value into a script."""
    inside = re.search(r"\$\{\{\s*(.*?)\s*\}\}", line)
    written = inside[1] if inside else "..."
    name = re.sub(r"\W+", "_", written.rpartition(".")[2]).strip("_").upper() or "VALUE"
    hint = f'pass it as a variable: env: {{{name}: "${{{{ {written} }}}}"}}, and use "${name}"'
    message = "'${{' is not allowed in a script: a value could become a command"
    return refuse("expression-in-run", message, hint=hint, at=at)


def _truth(value: object) -> bool:
    if isinstance(value, Plain) and isinstance(value.value, bool):
        return value.value
    known = isinstance(value, str) and value.lower() in {"yes", "no", "on", "off"}
    hint = "YAML 1.2 knows only true and false; yes, no, on and off are texts" if known else ""
    raise expected(value, "true or false", hint=hint)


def _count(value: object) -> int:
    if isinstance(value, Plain) and type(value.value) is int and 0 <= value.value <= 1000:
        return value.value
    raise expected(value, "a whole number from 0 to 1000")


def _room(value: object) -> int:
    if isinstance(value, Plain) and type(value.value) is int and 1 <= value.value <= 1000:
        return value.value
    raise expected(value, "a whole number from 1 to 1000")


def _number(value: object) -> int:
    if isinstance(value, Plain) and type(value.value) is int and value.value >= 0:
        return value.value
    raise expected(value, "a whole number")


def _moment(value: object) -> float:
    if isinstance(value, Plain) and not isinstance(value.value, bool):
        return float(value.value)
    raise expected(value, "seconds since 1970")


def _given(value: object) -> str | bool | float:
    if isinstance(value, Plain):
        return value.value
    return _text(value)


def seconds(text: str) -> float | None:
    """The seconds of a duration such as `1h30m`; None when it is none."""
    matched = _DURATION.fullmatch(text)
    if not text or matched is None or len(text) > 20:
        return None
    return float(sum(int(n) * unit for n, unit in zip(matched.groups("0"), _SECONDS, strict=True)))


def _duration(value: object) -> float:
    amount = seconds(value) if isinstance(value, str) else None
    if amount is None:
        number = isinstance(value, Plain) and not isinstance(value.value, bool)
        hint = f"with its unit: {value}s, {value}m or {value}h" if number else ""
        raise expected(value, "a duration such as 30s, 10m or 1h30m", hint=hint)
    return amount


def _list(value: object) -> object:
    """One text stands for a list of one."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise expected(value, "a text or a list of texts")
    return value


def _inside(value: object) -> str:
    """A path below the root of the repository."""
    text = _still(value)
    if text.startswith("/") or ".." in text.split("/") or "\\" in text:
        raise refuse(
            "wrong-value",
            f"the path '{text}' leaves the repository",
            hint="write it from the root of the repository, without '..'",
        )
    return text


def _secret(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", text):
        hint = "letters, digits, '_', '.' and '-'"
        raise refuse("wrong-value", f"'{text}' cannot be the name of a secret", hint=hint)
    return text


def _one_of(*words: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in words:
            raise expected(value, " or ".join(words))
        return str(value)

    return check


_STRING = WithJsonSchema({"type": "string"})
_SCALAR = WithJsonSchema({"type": ["string", "number", "boolean"]})
_STRINGS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Text = Annotated[str, PlainValidator(_still), _STRING]
Verbatim = Annotated[str, PlainValidator(_text), _STRING]
Template = Annotated[str, PlainValidator(_template), _SCALAR]
Inside = Annotated[str, PlainValidator(_inside), _STRING]
Secret = Annotated[str, PlainValidator(_secret), _STRING]
ListenerIf = Annotated[str, PlainValidator(_condition(Scope.LISTENER)), _SCALAR]
JobIf = Annotated[str, PlainValidator(_condition(Scope.JOB)), _SCALAR]
Script = Annotated[str, PlainValidator(_script), WithJsonSchema(_STRINGS)]
Truth = Annotated[bool, PlainValidator(_truth), WithJsonSchema({"type": "boolean"})]
Count = Annotated[
    int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 1000})
]
Room = Annotated[
    int, PlainValidator(_room), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 1000})
]
Number = Annotated[int, PlainValidator(_number), WithJsonSchema({"type": "integer", "minimum": 0})]
Moment = Annotated[float, PlainValidator(_moment), WithJsonSchema({"type": "number"})]
Given = Annotated[str | bool | int | float, PlainValidator(_given), _SCALAR]
Duration = Annotated[
    float,
    PlainValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$", "examples": ["10m"]}
    ),
]
Texts = Annotated[list[Text], BeforeValidator(_list), WithJsonSchema(_STRINGS)]
Insides = Annotated[list[Inside], BeforeValidator(_list), WithJsonSchema(_STRINGS)]


def word(*words: str) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a type of a few words: `Annotated[str, *word("report", "heal")]`."""
    return PlainValidator(_one_of(*words)), WithJsonSchema({"enum": list(words)})


def texts(*words: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """What makes a list of texts an enumeration in the JSON Schema."""
    items = {"type": "array", "items": {"enum": list(words)}}
    return BeforeValidator(_list), WithJsonSchema(items)


def by_kind(text: str, mapping: str) -> Discriminator:
    """Tells a text from a mapping by these tags, so that a fault names only the right one."""
    return Discriminator(lambda value: mapping if isinstance(value, dict) else text)
