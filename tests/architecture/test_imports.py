"""
Who may import whom: the contracts of pyproject.toml hold, and each can be broken.

The faults are planted in a copy, so that the contracts are proved on the
package as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]

# Contract -> the module that is planted, and what it imports.
BROKEN = {
    "layers": {"core.planted": "windlass.ports.planted", "ports.planted": ""},
    "layers (side by side)": {"forges.planted": "windlass.stores.planted", "stores.planted": ""},
    "layers (unknown)": {"planted.thing": ""},
    "core": {"core.errors": "windlass.core.run"},
    "core (unknown)": {"core.planted": ""},
    "pure (core)": {"core.redact": "time"},
    "pure (config)": {"config.planted": "pathlib"},
    "wiring": {"web.planted": "windlass.stores.planted", "stores.planted": ""},
    "adapters": {"targets.kubernetes": "windlass.targets.git", "targets.git": ""},
    "adapters (shared)": {"forges.http": "windlass.forges.gitlab", "forges.gitlab": ""},
}


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the package under `folder`/src."""
    words = ["--no-logo", "--no-cache", *(f"--contract={contract}" for contract in contracts)]
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


def plant(folder: Path, module: str, imported: str) -> None:
    """Add an import to a module, made together with its package when it is not there."""
    file = folder / "src/windlass" / (module.replace(".", "/") + ".py")
    file.parent.mkdir(exist_ok=True)
    (file.parent / "__init__.py").touch()
    with file.open("a") as text:
        text.write(f"\nimport {imported}\n" if imported else "")


def test_everyone_imports_down_only():
    """Every import contract of pyproject.toml holds."""
    said = lint(HERE)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("contract", BROKEN)
def test_a_planted_import_breaks_its_contract(contract, tmp_path):
    """No import contract rests unnoticed."""
    shutil.copytree(
        HERE / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    shutil.copy(HERE / "pyproject.toml", tmp_path)
    for module, imported in BROKEN[contract].items():
        plant(tmp_path, module, imported)
    said = lint(tmp_path, contract.split()[0])
    assert "Contracts: 0 kept, 1 broken." in said.stdout, said.stdout + said.stderr
    assert "planted" in said.stdout or all("planted" not in name for name in BROKEN[contract])


@pytest.mark.parametrize("package", ["core", "config"])
def test_the_linter_keeps_the_clock_out_of_the_rules(package):
    """The nested settings of ruff are in force: a rule that reads the clock is refused."""
    said = subprocess.run(
        [
            Path(sys.executable).with_name("ruff"),
            "check",
            "--no-cache",
            "--output-format=concise",
            f"--stdin-filename=src/windlass/{package}/planted.py",
            "-",
        ],
        cwd=HERE,
        input="from datetime import UTC, datetime\n\nNOW = datetime.now(tz=UTC)\n",
        capture_output=True,
        text=True,
    )
    assert "TID251" in said.stdout, said.stdout + said.stderr
