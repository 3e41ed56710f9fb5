r"""
What of a log's text is control: colours, and everything else.

>>> strip("\x1b[31mred\x1b[0m\x1b]0;title\x07 alert")
'red alert'
"""

from __future__ import annotations

import re

SGR = re.compile(r"\x1b\[([0-9;:]*)m")
# OSC, DCS and the like with their text, CSI, other escapes, and single controls.
OTHER = re.compile(
    r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|"
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def strip(text: str) -> str:
    """The text without any control."""
    return OTHER.sub("", SGR.sub("", text))


def colours_only(text: str) -> str:
    """The text without any control but colours, and with them ended."""
    kept, last = [], 0
    for found in SGR.finditer(text):
        kept += [OTHER.sub("", text[last : found.start()]), found[0]]
        last = found.end()
    plain = OTHER.sub("", text[last:])
    return "".join((*kept, plain, "\x1b[0m")) if kept else plain
