"""The sandbox of this machine, for tests that cannot do without one."""

from __future__ import annotations

import pytest

from windlass.executors.process import SEARCH_PATH
from windlass.executors.sandbox import NoSandbox, Sandbox, find


def sandbox() -> Sandbox:
    """One that was tried; on a machine that makes none the test is skipped, which CI refuses."""
    try:
        return find(SEARCH_PATH)
    except NoSandbox as error:
        pytest.skip(str(error))
