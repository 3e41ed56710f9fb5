"""
The configuration files of a folder, and the tests beside them.
"""

from __future__ import annotations

from pathlib import Path

from windlass.cli.exits import Exit, Failure

SINGLE = (".windlass.yaml", ".windlass.yml")
FOLDER = ".windlass"
TESTS = ".windlass/tests"
SUFFIXES = frozenset({".yaml", ".yml"})


def read_files(root: Path) -> dict[str, bytes]:
    """What the folder says, by name relative to it; a `Failure` when it says nothing."""
    named = [root / name for name in SINGLE]
    if (root / FOLDER).is_dir():
        named += sorted(path for path in (root / FOLDER).iterdir() if path.suffix in SUFFIXES)
    found = _contents(root, named)
    if not found:
        raise Failure(
            "There is no configuration here.",
            where=str(root),
            next_step=f"write {SINGLE[0]}, or files in {FOLDER}/",
            code=Exit.NOT_FOUND,
        )
    return found


def read_fixtures(root: Path) -> dict[str, bytes]:
    """The files of tests, by name relative to the folder; none when there is no such folder."""
    folder = root / TESTS
    if not folder.is_dir():
        return {}
    return _contents(root, sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES))


def _contents(root: Path, named: list[Path]) -> dict[str, bytes]:
    try:
        return {str(path.relative_to(root)): path.read_bytes() for path in named if path.is_file()}
    except OSError as error:
        raise Failure(
            f"A file cannot be read: {error.strerror}.", where=str(error.filename)
        ) from error
