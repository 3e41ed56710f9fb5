"""
Faults of a configuration as a command prints them: for people with their line, or as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from windlass.cli.output import clean, show

if TYPE_CHECKING:
    from windlass.core.errors import Fault

WIDE = 100


def as_json(wrong: tuple[Fault, ...], remarks: tuple[Fault, ...]) -> None:
    """A list of faults, then of notes."""
    said = [
        {
            "file": fault.place.file,
            "line": fault.place.line,
            "column": fault.place.column,
            "severity": severity,
            "message": fault.message,
            "hint": fault.hint,
            "code": fault.code,
        }
        for severity, faults in (("error", wrong), ("note", remarks))
        for fault in faults
    ]
    show(json.dumps(said, indent=2))


def as_text(faults: tuple[Fault, ...], kind: str, files: Mapping[str, bytes]) -> None:
    """Each with its place, its line and its remedy; `kind` is put before it."""
    for fault in faults:
        show(f"{fault.place}: {kind}{clean(fault.message)}")
        for line in excerpt(files.get(fault.place.file, b""), fault):
            show(line)
        if fault.hint:
            show(f"  hint: {clean(fault.hint)}")
        show("")


def excerpt(text: bytes, fault: Fault) -> tuple[str, ...]:
    """The line of a fault with a caret below its column, cut so that the caret is in sight."""
    lines = text.decode("utf-8", "replace").splitlines()
    if not 0 < fault.place.line <= len(lines):
        return ()
    line = lines[fault.place.line - 1].replace("\t", " ")
    column = fault.place.column - 1
    start = max(0, column - WIDE // 2) if len(line) > WIDE else 0
    margin = f"  {fault.place.line} | "
    caret = " " * (len(margin) - 2) + "| " + " " * (column - start) + "^"
    return (
        margin + "".join(c if c.isprintable() else "?" for c in line[start : start + WIDE]),
        caret,
    )
