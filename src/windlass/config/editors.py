"""
The JSON Schema of the language, for editors that complete and check while one types.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.config.canonical import keys
from windlass.config.shape import Shape
from windlass.config.shapes import File

Schema = dict[str, object]


def json_schema() -> Schema:
    """The language as JSON Schema 2020-12; synonyms are in it, as deprecated."""
    schema: Schema = File.model_json_schema(by_alias=True)
    definitions = schema.get("$defs")
    assert isinstance(definitions, dict)  # noqa: S101 - what pydantic makes
    for shape in shapes():
        if shape is not File:
            _synonyms(definitions[shape.__name__], shape)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Windlass configuration",
        **{name: part for name, part in schema.items() if name != "title"},
    }


def shapes(whole: type[Shape] = File) -> tuple[type[Shape], ...]:
    """Every mapping of the language, or of another whole, down to its parts."""
    found: list[type[Shape]] = [whole]
    for shape in found:
        for kind in keys(shape).values():
            while kind is not None and not isinstance(kind, type):
                kind = kind.each  # noqa: PLW2901
            if kind is not None and kind not in found:
                found.append(kind)
    return tuple(found)


def _synonyms(definition: Schema, shape: type[Shape]) -> None:
    properties = definition["properties"]
    assert isinstance(properties, dict)  # noqa: S101 - what pydantic makes
    required = definition.get("required")
    for synonym, name in shape.SYNONYMS.items():
        meant = properties.get(name)
        if isinstance(meant, Mapping):
            text = f"read as `{name}`"
            # The one synonym whose values are written otherwise: whole minutes.
            values = {"type": "integer"} if synonym == "timeout-minutes" else meant
            properties[synonym] = {**values, "description": text, "deprecated": True}
            if isinstance(required, list) and name in required:
                required.remove(name)
