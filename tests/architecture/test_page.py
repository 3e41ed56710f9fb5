"""
ARCHITECTURE.md and README.md tell the truth about the folders.

A tree in a page is believed long after it has stopped being true, so it is
compared with the disk.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^(?P<indent>(?:  )+)(?P<name>[\w.]+/?)(?:  +\S|$)")


def told(page: str) -> dict[str, set[str]]:
    """Folder -> names in it, as the page's tree tells it; paths below src/windlass, "" the top."""
    block = re.search(r"```\nsrc/windlass/\n(.*?)```", page, re.DOTALL)
    assert block
    found: dict[str, set[str]] = {}
    above: list[str] = []
    for text in block[1].splitlines():
        entry = ENTRY.match(text)
        assert entry, f"not a line of the tree: {text!r}"
        depth = len(entry["indent"]) // 2 - 1
        found.setdefault("".join(above[:depth]), set()).add(entry["name"])
        above[depth:] = [entry["name"]]
    return found


def there(folder: Path) -> set[str]:
    """Modules and packages in a folder, folders with a slash; an empty folder is not there."""
    return {
        child.name + ("/" if child.is_dir() else "")
        for child in folder.iterdir()
        if (child.suffix == ".py" and child.name != "__init__.py")
        or (child.is_dir() and any(child.rglob("*.py")))
    }


def wrong(page: str, root: Path) -> list[str]:
    """Every folder about which the page and the disk disagree."""
    return [
        f"src/windlass/{folder}: the page tells of {sorted(names - there(root / folder))} too much"
        f" and {sorted(there(root / folder) - names)} too little"
        for folder, names in told(page).items()
        if names != there(root / folder)
    ]


def test_the_tree_in_the_page_is_the_tree_on_disk():
    """ARCHITECTURE.md names every part of the package, and nothing that is gone."""
    page = (HERE / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = wrong(page, HERE / "src/windlass")
    assert not found, "\n".join(found)


def test_a_tree_that_is_not_the_folders_is_found(tmp_path):
    """A part that is gone, one that is new, and one deeper down: each is named."""
    (tmp_path / "core").mkdir()
    for name in ("core/run.py", "core/graph.py", "new.py", "__init__.py"):
        (tmp_path / name).touch()
    page = "```\nsrc/windlass/\n  core/   rules\n    run.py   runs\n  gone.py   away\n```\n"
    assert wrong(page, tmp_path) == [
        "src/windlass/: the page tells of ['gone.py'] too much and ['new.py'] too little",
        "src/windlass/core/: the page tells of [] too much and ['graph.py'] too little",
    ]


def test_every_link_of_the_root_pages_leads_somewhere():
    """README.md and ARCHITECTURE.md link only to what is there."""
    for name in ("README.md", "ARCHITECTURE.md"):
        text = (HERE / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (HERE / link).exists(), f"{name}: {link}"


def test_ci_runs_the_test_command_of_the_readme():
    """What README.md tells a person to type is what CI runs."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    command = re.search(r"## Test it\n\n```sh\n(.+)\n```", readme)
    assert command
    assert f"\nstep {command[1]}\n" in (HERE / ".ci/run").read_text(encoding="utf-8")
