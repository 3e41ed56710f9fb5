"""
`windlass lint`: every fault of the configuration in a folder, with its line and its remedy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.exits import Failure
from windlass.cli.local.files import read_files
from windlass.cli.output import clean, say, show

if TYPE_CHECKING:
    from windlass.core.errors import Fault

WIDE = 100


@click.command()
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path()
)
@click.option("--fix", is_flag=True, help="Rewrite known synonyms to the canonical keys first.")
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
def lint(folder: Path, *, fix: bool, as_json: bool) -> None:
    """Check the configuration in FOLDER (here, unless said otherwise). Needs no server."""
    from windlass.config.schema import chosen, faults, notes

    files = read_files(folder)
    if fix:
        files = _fixed(folder, files)
    wrong = faults({name: files[name] for name in chosen(files)})
    remarks = notes(files)
    if as_json:
        _as_json(wrong, remarks)
    else:
        _as_text(wrong, "", files)
        _as_text(remarks, "note: ", files)
    if wrong:
        count = f"{len(wrong)} fault{'s' if len(wrong) > 1 else ''}"
        raise Failure(f"{count} in {', '.join(chosen(files))}.", where=str(folder.resolve()))
    say(f"{', '.join(chosen(files))}: all right.")


def _fixed(folder: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    from windlass.config.schema import fix

    after = {}
    for name, text in files.items():
        after[name] = fix(name, text)
        if after[name] != text:
            (folder / name).write_bytes(after[name])
            say(f"{name}: rewritten.")
    return after


def _as_json(wrong: tuple[Fault, ...], remarks: tuple[Fault, ...]) -> None:
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


def _as_text(faults: tuple[Fault, ...], kind: str, files: Mapping[str, bytes]) -> None:
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
