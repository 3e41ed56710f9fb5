"""
`windlass lint`: every fault of the configuration in a folder, with its line and its remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from windlass.cli.exits import Failure
from windlass.cli.local.faults import as_json as faults_as_json
from windlass.cli.local.faults import as_text
from windlass.cli.local.files import read_files, read_fixtures
from windlass.cli.output import say


@click.command()
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path()
)
@click.option("--fix", is_flag=True, help="Rewrite known synonyms to the canonical keys first.")
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
def lint(folder: Path, *, fix: bool, as_json: bool) -> None:
    """
    Check the configuration in FOLDER (here, unless said otherwise). Needs no server.

    Tests of listeners in .windlass/tests are run as well, if there are any.
    """
    from windlass.cli.local.fixtures import faults_of_tests
    from windlass.config.schema import chosen, faults, load, notes

    files = read_files(folder)
    if fix:
        files = _fixed(folder, files)
    read = {name: files[name] for name in chosen(files)}
    wrong = faults(read)
    remarks = notes(files)
    tests = read_fixtures(folder)
    if tests:
        wrong += faults_of_tests(folder, tests, None if wrong else load(read).listeners)
    if as_json:
        faults_as_json(wrong, remarks)
    else:
        as_text(wrong, "", {**files, **tests})
        as_text(remarks, "note: ", files)
    if wrong:
        count = f"{len(wrong)} fault{'s' if len(wrong) > 1 else ''}"
        where = ", ".join(dict.fromkeys(fault.place.file for fault in wrong))
        raise Failure(f"{count} in {where}.", where=str(folder.resolve()))
    say(f"{', '.join((*read, *tests))}: all right.")


def _fixed(folder: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    from windlass.config.schema import fix

    after = {}
    for name, text in files.items():
        after[name] = fix(name, text)
        if after[name] != text:
            (folder / name).write_bytes(after[name])
            say(f"{name}: rewritten.")
    return after
