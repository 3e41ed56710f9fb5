"""
What all mappings of the language are.

`SYNONYMS` are words of other systems that load too; `ABSENT` are keys of the language
that this version cannot honour, with what to do instead: an error, never ignored.
`MISPLACED` are keys that belong elsewhere, and where. `STAND_INS` take the place of keys
that must be there and are wrong, so that the rest can still be checked.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A mapping of the language; `WHAT` is its name in a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    WHAT: ClassVar[str] = ""
    SYNONYMS: ClassVar[dict[str, str]] = {}
    ABSENT: ClassVar[dict[str, str]] = {}
    MISPLACED: ClassVar[dict[str, str]] = {}
    STAND_INS: ClassVar[dict[str, object]] = {}
