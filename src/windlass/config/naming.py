"""
Names: what they may be made of, and whether what they name is there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

from windlass.config.nodes import Scalar
from windlass.config.reading import Reading
from windlass.core.errors import Place

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_names(reading: Reading, what: str, keys: Iterable[Scalar]) -> None:
    """Names of listeners, jobs and the like: plain letters, and no two that look alike."""
    seen: dict[str, Scalar] = {}
    for key in keys:
        if not _NAME.fullmatch(key.value):
            message = f"'{key.value}' cannot be the name of {what}"
            hint = "letters a to z, digits, '.', '_' and '-', at most 63, a letter or digit first"
            reading.fault(message, key.place, hint, code="wrong-name")
        twin = seen.setdefault(key.value.casefold(), key)
        if twin is not key:
            message = f"'{key.value}' and '{twin.value}' in line {twin.place.line} look alike"
            reading.fault(message, key.place, "names differ by more than case", code="wrong-name")


def check_variable(reading: Reading, name: str, place: Place) -> None:
    """The name of an environment variable or parameter."""
    if not _VARIABLE.fullmatch(name):
        message = f"'{name}' cannot be the name of a variable"
        reading.fault(message, place, "letters, digits and '_', no digit first", code="wrong-name")


def check_known(
    reading: Reading, what: str, name: str, known: Collection[str], place: Place
) -> bool:
    """Whether what a name stands for is there; a fault with the nearest name when it is not."""
    if name in known:
        return True
    near = difflib.get_close_matches(name, known, 1)
    more = f", did you mean '{near[0]}'?" if near else ""
    there = f"there is: {', '.join(known)}" if known else f"there is no {what} at all"
    reading.fault(f"there is no {what} '{name}'{more}", place, there, code="unknown-name")
    return False
