"""Commands that need no server, and how light the command line is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from windlass.cli.local.faults import excerpt
from windlass.cli.main import COMMANDS, windlass
from windlass.cli.output import clean
from windlass.core.errors import Fault, Place

GOOD = """\
listeners:
  all:
    on: push
    do: [{pipeline: ci}]
pipelines:
  ci:
    jobs:
      test: {steps: [{run: make}]}
"""


def test_help_imports_nothing_heavy():
    """`windlass --help` must be there at once: Click, and this package's own words."""
    heavy = "rich httpx2 pydantic fastapi starlette sqlalchemy msgspec yaml jinja2 asyncio uvicorn"
    code = (
        "import sys; from windlass.cli.main import run; run(['--help']); "
        f"sys.exit(' '.join(n for n in {heavy.split()!r} if n in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name):
    """Each one that is listed is there, and has a text of its own."""
    command = windlass.get_command(None, name)
    assert command.help


def test_settings_are_shown_with_their_origin(shell):
    """A value from the environment says so, and no secret is shown."""
    done = shell("settings", "--json", WINDLASS_JOBS="7", WINDLASS_API_TOKEN="hunter2")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["jobs"] == {"name": "jobs", "value": "7", "origin": "WINDLASS_JOBS"}
    assert "hunter2" not in done.stdout + done.stderr


def test_a_wrong_setting_is_named(shell):
    """With what it wants, as a mistake of whoever typed it."""
    done = shell("settings", "--jobs", "many")
    assert done.returncode == 2
    assert "jobs wants a whole number" in done.stderr


def test_a_good_configuration_is_all_right(shell):
    """Exit 0; the data is empty, the talk says so."""
    (shell.folder / ".windlass.yaml").write_text(GOOD)
    done = shell("lint", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_every_fault_is_shown_with_its_line_and_a_caret(shell):
    """Place, text, the line itself and what to do."""
    (shell.folder / ".windlass.yaml").write_text(GOOD.replace("on: push", "on: pusch"))
    done = shell("lint")
    assert done.returncode == 1
    assert ".windlass.yaml:3:9:" in done.stdout
    assert "3 |     on: pusch" in done.stdout
    lines = done.stdout.splitlines()
    here = next(place for place, line in enumerate(lines) if "on: pusch" in line)
    assert lines[here + 1].index("^") == lines[here].index("pusch")


def test_faults_can_be_read_by_programs(shell):
    """The same faults as JSON on stdout."""
    (shell.folder / ".windlass.yaml").write_text(GOOD.replace("on: push", "on: pusch"))
    fault = json.loads(shell("lint", "--json").stdout)[0]
    assert (fault["file"], fault["line"], fault["column"]) == (".windlass.yaml", 3, 9)


def test_synonyms_are_noted_and_rewritten(shell):
    """A note is no fault; `--fix` says the canonical word, and leaves all else as it was."""
    file = shell.folder / ".windlass.yaml"
    file.write_text(GOOD.replace("run: make", "script: make"))
    done = shell("lint")
    assert done.returncode == 0
    assert "note: " in done.stdout
    assert shell("lint", "--fix").returncode == 0
    assert file.read_text() == GOOD


def test_only_the_files_that_count_are_checked(shell):
    """With files in `.windlass/`, a single file beside it is not read, and that is said."""
    (shell.folder / ".windlass").mkdir()
    (shell.folder / ".windlass" / "all.yml").write_text(GOOD)
    (shell.folder / ".windlass.yaml").write_text("nonsense: [")
    done = shell("lint")
    assert done.returncode == 0, done.stdout
    assert "is not read" in done.stdout


def test_the_schema_is_json(shell):
    """For editors; it knows the words of the language."""
    assert "listeners" in json.loads(shell("schema").stdout)["properties"]


def test_a_long_line_is_cut_around_its_caret():
    """A fault far to the right is still in sight, and a tab keeps the caret in its column."""
    line = "\t" + "x" * 400 + "HERE" + "y" * 400
    shown, caret = excerpt(line.encode(), Fault("m", Place("f", 1, 402)))
    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith("HERE")


def test_a_fault_beyond_the_file_has_no_excerpt():
    """An empty file has no line 1."""
    assert excerpt(b"", Fault("m", Place("f", 1, 1))) == ()


def test_no_control_character_reaches_the_terminal():
    """A title cannot move the cursor, hide text or make a link."""
    assert clean("a\x1b[2J\x1b]8;;http://x\x07b\x1b]8;;\x07\r\n\tc\u202e") == "ab  c"
