"""
Conditions (`if`) and texts with `${{ ... }}`, over named variables.

A condition or template is compiled once, with its faults at their place, and
then answers for any number of events. A value that is not there is an answer,
not an error: `no such key: label`. CEL itself stays behind `core/cel`.

>>> condition = compile_condition('event.branch.startsWith("FB")', Place("ci.yaml", 4, 9))
>>> evaluate(condition, {"event": {"branch": "FB1"}})
True
>>> render("pr-${{ event.number }}", {"event": {"number": 7}})
'pr-7'
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields

from windlass.core.cel import library
from windlass.core.cel.library import Bound, Compiled, Failure, Scope
from windlass.core.cel.reads import Read, reads, told
from windlass.core.cel.tokens import Flaw, tokens
from windlass.core.errors import ConfigError, Fault, Place, UserError
from windlass.core.event import Event

__all__ = [
    "Answer",
    "Bound",
    "Condition",
    "Failure",
    "Program",
    "Scope",
    "Template",
    "bind",
    "compile_condition",
    "evaluate",
    "expressions",
    "has_expression",
    "parse_template",
    "render",
    "unmet",
]

Variables = Mapping[str, object] | Bound
Locate = Callable[[int], Place]

# What `event.` may be followed by. The list of files is a variable of its own.
EVENT_KEYS = tuple(field.name for field in fields(Event) if field.name != "files")
_NOWHERE = Place(".windlass.yaml", 1, 1)
_OPEN, _CLOSE = "${{", "}}"
# Kinds of values, by the names that CEL or Python has for them.
_KINDS = {
    "NoneType": "null",
    "null_type": "null",
    "dict": "a map",
    "map": "a map",
    "list": "a list",
    "str": "a text",
    "string": "a text",
    "int": "a number",
    "uint": "a number",
    "double": "a number",
    "float": "a number",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """
    A compiled `if`.

    `words` are the names that it mentions: who evaluates it need not find out
    what it does not ask for (`files`, `payload`). `reads` are the paths that it reads.
    """

    text: str
    scope: Scope
    compiled: Compiled
    words: frozenset[str]
    reads: tuple[Read, ...]

    @property
    def asks_status(self) -> bool:
        """Whether it says itself what happens when a needed job failed."""
        return bool(self.words & {*library.STATUS} - {"success"})


@dataclass(frozen=True, slots=True)
class Template:
    """A text and the expressions in it, in order; without one it is the text itself."""

    text: str
    parts: tuple[str | Condition, ...]


def compile_condition(
    text: str, place: Place, *, scope: Scope = Scope.LISTENER, at: Locate | None = None
) -> Condition:
    """
    The condition of an `if`; raises `ConfigError` with one fault.

    `place` is where its first character stands; `at` says it for every character,
    where a text does not stand in one line.
    """
    locate = at or _along(text, place)
    found = _compile(text, scope)
    if isinstance(found, Flaw):
        raise _error(f"the condition is wrong: {found.text}", locate(found.offset), scope)
    if found.compiled.kind not in {"bool", "dyn"}:
        kind = _KINDS.get(found.compiled.kind, f"a {found.compiled.kind}")
        message = f"the condition gives {kind}, expected true or false"
        raise _error(message, locate(0), scope)
    return found


def parse_template(
    text: str, place: Place, *, scope: Scope = Scope.JOB, at: Locate | None = None
) -> Template:
    """The template that a text is; raises `ConfigError` with one fault."""
    locate = at or _along(text, place)
    parts: list[str | Condition] = []
    for inside, start, end in _split(text):
        if not inside:
            parts.append(text[start:end])
            continue
        if end < 0:
            raise _error("'${{' is not closed by '}}'", locate(start - len(_OPEN)), scope)
        found = _compile(text[start:end], scope)
        if isinstance(found, Flaw):
            place_of = locate(start + found.offset)
            raise _error(f"the expression is wrong: {found.text}", place_of, scope)
        parts.append(found)
    return Template(text, tuple(parts))


def has_expression(text: str) -> bool:
    """Whether a text holds `${{`."""
    return _OPEN in text


def expressions(text: str) -> Iterator[str]:
    """The expressions inside a template's `${{ }}`, as written."""
    for inside, start, end in _split(text):
        if inside and end >= 0:
            yield text[start:end]


def bind(scope: Scope, variables: Mapping[str, object]) -> Bound:
    """Variables, made ready once for many conditions; an `Event` may be handed in as it is."""
    known = {name: _plain(name, value) for name, value in variables.items()}
    if scope is Scope.JOB:
        failed = bool(variables.get("failed"))
        known[library.hidden("failed")] = failed
        known[library.hidden("success")] = not failed
    return library.bind(scope, known)


def evaluate(condition: Condition, variables: Variables) -> bool | Failure:
    """Whether it holds, or why nobody can tell."""
    value = library.evaluate(condition.compiled, _bound(condition.scope, variables))
    if isinstance(value, (bool, Failure)):
        return value
    return Failure(f"it gives {_kind(value)}, expected true or false")


def unmet(condition: Condition, variables: Variables) -> str:
    """Why it does not hold, with what it read and what was there; empty when it holds."""
    bound = _bound(condition.scope, variables)
    said = evaluate(condition, bound)
    if isinstance(said, Failure):
        return said.text
    there = "" if said else told(condition.reads, bound.values)
    return "" if said else f"false, with {there}" if there else "false"


def render(template: Template | str, variables: Variables) -> str:
    """The text with its expressions replaced by their values; `UserError` when one has none."""
    if isinstance(template, str):
        if not has_expression(template):
            return template
        template = parse_template(template, _NOWHERE)
    bound: Bound | None = None
    texts: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        bound = bound or _bound(part.scope, variables)
        value = _text(library.evaluate(part.compiled, bound))
        if isinstance(value, Failure):
            written = f"${{{{ {part.text.strip()} }}}}"
            hint = "has(...) asks whether a value is there: ${{ has(event.tag) ? event.tag : '' }}"
            raise UserError(f"{written} has no value: {value.text}", hint=hint, code="no-value")
        texts.append(value)
    return "".join(texts)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition says; `failure` says why it cannot say anything, and is empty else."""

    value: bool
    failure: str = ""


class Program:
    """The condition of a job or step, compiled when it is made; its fault is an answer as well."""

    __slots__ = ("_condition", "_fault")

    def __init__(self, text: str, scope: Scope = Scope.JOB) -> None:
        self._fault = ""
        self._condition: Condition | None = None
        try:
            self._condition = compile_condition(text, _NOWHERE, scope=scope)
        except ConfigError as error:
            self._fault = error.faults[0].message

    @property
    def asks_status(self) -> bool:
        """Whether it says itself what happens when a needed job failed."""
        return self._condition is not None and self._condition.asks_status

    def decide(self, variables: Variables) -> Answer:
        """Whether it holds."""
        if self._condition is None:
            return Answer(value=False, failure=self._fault)
        said = evaluate(self._condition, variables)
        return Answer(value=False, failure=said.text) if isinstance(said, Failure) else Answer(said)


def _compile(text: str, scope: Scope) -> Condition | Flaw:
    words = tuple(tokens(text))
    names = frozenset(word.text for word in words if word.kind == "word")
    for before, dot, word in zip(words, words[1:], words[2:], strict=False):
        if before.text == "event" and dot.text == "." and word.text not in EVENT_KEYS:
            near = difflib.get_close_matches(word.text, EVENT_KEYS, 1)
            more = f", did you mean event.{near[0]}?" if near else ""
            return Flaw(f"an event has no '{word.text}'{more}", word.offset)
    compiled = library.compile_text(text, scope)
    if isinstance(compiled, Flaw):
        return compiled
    return Condition(text, scope, compiled, names, reads(words, library.VARIABLES[scope]))


def _split(text: str) -> Iterator[tuple[bool, int, int]]:
    """Parts of a template: inside an expression or not, from, to (-1: it never ends)."""
    at = 0
    while (start := text.find(_OPEN, at)) >= 0:
        if start > at:
            yield False, at, start
        inside = start + len(_OPEN)
        end = _closing(text, inside)
        yield True, inside, end
        if end < 0:
            return
        at = end + len(_CLOSE)
    if at < len(text):
        yield False, at, len(text)


def _closing(text: str, start: int) -> int:
    """Where the expression that begins here ends: `}}` outside quotes and of no map."""
    depth, last = 0, -2
    for word in tokens(text[start:]):
        if word.kind != "sign" or word.text not in {"{", "}"}:
            continue
        if word.text == "{":
            depth += 1
        elif depth:
            depth -= 1
        elif last == word.offset - 1:
            return start + last
        else:
            last = word.offset
    return -1


def _along(text: str, place: Place) -> Locate:
    def locate(offset: int) -> Place:
        before = text[:offset]
        if "\n" not in before:
            return Place(place.file, place.line, place.column + offset)
        return Place(place.file, place.line + before.count("\n"), offset - before.rfind("\n"))

    return locate


def _error(message: str, place: Place, scope: Scope) -> ConfigError:
    hint = "it can see " + ", ".join(library.VARIABLES[scope])
    return ConfigError((Fault(message, place, hint, "expression"),))


def _bound(scope: Scope, variables: Variables) -> Bound:
    return variables if isinstance(variables, Bound) else bind(scope, variables)


def _plain(name: str, value: object) -> object:
    """Events as maps without what they lack, and one word where a map is meant as its name."""
    if isinstance(value, Event):
        known = ((key, getattr(value, key)) for key in EVENT_KEYS)
        return {key: _cel(each) for key, each in known if each is not None}
    if name in {"environment", "service"} and isinstance(value, str):
        return {"name": value} if value else {}
    return value


def _cel(value: object) -> object:
    """What CEL takes: lists and plain texts."""
    match value:
        case tuple():
            return list(value)
        case str():
            return str(value)
        case _:
            return value


def _text(value: object | Failure) -> str | Failure:
    match value:
        case Failure() | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case _:
            return Failure(f"it is {_kind(value)}, expected a text or a number")


def _kind(value: object) -> str:
    name = type(value).__name__
    return _KINDS.get(name, f"a {name}")
