"""
Texts and times as GitLab takes and gives them.

>>> cut("abcdef", 4)
'abc…'
>>> instant("2024-01-01T00:00:00.000Z"), instant("soon")
(1704067200.0, 0.0)
"""

from __future__ import annotations

import re

from windlass.core.errors import BadDelivery
from windlass.forges.times import moment

_COMMAND = re.compile(r"^/", re.MULTILINE)
# Nothing to see, and no slash at the beginning of a line any more.
_HARMLESS = "\u200b/"


def cut(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def instant(text: str) -> float:
    """UTC seconds; 0 for what is no time."""
    try:
        return moment(text or None) or 0.0
    except BadDelivery:
        return 0.0


def harmless(text: str) -> str:
    r"""
    A text in which no line is a quick action, such as `/merge`.

    GitLab would do it with our rights. Fences and HTML protect most lines, but what GitLab takes
    for a fence is not ours to prove.

    >>> harmless("log:\n/merge").split("\n")[1] == "\u200b/merge"
    True
    """
    return _COMMAND.sub(_HARMLESS, text)
