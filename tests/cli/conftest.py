"""The command line against the sample on a real port."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from windlass.testing.sample.web import TOKEN, SampleWeb, sample_web, served


@dataclass
class Shell:
    """Runs `windlass` as a program, as a person would."""

    sample: SampleWeb
    url: str
    folder: Path

    def __call__(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ
        }
        environ = {
            **kept,
            "HOME": str(self.folder),
            "WINDLASS_SERVER": self.url,
            "WINDLASS_TOKEN": TOKEN,
            "WINDLASS_ACTOR": "alice",
            **more,
        }
        return subprocess.run(
            [sys.executable, "-m", "windlass", *words],
            env={name: value for name, value in environ.items() if value},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[SampleWeb, str]]:
    """One server for the tests of a file."""
    sample = sample_web(url="").closed()
    with served(sample.app) as url:
        yield sample, url


@pytest.fixture
def shell(scene, tmp_path) -> Shell:
    """A shell in an empty folder."""
    return Shell(scene[0], scene[1], tmp_path)


Run = Callable[..., subprocess.CompletedProcess[str]]
