"""
`windlass listeners test`: listeners do what the tests beside them expect.
"""

from __future__ import annotations

from pathlib import Path

import click

from windlass.cli.exits import Exit, Failure
from windlass.cli.local.files import TESTS, read_fixtures
from windlass.cli.output import clean, indented, say, show


@click.command("test")
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path()
)
def test(folder: Path) -> None:
    """
    Run the tests of listeners in FOLDER/.windlass/tests (here, unless said otherwise).

    Each says what happens and which listeners shall hear it. Needs no server.
    """
    from windlass.cli.local.faults import as_text
    from windlass.cli.local.fixtures import run
    from windlass.cli.local.judging import configured

    written = configured(folder, json_wanted=False)
    files = read_fixtures(folder)
    if not files:
        raise Failure(
            "There are no tests here.",
            where=str(folder.resolve() / TESTS),
            next_step=f"write {TESTS}/push.yaml",
            code=Exit.NOT_FOUND,
        )
    results, faults = run(folder, files, written)
    if faults:
        as_text(faults, "", files)
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        raise Failure(f"{count} in the tests; none was run.", where=str(folder.resolve()))
    for result in results:
        place = f"{result.fixture.place.file}:{result.fixture.place.line}"
        show(f"{'wrong' if result.wrong else 'ok':5}  {place}  {clean(result.title)}")
        for wrong in result.wrong:
            indented(f"  {wrong.expected.listener}: expected {wrong.expected}, got {wrong.got}")
            for line in wrong.lines:
                indented(f"  {line}")
    failed = sum(bool(result.wrong) for result in results)
    if failed:
        raise Failure(f"{failed} of {len(results)} not as expected.", where=str(folder.resolve()))
    say(f"{len(results)} as expected.")
