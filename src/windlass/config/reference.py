"""
The reference of the language as Markdown, made of the shapes that load it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from windlass.config.codes import CODES
from windlass.config.editors import json_schema, shapes
from windlass.config.fixtures import FixtureShape
from windlass.config.on import KINDS
from windlass.config.shape import Shape
from windlass.core.event import ACTIONS, DEFAULT_ACTIONS

_DURATIONS = {1.0: "1s", 60.0: "1m", 180.0: "3m", 3600.0: "1h", 604800.0: "7d"}
_PLAIN = {"boolean": "`true` or `false`", "integer": "a whole number", "number": "a number"}


def reference() -> str:
    """Every key, every event, every word of other systems that loads, and every fault code."""
    definitions = json_schema()["$defs"]
    assert isinstance(definitions, dict)  # noqa: S101 - what pydantic makes
    parts = [*_keys(shapes(), definitions, json_schema()), *_events(), *_synonyms(), *_absent()]
    parts += [*_tests(), *_codes()]
    return "\n".join(parts) + "\n"


def _tests() -> Iterator[str]:
    """The keys of a test of listeners."""
    yield from ("### Tests of listeners", "")
    yield "A file in `.windlass/tests/` holds one test or a list of them, no configuration."
    yield from ("`windlass listeners test` and `windlass lint` run them.", "")
    schema = FixtureShape.model_json_schema(by_alias=True)
    yield from _keys(shapes(FixtureShape), schema["$defs"], schema)


def _keys(
    several: tuple[type[Shape], ...],
    definitions: dict[str, dict[str, object]],
    whole: dict[str, object],
) -> Iterator[str]:
    for shape in several:
        yield f"### {shape.WHAT.removeprefix('an ').removeprefix('a ').capitalize()}"
        yield ""
        yield (shape.__doc__ or "").strip()
        yield ""
        yield "| key | value | default | what it is for |"
        yield "| --- | --- | --- | --- |"
        schema = definitions.get(shape.__name__) or whole
        properties = schema["properties"]
        assert isinstance(properties, dict)  # noqa: S101 - what pydantic makes
        for name, info in shape.model_fields.items():
            key = info.alias or name
            value = _value(key, properties[key])
            yield f"| `{key}` | {value} | {_default(info)} | {info.description} |"
        yield ""


def _value(key: str, schema: dict[str, object]) -> str:
    """The kind of a value, in the words of the language."""
    if key == "on":
        return "an event, a list of events, or events with their actions"
    if "enum" in schema:
        words = schema["enum"]
        assert isinstance(words, list)  # noqa: S101 - what pydantic makes
        return " or ".join(f"`{word}`" for word in words)
    if "examples" in schema:
        return "a duration"
    if "$ref" in schema:
        return _linked(schema)
    some = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(some, list):
        kinds = [_value(key, each) for each in some if each != {"type": "null"}]
        return " or ".join(dict.fromkeys(kinds))
    match schema.get("type"):
        case "array":
            items = schema.get("items")
            return (
                f"a list of {_plural(_value(key, items))}" if isinstance(items, dict) else "a list"
            )
        case "object":
            each = schema.get("additionalProperties")
            return f"name: {_value(key, each)}" if isinstance(each, dict) else "a mapping"
        case kind:
            return _PLAIN.get(str(kind), "a text")


def _linked(schema: dict[str, object]) -> str:
    name = str(schema["$ref"]).rpartition("/")[2]
    known = (*shapes(), *shapes(FixtureShape))
    shape = next(shape for shape in known if shape.__name__ == name)
    title = shape.WHAT.removeprefix("an ").removeprefix("a ")
    return f"[{title}](#{title.replace(' ', '-')})"


def _plural(what: str) -> str:
    return what.replace("a text", "texts")


def _default(info: FieldInfo) -> str:
    default = info.default
    if default is PydanticUndefined:
        return "required"
    match default:
        case None | "" | [] | {}:
            return ""
        case bool():
            return f"`{str(default).lower()}`"
        case float():
            return f"`{_DURATIONS.get(default, f'{default:g}s')}`" if default else ""
        case list():
            return f"`[{', '.join(default)}]`"
        case _:
            return f"`{default}`"


def _events() -> Iterator[str]:
    yield from ("### Events", "", "| event | actions | without an action it means |")
    yield "| --- | --- | --- |"
    for kind in KINDS:
        usual = DEFAULT_ACTIONS[kind]
        meant = "all of them" if usual == ACTIONS[kind] else ", ".join(usual)
        yield f"| `{kind}` | {', '.join(ACTIONS[kind])} | {meant} |"
    yield ""
    yield "`manual` may have inputs, each a [parameter](#parameter) whose default is no expression:"
    yield "`on: {manual: {inputs: {dry_run: {type: boolean, default: true}}}}`."
    yield ""


def _several(attribute: str) -> Iterator[tuple[type[Shape], str, str]]:
    for shape in shapes():
        for key, text in getattr(shape, attribute).items():
            yield shape, key, text


def _synonyms() -> Iterator[str]:
    yield from (
        "### Words of other systems",
        "",
        "They load, and `windlass lint --fix` rewrites them.",
    )
    yield from ("", "| in | word | read as |", "| --- | --- | --- |")
    for shape, key, text in _several("SYNONYMS"):
        yield f"| {shape.WHAT} | `{key}` | `{text}` |"
    yield from ("| a job | `strategy.matrix` | `matrix` |", "")


def _absent() -> Iterator[str]:
    yield from ("### Not available in this version", "", "These keys are errors, never ignored.")
    yield from ("", "| in | key | instead |", "| --- | --- | --- |")
    for shape, key, text in _several("ABSENT"):
        yield f"| {shape.WHAT} | `{key}` | {text} |"
    yield ""


def _codes() -> Iterator[str]:
    yield from ("### Codes of faults", "", "| code | what it means |", "| --- | --- |")
    for code, text in sorted(CODES.items()):
        yield f"| `{code}` | {text} |"
