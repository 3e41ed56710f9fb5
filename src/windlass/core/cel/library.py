"""
The one module that knows the expression library.

A text is compiled and checked once, runs in linear time and can call nothing
but what is named here. The library's errors never leave: what is wrong with a
text is a `Flaw`, what has no value for an event is a `Failure`.

>>> program = compile_text('event.branch == "main"', Scope.LISTENER)
>>> evaluate(program, bind(Scope.LISTENER, {"event": {"branch": "main"}}))
True
>>> evaluate(program, bind(Scope.LISTENER, {"event": {}}))
Failure(text='no such key: branch')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, cast

from cel_expr_python import cel

from windlass.core.cel.tokens import Flaw, Token, called, costly, tokens
from windlass.core.globs import names, paths

LIMIT_INTEGER = 1 << 63

# What the library says of a text, and of a value that is not there.
_WHERE = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_MISSING = re.compile(r'Key not found in map : "(.*)"', re.DOTALL)
_CODE = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_FOREIGN = re.compile("out of range for|construction from null|[Uu]nsupported|Non-CEL|surrogate")


class Scope(StrEnum):
    """Where an expression stands, which decides what it can see."""

    LISTENER = "listener"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an expression has no value for this event: a value, not an error."""

    text: str


class _Type(Protocol):
    def name(self) -> str: ...


class _Value(Protocol):
    def plain_value(self) -> object: ...

    def value(self) -> object: ...

    def type(self) -> _Type: ...


class _Expression(Protocol):
    def eval(self, activation: object) -> _Value: ...

    def return_type(self) -> _Type: ...


class _Environment(Protocol):
    def compile(self, expression: str) -> _Expression: ...

    def Activation(self, data: dict[str, object]) -> object: ...  # noqa: N802


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled expression; `kind` is the type of its value as far as it is known (or dyn)."""

    expression: _Expression
    kind: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Variables, ready for any number of expressions of one scope."""

    scope: Scope
    values: Mapping[str, object]
    activation: object


_TEXT, _TRUTH = cel.Type.STRING, cel.Type.BOOL
_TEXTS = cel.Type.List(_TEXT)
_MAP = cel.Type.Map(_TEXT, cel.Type.DYN)

# What an expression of each scope can see; what is not handed in is empty.
VARIABLES: Mapping[Scope, Mapping[str, Callable[[], object]]] = {
    Scope.LISTENER: {
        "event": dict,
        "payload": object,
        "headers": dict,
        "repository": str,
        "files": list,
    },
    Scope.JOB: {
        "event": dict,
        "repository": str,
        "with": dict,
        "needs": dict,
        "environment": dict,
        "service": dict,
        "run": dict,
    },
}
_TYPES: Mapping[Callable[[], object], object] = {
    dict: _MAP,
    list: _TEXTS,
    str: _TEXT,
    object: cel.Type.DYN,
}
# Functions of a job about the jobs before it; each is a hidden variable when it runs.
STATUS = ("always", "success", "failed")


def hidden(name: str) -> str:
    """The variable behind a function of STATUS."""
    return f"{name}__"


def _glob_text(text: str, patterns: list[str]) -> bool:
    return names(patterns).matches(text)


def _glob_files(files: list[str], patterns: list[str]) -> bool:
    globs = paths(patterns)
    return any(globs.matches(file) for file in files)


def _function(name: str, *overloads: tuple[list[object], Callable[..., bool]]) -> object:
    made = [
        cel.Overload(f"{name}_{n}", return_type=_TRUTH, parameters=parameters, impl=body)
        for n, (parameters, body) in enumerate(overloads)
    ]
    return cel.FunctionDecl(name, made)


def _environment(scope: Scope) -> _Environment:
    functions = [_function("glob", ([_TEXT, _TEXTS], _glob_text), ([_TEXTS, _TEXTS], _glob_files))]
    variables = {name: _TYPES[kind] for name, kind in VARIABLES[scope].items()}
    if scope is Scope.JOB:
        variables |= {hidden(name): _TRUTH for name in STATUS}
        functions += [_function(name, ([], lambda: True)) for name in STATUS]
    return cast("_Environment", cel.NewEnv(variables=variables, functions=functions))


_ENVIRONMENTS: Mapping[Scope, _Environment] = {scope: _environment(scope) for scope in Scope}


def compile_text(text: str, scope: Scope) -> Compiled | Flaw:
    """The program of a text, or the first thing that is wrong with it."""
    if not text.strip():
        return Flaw("it is empty", 0)
    words = tuple(tokens(text))
    flaw = costly(text, words)
    if flaw is not None:
        return flaw
    environment = _ENVIRONMENTS[scope]
    try:
        expression = environment.compile(text)
        status = _status(text, words)
        if scope is Scope.JOB and status != text:
            expression = environment.compile(status)
    except (RuntimeError, ValueError, TypeError) as error:
        return _flaw(text, str(error))
    return Compiled(expression, expression.return_type().name().lower())


def _status(text: str, words: tuple[Token, ...]) -> str:
    """`failed()` written as the hidden variable that says so."""
    parts: list[str] = []
    done = 0
    for at, word in enumerate(words[:-2]):
        if called(words, at) in STATUS and words[at + 2].text == ")":
            parts += [text[done : word.offset], hidden(word.text)]
            done = words[at + 2].offset + 1
    return "".join([*parts, text[done:]])


def _flaw(text: str, said: str) -> Flaw:
    found = _WHERE.search(said)
    if found is None:
        return Flaw(_CODE.sub("", said.splitlines()[0]).strip(), 0)
    message = re.sub(r" \(in container ''\)| \[[A-Z_]+\]$", "", found[3])
    message = message.removeprefix("Syntax error: ").split(" expecting ")[0]
    message = message.replace("undeclared reference to", "there is no")
    message = message.replace("mismatched input '<EOF>'", "it ends too early")
    message = message.replace("mismatched input", "unexpected").replace(
        "extraneous input", "unexpected"
    )
    line, column = int(found[1]), int(found[2])
    starts = [0, *(end.end() for end in re.finditer("\n", text))]
    if line < 1 or line > len(starts):
        return Flaw(message, 0)
    return Flaw(message, min(starts[line - 1] + max(column - 1, 0), len(text)))


def bind(scope: Scope, values: Mapping[str, object]) -> Bound:
    """These variables for expressions of this scope; what they lack is empty."""
    full: dict[str, object] = {
        name: values[name] if name in values else {} if kind is object else kind()
        for name, kind in VARIABLES[scope].items()
    }
    if scope is Scope.JOB:
        full |= {hidden(name): values.get(hidden(name), True) for name in STATUS}
    return Bound(scope, full, _ENVIRONMENTS[scope].Activation(full))


def evaluate(compiled: Compiled, bound: Bound) -> object | Failure:
    """The value of an expression: text, number, truth, list or map; or why it has none."""
    value = _attempt(compiled, bound.activation)
    if isinstance(value, Failure) and _FOREIGN.search(value.text):
        tame = {name: _tame(each) for name, each in bound.values.items()}
        return _attempt(compiled, bind(bound.scope, tame).activation)
    return value


def _attempt(compiled: Compiled, activation: object) -> object | Failure:
    try:
        value = compiled.expression.eval(activation)
        plain = value.plain_value()
        # An error looks like a text; asking every value for its type would double the cost.
        if isinstance(plain, str) and value.type() == cel.Type.ERROR:
            return Failure(_reason(plain))
        return plain
    except MemoryError:
        return Failure("it needs too much memory")
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        return Failure(_reason(str(error)))


def _reason(said: str) -> str:
    missing = _MISSING.search(said)
    if missing is not None:
        return f"no such key: {missing[1]}"
    if "budget" in said:
        return "it takes more than 10000 steps"
    plain = _CODE.sub("", said.strip()).strip()
    return plain.replace("No matching overloads found : ", "cannot be applied: ")


def _tame(value: object) -> object:
    """What CEL cannot hold, as the nearest that it can: huge whole numbers, broken characters."""
    match value:
        case bool() | float() | None:
            return value
        case int():
            return value if -LIMIT_INTEGER <= value < LIMIT_INTEGER else _float(value)
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case Mapping():
            return {str(_tame(str(key))): _tame(each) for key, each in value.items()}
        case list() | tuple():
            return [_tame(each) for each in value]
        case _:
            return str(value)


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
