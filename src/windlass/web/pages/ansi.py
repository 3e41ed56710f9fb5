r"""
Log text as markup: colours yes, anything else no.

Of all that a terminal can be told, only colours and bold, dim, italic, underline
(SGR) are kept, as classes. Every other control is dropped with its text of
control, so a log can colour a page and never command it.

>>> print(to_html("\x1b[31mred\x1b[0m <b>"))
<span class="a31">red</span> &lt;b&gt;
>>> print(to_html("\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07"))
click
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from windlass.web.pages.sgr import OTHER, SGR

STYLES = {1: "b", 2: "d", 3: "i", 4: "u"}
ENDS = {22: ("b", "d"), 23: ("i",), 24: ("u",)}
TAIL = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One stored line: its step, its stream, its text as markup, and its time (UTC seconds)."""

    at: float
    step: int
    stream: str
    text: Markup


def to_html(text: str) -> Markup:
    """The text as markup."""
    out, classes = Markup(), frozenset[str]()
    cuts = [(0, 0, ""), *((m.start(), m.end(), m[1]) for m in SGR.finditer(text))]
    cuts.append((len(text), len(text), ""))
    for (_, start, codes), (end, _, _) in pairwise(cuts):
        if start:
            classes = _after(classes, codes)
        plain = escape(OTHER.sub("", text[start:end]))
        if plain and classes:
            out += Markup('<span class="{}">{}</span>').format(" ".join(sorted(classes)), plain)
        else:
            out += plain
    return out


def _after(classes: frozenset[str], codes: str) -> frozenset[str]:
    numbers = [int(part or 0) for part in re.split("[;:]", codes)] if len(codes) < 100 else []
    kept = set(classes)
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            kept.clear()
        elif code in STYLES:
            kept.add(STYLES[code])
        elif code in ENDS:
            kept -= set(ENDS[code])
        elif code in {38, 48}:
            color, numbers = _extended(numbers)
            _clear(kept, code // 10)
            kept.add(f"a{(code // 10) * 10 + color % 8 + (60 if color > 7 else 0)}")
        elif code in {39, 49}:
            _clear(kept, code // 10)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            _clear(kept, 3)
            kept.add(f"a{code}")
        elif 40 <= code <= 47 or 100 <= code <= 107:
            _clear(kept, 4)
            kept.add(f"a{code}")
    return frozenset(kept)


def _clear(kept: set[str], ground: int) -> None:
    starts = ("a3", "a9") if ground == 3 else ("a4", "a10")
    for name in [name for name in kept if name.startswith(starts)]:
        kept.discard(name)


def _extended(numbers: list[int]) -> tuple[int, list[int]]:
    """The nearest of sixteen colours, and the numbers that are left."""
    if numbers[:1] == [5] and len(numbers) > 1:
        return _of_256(numbers[1]), numbers[2:]
    if numbers[:1] == [2] and len(numbers) > 3:
        return _nearest(*numbers[1:4]), numbers[4:]
    return 7, []


def _of_256(index: int) -> int:
    if index < 16:
        return index
    if index < 232:
        index -= 16
        return _nearest(*(51 * (index // part % 6) for part in (36, 6, 1)))
    return 8 if index < 244 else 7


def _nearest(red: int, green: int, blue: int) -> int:
    top = max(red, green, blue)
    bright = 8 if top > 191 else 0
    if top < 64:
        return 0
    half = top * 0.6
    return bright + (red > half) + 2 * (green > half) + 4 * (blue > half)


def show_log(data: bytes) -> tuple[LogLine, ...]:
    """The last lines of stored log text."""
    lines = data.decode("utf-8", "replace").split("\n")[:-1][-TAIL:]
    return tuple(_line(line) for line in lines)


def _line(line: str) -> LogLine:
    match line.split(" ", 3):
        case [at, step, stream, text] if at.isdecimal() and step.lstrip("-").isdecimal():
            return LogLine(at=int(at) / 1000, step=int(step), stream=stream, text=to_html(text))
        case _:
            return LogLine(at=0.0, step=0, stream="o", text=to_html(line))
