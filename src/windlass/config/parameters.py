"""
What a pipeline takes (`with`) and what a person is asked for (`inputs`): the same types.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from windlass.config.shape import Shape
from windlass.config.words import Template, Text, Truth, word
from windlass.core import pipeline

# Of one listener; the page shows them all in one form.
MOST_INPUTS = 25


class Parameter(Shape):
    """A value that a pipeline takes, or that a person is asked for (`on: {manual: {inputs}}`)."""

    WHAT = "a parameter"
    SYNONYMS: ClassVar = {"options": "enum"}
    type: Annotated[str, *word("string", "number", "boolean", "environment")] = Field(
        "string", description="what values are allowed"
    )
    default: Template | None = Field(None, description="its value when none is given")
    required: Truth | None = Field(
        None, description="false: it may be left out; else one without a default must be given"
    )
    enum: list[Template] = Field([], description="the only values allowed")
    description: Text = Field("", description="what it is for, for people")


class Input(Parameter):
    """A value that a person is asked for."""

    WHAT = "an input"


def rule(name: str, shape: Parameter) -> pipeline.Parameter:
    """The parameter as the rules know it."""
    return pipeline.Parameter(
        name=name,
        type=shape.type,
        default=shape.default,
        enum=tuple(shape.enum),
        optional=shape.required is False,
        description=shape.description,
    )
