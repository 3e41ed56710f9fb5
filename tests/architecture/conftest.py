"""What the tests of the project's shape look at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
# A machine makes folders of these names, and such that begin with a dot apart from ours.
MADE = frozenset({"__pycache__", "build", "dist", "data", "node_modules"})
OURS = frozenset({".ci", ".windlass", ".github", ".gitignore", ".windlass.yaml"})


def made(name: str) -> bool:
    """Whether a file or folder of this name is made by a machine and never committed."""
    return name in MADE or (name.startswith(".") and name not in OURS)


@pytest.fixture(scope="session")
def project() -> dict[str, str]:
    """Every text of the project by its path; what is no UTF-8 is no text."""
    found = {}
    for folder, folders, names in os.walk(HERE):
        folders[:] = [name for name in folders if not made(name)]
        for path in (Path(folder, name) for name in names if not made(name)):
            try:
                found[path.relative_to(HERE).as_posix()] = path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):
                continue
    return found
