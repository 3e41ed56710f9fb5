"""In CI nothing is skipped because something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
SKIPPING = {
    "a missing program": 'import pytest\ndef test_a():\n    pytest.skip("needs podman")\n',
    "a missing library": 'import pytest\npytest.importorskip("no_such_library")\n',
    "a condition": """import pytest
@pytest.mark.skipif(True, reason="needs root")
def test_a():
    pass
""",
}
BY_NATURE = 'import pytest\ndef test_a():\n    pytest.skip("does not apply: runs as root")\n'


def run(folder: Path, text: str, *, ci: bool) -> int:
    """The exit code of pytest for one file under the project's conftest."""
    (folder / "test_planted.py").write_text(text)
    (folder / "conftest.py").write_text((HERE / "tests/conftest.py").read_text())
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_planted.py"],
        cwd=folder,
        env=env | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({"CI": "true"} if ci else {}),
        capture_output=True,
    ).returncode


@pytest.mark.parametrize("reason", SKIPPING)
def test_what_is_missing_in_ci_is_a_failure(reason, tmp_path):
    """Elsewhere a missing component skips a test; in CI it fails."""
    assert run(tmp_path, SKIPPING[reason], ci=False) in (0, 5)
    assert run(tmp_path, SKIPPING[reason], ci=True) in (1, 2)


def test_what_does_not_apply_is_no_failure_in_ci(tmp_path):
    """A test that has no meaning here is skipped in CI, too."""
    assert run(tmp_path, BY_NATURE, ci=True) == 0
