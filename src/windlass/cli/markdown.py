r"""
Our comment on a pull request, as text for a terminal.

This reads the Markdown that the engine writes (`engine/comment.py`) and no other;
what it does not know stays as it is.

>>> readable("<!-- windlass -->\n### a\\-b: [run 1](http://x/1)\n\n| | job |\n|---|---|\n| - | c |")
'a-b: run 1, http://x/1\n\n  job\n  c'
"""

from __future__ import annotations

import re
from html import unescape
from itertools import groupby

from windlass.web.pages.sgr import strip

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"(?<!\\)\[([^\]]*)\]\((\S+)\)")
_FRAME = re.compile(r"<!--.*?-->|</?details[^>]*>")
_SUMMARY = re.compile(r"<summary>(.*)</summary>")
_FENCE = re.compile(r"(`{3,})\w*")
_RULE = re.compile(r"[|:\- ]+")
_CELLS = re.compile(r"(?<!\\)\|")


def readable(comment: str) -> str:
    """The comment without marks, escapes and controls; excerpts and tables are set in."""
    lines, fence = [], ""
    rows: list[list[str]] = []
    for line in (*map(strip, comment.split("\n")), ""):
        if fence:
            fence = "" if line == fence else fence
            lines += [f"  {line}"] if fence else []
        elif line.startswith("|"):
            rows += [] if _RULE.fullmatch(line) else [_cells(line)]
        else:
            lines += _table(rows)
            rows = []
            found = _FENCE.fullmatch(line)
            fence = found[1] if found else ""
            lines += [] if found else [_plain(line)]
    kept = [[""] if empty else list(some) for empty, some in groupby(lines, lambda one: not one)]
    return "\n".join(line for some in kept for line in some).strip("\n")


def _plain(line: str) -> str:
    if summary := _SUMMARY.fullmatch(line):
        return unescape(summary[1]).replace("\u200b", "")
    text = _LINK.sub(r"\1, \2", _FRAME.sub("", line)).removeprefix("### ")
    return _ESCAPED.sub(r"\1", text).replace("`", "").replace("\u200b", "")


def _cells(row: str) -> list[str]:
    """The cells less the first, a sign that says what the state says in words."""
    return [_plain(cell.strip()) for cell in _CELLS.split(row)[2:-1]]


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=False)]
    return [
        "  " + "  ".join(map(str.ljust, row, widths)).rstrip()  # as `output.table`, set in
        for row in rows
    ]
