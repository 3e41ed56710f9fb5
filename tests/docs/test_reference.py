"""Every key, command, route, error, variable and state is documented, and as the code has it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import error_codes
import pytest
import reference
import reference_api
import reference_cli

from windlass.cli.main import windlass
from windlass.config.canonical import keys
from windlass.config.codes import CODES
from windlass.config.editors import shapes
from windlass.config.fixtures import FixtureShape
from windlass.core.run import MOVES
from windlass.engine.variables import TABLE
from windlass.web.errors import PLAIN

HERE = Path(__file__).resolve().parents[2]
# Calls whose code is of another kind: an exit code, or a browser's sign-in.
OTHER = frozenset({"Failure", "StepEnded"})


def read(name: str) -> str:
    """A page of the reference."""
    return (reference.FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_of_the_reference_is_up_to_date(name):
    """`WINDLASS_WRITE_DOCS=1 pytest tests/docs`, or `just docs`, writes it anew."""
    made = reference.PAGES[name]()
    if os.environ.get("WINDLASS_WRITE_DOCS"):
        (reference.FOLDER / name).write_text(made, encoding="utf-8")
    assert read(name) == made


def test_every_key_of_the_language_is_documented():
    """Each key of each mapping has a row below the heading of that mapping."""
    page = read("configuration.md")
    for shape in (*shapes(), *shapes(FixtureShape)):
        title = shape.WHAT.removeprefix("an ").removeprefix("a ").capitalize()
        section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        for key in keys(shape):
            assert f"| `{key}` |" in section, f"{title}: {key}"


def test_every_command_is_documented():
    """Each with a heading, and each of its options."""
    page = read("cli.md")
    found = dict(reference_cli.commands(windlass, ("windlass",)))
    assert ("windlass", "repo", "add") in found
    for path, command in found.items():
        section = page.partition(f"\n## {' '.join(path)}\n")[2].partition("\n## ")[0]
        assert section, path
        for name in (name for each in command.params for name in each.opts if name[:1] == "-"):
            assert f"`{name}" in section, f"{path}: {name}"


def test_every_route_is_documented():
    """Those of the API with their operation, all others in a table."""
    page = read("api.md")
    found = list(reference_api.operations(reference_api.schema()))
    assert len(found) > 20
    for path, method, operation in found:
        assert f"\n## {method} {path}\n" in page
        assert f"`{operation['operationId']}`" in page
    for row in reference_api.others():
        assert row in page
    assert "`/hooks/{endpoint}`" in page


def raised() -> Iterator[tuple[str, str]]:
    """Every code that an error of ours may carry, with its file."""
    for path in sorted((HERE / "src/windlass").rglob("*.py")):
        name = path.relative_to(HERE).as_posix()
        if "/config/" in name or "/testing/" in name or "/cli/demo/" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for code in carried(node):
                yield code, name


def carried(node: ast.AST) -> Iterator[str]:
    """The codes that one node of a syntax tree names."""
    match node:
        case ast.Call(func=ast.Name(id=called), keywords=words) if called not in OTHER:
            for word in words:
                match word:
                    case ast.keyword(arg="code", value=ast.Constant(value=str(code))) if code:
                        yield code
        case ast.ClassDef(body=body):
            for each in body:
                match each:
                    case ast.Assign(
                        targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))
                    ):
                        yield code


def answered() -> set[tuple[int, str]]:
    """Every (status, code) with which a webhook may be refused, apart from codes passed on."""
    text = (HERE / "src/windlass/web/hooks.py").read_text(encoding="utf-8")
    found = re.findall(r'(?:Answer|Problem)\(\s*(\d+),\s*"([\w-]+)"', text)
    return {(int(status), code) for status, code in found}


def test_every_error_of_the_server_is_documented_with_a_remedy():
    """No code is raised without a row, and no row is left of a code that is gone."""
    codes = {code for code, _ in raised()} | {code for code, _ in PLAIN.values()}
    assert {"folder-in-use", "not-found", "bug"} <= codes
    assert codes == set(error_codes.ERRORS)


def test_every_answer_to_a_webhook_is_documented_with_a_remedy():
    """As the route says them, and the one that the inbox passes on."""
    assert answered() | {(409, "delivery-differs")} == set(error_codes.HOOKS)


def test_every_fault_of_the_configuration_is_documented_with_a_remedy():
    """Each code has a meaning in the code and a remedy here."""
    assert set(error_codes.CONFIGURATION) == set(CODES)


def test_every_variable_is_documented():
    """Each with what it is."""
    for name, (text, _) in TABLE.items():
        assert f"| `{name}` | {text} |" in read("variables.md")


def test_the_state_diagram_equals_the_moves():
    """Read back from the page, arrow by arrow."""
    block = re.search(r"```mermaid\n(.*?)```", read("states.md"), re.DOTALL)
    assert block
    arrows = set(re.findall(r"(\S+) --> (\S+)", block[1]))
    moves = {(str(before), str(after)) for before, some in MOVES.items() for after in some}
    assert {arrow for arrow in arrows if "[*]" not in arrow} == moves
    ends = {str(state) for state, some in MOVES.items() if not some and state != "held"}
    assert {arrow for arrow in arrows if "[*]" in arrow} == {
        ("[*]", "pending"),
        *((state, "[*]") for state in ends),
    }
