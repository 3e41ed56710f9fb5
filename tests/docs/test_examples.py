"""What the documentation shows is so: configurations load, links lead, names are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from windlass.cli.main import windlass
from windlass.config.schema import chosen, load, notes
from windlass.core.event import Kind

HERE = Path(__file__).resolve().parents[2]
PAGES = sorted([*(HERE / "docs").rglob("*.md"), *HERE.glob("*.md")])
NAMES = [page.relative_to(HERE).as_posix() for page in PAGES]
YAML = re.compile(r"^```yaml\n((?:#.*\n)*(?:listeners|pipelines|services|environments):.*?)^```$",
                  re.MULTILINE | re.DOTALL)  # fmt: skip
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
SPAN = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
GROUPS = r"(?:repo|pr|events|runs|builds|environments)"


def configurations() -> list[tuple[str, str]]:
    """Every configuration that a page shows, by its place."""
    return [
        (f"{name}:{text[: one.start()].count(chr(10)) + 2}", one[1])
        for name, page in zip(NAMES, PAGES, strict=True)
        for text in [page.read_text(encoding="utf-8")]
        for one in YAML.finditer(text)
    ]


@pytest.mark.parametrize(("place", "text"), configurations())
def test_every_configuration_that_is_shown_is_right(place, text):
    """A reader may copy it: it loads, and has nothing to remark."""
    load({".windlass.yaml": text.encode()})
    assert notes({".windlass.yaml": text.encode()}) == ()


def test_configurations_are_found():
    """A change of form that hides them would pass for ever."""
    assert len(configurations()) > 3


def test_the_project_builds_itself():
    """`.windlass/` loads, and runs `just check` on a push and on a pull request."""
    folder = HERE / ".windlass"
    files = {path.relative_to(HERE).as_posix(): path.read_bytes() for path in folder.iterdir()}
    found = load({name: files[name] for name in chosen(files)})
    assert notes(files) == ()
    kinds = {on.kind: each for each in found.listeners.values() for on in each.on}
    assert set(kinds) == {Kind.PUSH, Kind.PULL_REQUEST}
    for listener in kinds.values():
        (action,) = listener.actions
        (job,) = found.pipelines[action.name].jobs
        assert job.steps[-1].run.endswith("/just check")


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    """To a file that is there, and to a heading in it."""
    page = HERE / name
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for path, anchor in LINK.findall(text):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name}: {path}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), f"{name}: {path}#{anchor}"


def known(words: list[str]) -> bool:
    """Whether these words begin with a command of ours."""
    context = click.Context(windlass)
    command = windlass.get_command(context, words[0])
    if isinstance(command, click.Group):
        return words[1:2] == ["--help"] or words[1] in command.list_commands(context)
    return command is not None


def test_every_command_that_a_page_names_is_there():
    """In code, inline or in blocks."""
    for name, page in zip(NAMES, PAGES, strict=True):
        for span in SPAN.findall(page.read_text(encoding="utf-8")):
            for told in re.findall(r"(?:^|[`\s|;])windlass ([a-z]+(?: [a-z-]+)?)", span):
                words = [*told.split(), ""]
                assert words[0] == "up" or known(words), f"{name}: windlass {told}"


def test_every_command_that_a_text_of_ours_names_is_there():
    """A hint with a command that is not there is worse than none."""
    for path in (HERE / "src/windlass").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for told in re.findall(rf"windlass ({GROUPS} [a-z]+)", node.value):
                    assert known(told.split()), f"{path}: windlass {told}"


def test_every_test_that_the_security_page_names_is_there():
    """The table would be worth nothing otherwise."""
    page = (HERE / "docs/explanation/security.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(test_\w+)`", page))
    assert len(names) > 20
    rows = re.findall(r"^\| ([SR]-\d\d) \|.*`test", page, re.MULTILINE)
    tried = [*(f"S-{n}" for n in (*range(12, 22), 35, 36)), "R-04", "R-05", "R-16", "R-17"]
    assert rows == tried
    places = (HERE / "tests", HERE / "src/windlass/testing/contracts")
    files = (path for place in places for path in place.rglob("*.py"))
    tests = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [name for name in names if f"def {name}(" not in tests] == []
    for page_name in ("security", "gitops"):
        text = (HERE / f"docs/explanation/{page_name}.md").read_text(encoding="utf-8")
        for path in re.findall(r"`(tests/[\w/.]+)`", text):
            assert (HERE / path).exists(), path
